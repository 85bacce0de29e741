// Ports of 127.0.0.1 for servers that are started, ended and started again while other test files do the same. Called
// through workerd.ts.

import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that systems give to whoever asks for any, above those that browsers refuse (Fetch, "bad port"). */
const FIRST = 11_000;
const END = 32_000;

const given = new Set<number>();

/**
 * Finds a port that nobody listens on, and that stays its caller's while nobody does: it is given once in this process,
 * to no other file of the same run of vitest that runs meanwhile, and by no system to somebody who asks for any.
 */
export async function freePort(): Promise<number> {
  const files = 2;
  const file = Number(process.env["VITEST_POOL_ID"] ?? 0) % files;
  for (;;) {
    const port = randomInt(FIRST / files, END / files) * files + file;
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (listening) await new Promise((resolve) => server.close(resolve));
  return listening;
}
