// Requests to Orvale's own endpoints, and what a server says when it refuses.

import { Method, type MatrixClient } from "matrix-js-sdk";

/** Asks an endpoint below `/_orvale/client/v1`. */
export function askOrvale<Answer>(
  client: MatrixClient,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: object,
): Promise<Answer> {
  const methods = { GET: Method.Get, POST: Method.Post, PUT: Method.Put, DELETE: Method.Delete };
  return client.http.authedRequest<Answer>(methods[method], path, undefined, body, {
    prefix: "/_orvale/client/v1",
  });
}

/** The errcode of a refusal, or nothing. */
export function errcodeOf(error: unknown): string | undefined {
  return (error as { errcode?: string } | null)?.errcode;
}

/** Whether the server did not answer at all. */
export function isUnreachable(error: unknown): boolean {
  const { name, message = "" } = (error ?? {}) as { name?: string; message?: string };
  return name === "ConnectionError" || (name === "TypeError" && /fetch|network|load/i.test(message));
}

/** A refusal as the server put it, for people. */
export function reasonOf(error: unknown): string {
  const told = (error as { data?: { error?: string } } | null)?.data?.error;
  if (told) return told;
  return error instanceof Error ? error.message : String(error);
}
