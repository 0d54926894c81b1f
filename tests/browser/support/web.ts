import { createServer, type Server } from "node:http";
import { once } from "node:events";

/** One pixel, moving nowhere. */
const PIXEL = Buffer.from("R0lGODlhAgADAIAAAP8AAP///yH5BAAAAAAALAAAAAACAAMAAAIChF8AOw==", "base64");

/** Servers of others, on this machine: a page that links lead to, and a provider of GIFs. */
export class Web {
  readonly address: string;
  /** The paths that were asked for. */
  readonly asked: string[];
  #server: Server;

  private constructor(server: Server, address: string, asked: string[]) {
    this.#server = server;
    this.address = address;
    this.asked = asked;
  }

  static async start(port = 0): Promise<Web> {
    const asked: string[] = [];
    let address = "";
    const server = createServer((request, response) => {
      const url = request.url ?? "";
      asked.push(url);
      if (url === "/kettle") {
        response.setHeader("content-type", "text/html");
        response.end(`<title>Kettles</title><meta property="og:title" content="All about kettles">
          <meta property="og:description" content="They boil water."><meta property="og:site_name" content="Tea Times">`);
      } else if (url.startsWith("/v1/gifs/")) {
        const words = new URL(url, address).searchParams.get("q") ?? "trending";
        const picture = { url: `${address}/cat.gif`, width: "200", height: "150" };
        response.setHeader("content-type", "application/json");
        response.end(
          JSON.stringify({
            data: [1, 2, 3, 4].map((n) => ({
              id: `${words}-${n}`,
              title: `A ${words}, number ${n}`,
              images: { fixed_width: picture, original: picture },
            })),
            pagination: { total_count: 4, count: 4, offset: 0 },
          }),
        );
      } else if (url === "/cat.gif") {
        response.setHeader("content-type", "image/gif");
        response.end(PIXEL);
      } else {
        response.statusCode = 404;
        response.end();
      }
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    if (bound === null || typeof bound === "string") throw new Error("a socket has a port");
    address = `http://127.0.0.1:${bound.port}`;
    return new Web(server, address, asked);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
