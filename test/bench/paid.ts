// What a paid call costs beside Gong's own time: the way through the connection's object and the company's policy, call
// by call beside the passthrough, and the memory of a thousand callers who wait. Called by run.ts. Memory is read from
// /proc: Linux.

import { readFileSync } from "node:fs";
import http from "node:http";
import { median, type Target } from "./measure.ts";
import { SLOW_ANSWER_MS, SLOW_MARK } from "./upstream-marks.ts";

const CALLS = 300;
const WAITING = 1000;

/** Measures both and returns what to print. `fresh` starts a gateway whose memory nothing has grown yet. */
export async function measurePaidCalls(
  floor: Target,
  gateway: Target,
  fresh: () => Promise<Target>,
): Promise<string> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 * WAITING });
  const through: number[] = [];
  const beside: number[] = [];
  // The first ones open connections and warm the code. In turns, so that what slows the machine down slows both.
  for (let call = -20; call < CALLS; call += 1) {
    const [bare, paid] = [await ask(floor, agent, `bare ${call}`), await ask(gateway, agent, `paid ${call}`)];
    if (call < 0) continue;
    beside.push(bare);
    through.push(paid);
  }
  const [bareMs, paidMs] = [median(beside), median(through)];
  const lines = [
    `Paid calls, one after another: ${paidMs.toFixed(2)} ms, ${(paidMs / bareMs).toFixed(1)}× the passthrough's ${bareMs.toFixed(2)} ms ` +
      `(medians of ${CALLS}; Gong takes 12 s and more).`,
  ];
  for (const same of [true, false]) {
    const megabytes = await memoryOfWaiting(await fresh(), agent, same);
    lines.push(
      `${WAITING} callers waiting for ${same ? "one and the same answer" : "answers of their own"}: ${megabytes.toFixed(0)} MB more.`,
    );
  }
  agent.destroy();
  return lines.join("\n");
}

/** Resident memory while everybody waits, less what it was before. */
async function memoryOfWaiting(gateway: Target, agent: http.Agent, same: boolean): Promise<number> {
  const before = residentMegabytes(gateway.pid);
  const name = `${SLOW_MARK} ${same ? "same" : "other"}`;
  const calls = Array.from({ length: WAITING }, (_, at) =>
    ask(gateway, agent, same ? name : `${name} ${at}`),
  );
  await new Promise((resolve) => setTimeout(resolve, SLOW_ANSWER_MS / 2));
  const during = residentMegabytes(gateway.pid);
  await Promise.all(calls);
  return during - before;
}

/** proc(5), /proc/pid/status: VmRSS is in kB. */
function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** One `tools/call`; resolves with its milliseconds to the last byte. */
function ask(target: Target, agent: http.Agent, question: string): Promise<number> {
  const sent = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(target.mcpUrl, {
      method: "POST",
      agent,
      headers: {
        authorization: target.authorization,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
      },
    });
    request.once("error", reject);
    request.once("response", (response) => {
      response.resume();
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - sent);
        else reject(new Error(`${target.name}: ${response.statusCode} to a paid call`));
      });
    });
    const params = { name: "ask_account", arguments: { crmAccount: "Globex", question } };
    request.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }));
  });
}
