// One HTTP request to the gateway as a campaign needs it: an answer, or the fact that there was none; sockets kept
// alive, and a reset (RST) in the middle when the campaign wants one: a plain close does not cancel a Worker, a reset
// does.

import http from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Undefined: the connection broke before the answer was complete. */
export type Outcome = Answer | undefined;

export interface Ask {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Resets the connection this many milliseconds after the request went out. */
  readonly resetAfterMs?: number | undefined;
}

export type AskFunction = (path: string, ask?: Ask) => Promise<Outcome>;

const LONGEST_MS = 40_000;

/** Sends requests to a loopback port. `close` ends the idle sockets. */
export function requestsTo(port: number): { readonly ask: AskFunction; close(): void } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 500 });
  return {
    ask: (path, ask = {}) => request(agent, port, path, ask),
    close: () => agent.destroy(),
  };
}

function request(agent: http.Agent, port: number, path: string, ask: Ask): Promise<Outcome> {
  const { method = "GET", headers = {}, body, resetAfterMs } = ask;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve) => {
    const outgoing = http.request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers: { ...headers, ...length },
        // A reset must not hit a connection that carried other answers before.
        agent: resetAfterMs === undefined ? agent : false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", () => resolve(undefined));
        response.once("close", () => {
          const answer = { status: response.statusCode ?? 0, headers: response.headers };
          const text = Buffer.concat(chunks).toString("utf8");
          resolve(response.complete ? { ...answer, body: text } : undefined);
        });
      },
    );
    outgoing.setTimeout(LONGEST_MS, () => outgoing.destroy());
    outgoing.once("error", () => resolve(undefined));
    outgoing.end(body);
    if (resetAfterMs !== undefined) {
      outgoing.once("finish", () => setTimeout(() => outgoing.socket?.resetAndDestroy(), resetAfterMs));
    }
  });
}
