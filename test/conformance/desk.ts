// Where the runner's commands (run-scenario.ts) hand in their scenarios: one at a time is played, in the referee's own
// process. Called by referee.ts.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";

const Task = z.object({
  scenario: z.string(),
  /** The MCP revision that the scenario runs at. */
  revision: z.string(),
  /** The MCP server that the scenario plays. */
  url: z.string(),
  context: z.looseObject({
    toolCalls: z
      .array(z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }))
      .optional(),
    client_id: z.string().optional(),
    client_secret: z.string().optional(),
  }),
});

/** One scenario, as the runner hands it to the client under test. */
export type Task = z.output<typeof Task>;

export interface Desk {
  /** What a command finds its desk by. */
  readonly environment: Readonly<Record<string, string>>;
  /** The scenarios whose client ended with an error, and the error. */
  readonly failures: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Serves a desk that lets `play` have one scenario after the other. A rejection ends the command with 1. */
export async function serveDesk(play: (task: Task) => Promise<void>): Promise<Desk> {
  const failures = new Map<string, string>();
  let last: Promise<unknown> = Promise.resolve();
  const take = async (task: Task): Promise<string | undefined> => {
    try {
      await play(task);
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      failures.set(task.scenario, reason);
      return reason;
    }
  };
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const task = await readTask(incoming);
    const turn = last.then(() => take(task));
    last = turn;
    const failure = await turn;
    outgoing.writeHead(failure === undefined ? 204 : 500).end(failure);
  };
  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    environment: { CONFORMANCE_DESK: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    failures,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readTask(incoming: IncomingMessage): Promise<Task> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Task.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
}

/** How an SDK client speaks the revision that a scenario runs at. */
export function eraOf({ revision }: Task): "legacy" | "auto" {
  return revision < "2026-07-28" ? "legacy" : "auto";
}
