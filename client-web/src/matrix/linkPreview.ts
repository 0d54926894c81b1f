// What links lead to, as the server sees it.

import type { MatrixClient } from "matrix-js-sdk";
import { useEffect, useState } from "react";

import { authedFetch } from "./client";
import { useClient } from "./MatrixProvider";
import { unlessOver } from "./unlessOver";

/** What is at an address. */
export interface LinkPreview {
  readonly title: string;
  readonly text: string;
  readonly site: string;
  /** `mxc://…`, or null. */
  readonly image: string | null;
}

/** `null`: there is nothing to show. */
type Known = LinkPreview | null;

const known = new Map<string, Known>();
const asked = new Map<string, Promise<Known>>();
const KEPT = 300;

/** The first address in a text that leads to a page. What stands in code is no link. */
export function firstLink(body: string): string | null {
  const text = body.replace(/```[\s\S]*?(?:```|$)/g, " ").replace(/`[^`\n]*`/g, " ");
  for (const [found] of text.matchAll(/https?:\/\/[^\s<>"'`]+/gi)) {
    let address = found.replace(/[.,;:!?…]+$/, "");
    // A bracket that was opened before the address ends after it.
    while (address.endsWith(")") && address.split(")").length > address.split("(").length)
      address = address.slice(0, -1);
    try {
      const url = new URL(address);
      if (url.hostname === "matrix.to" || url.origin === location.origin) continue;
      return url.href;
    } catch {
      continue;
    }
  }
  return null;
}

/** Reads what the server says. */
export function readPreview(answer: unknown): Known {
  const told = (typeof answer === "object" && answer !== null ? answer : {}) as Record<string, unknown>;
  const text = (key: string) => {
    const value = told[key];
    return typeof value === "string" ? value.trim() : "";
  };
  const image = text("og:image");
  const preview = {
    title: text("og:title"),
    text: text("og:description"),
    site: text("og:site_name"),
    image: image.startsWith("mxc://") ? image : null,
  };
  return preview.title || preview.text || preview.image ? preview : null;
}

function ask(client: MatrixClient, url: string): Promise<Known> {
  let asking = asked.get(url);
  if (!asking) {
    const path = `/_matrix/client/v1/media/preview_url?${new URLSearchParams({ url }).toString()}`;
    asking = authedFetch(client, path)
      .then(async (answer) => (answer.ok ? readPreview(await answer.json()) : null))
      .catch(() => null)
      .then((preview) => {
        known.set(url, preview);
        asked.delete(url);
        if (known.size > KEPT) known.delete(known.keys().next().value!);
        return preview;
      });
    asked.set(url, asking);
  }
  return asking;
}

/** What is at an address: undefined while it is asked for, null if there is nothing to show. */
export function useLinkPreview(url: string): Known | undefined {
  const client = useClient();
  const [told, setTold] = useState<{ readonly url: string; readonly preview: Known } | null>(null);
  useEffect(() => {
    if (known.has(url)) return;
    return unlessOver(ask(client, url), (preview) => setTold({ url, preview }));
  }, [client, url]);
  if (known.has(url)) return known.get(url);
  return told?.url === url ? told.preview : undefined;
}
