// One measurement of one server: throughput and latency under load (autocannon), CPU time of its process, and the delay
// of the first SSE event on an idle machine. Called by run.ts. CPU times are read from /proc, so Linux only.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import autocannon from "autocannon";

/** A server under measurement. */
export interface Target {
  readonly name: string;
  readonly mcpUrl: string;
  readonly pid: number;
  readonly authorization: string;
}

export interface Measurement {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** User and system time of the server's process, per request. */
  readonly cpuMicroseconds: number;
  /** From sending the request to the first byte of the first event: median of `FIRST_EVENTS`. */
  readonly firstEventMs: number;
  /** Cores that processes other than the measured ones used meanwhile. */
  readonly foreignCores: number;
}

const FIRST_EVENTS = 40;
const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Loads `target` for `seconds` over `connections`. `helpers` are the processes whose CPU use is the bench's own. */
export async function measure(
  target: Target,
  load: { readonly seconds: number; readonly connections: number; readonly method: string },
  helpers: readonly number[],
): Promise<Measurement> {
  const firstEventMs = await medianFirstEvent(target);
  const own = [target.pid, ...helpers, process.pid];
  const before = { target: cpuSeconds([target.pid]), own: cpuSeconds(own), machine: machineSeconds() };
  const latencies: number[] = [];
  const run = autocannon({
    url: target.mcpUrl,
    connections: load.connections,
    duration: load.seconds,
    method: "POST",
    headers: requestHeaders(target),
    body: rpc(load.method),
  });
  void run.on("response", (_client, _status, _bytes, milliseconds) => latencies.push(milliseconds));
  const result = await run;
  if (result.errors > 0 || result.non2xx > 0 || latencies.length === 0) {
    throw new Error(
      `${target.name}: ${result.errors} errors, ${result.non2xx} answers other than 2xx under load`,
    );
  }
  const ownSeconds = cpuSeconds(own) - before.own;
  latencies.sort((one, other) => one - other);
  return {
    requestsPerSecond: latencies.length / result.duration,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? 0,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    cpuMicroseconds: ((cpuSeconds([target.pid]) - before.target) / latencies.length) * 1e6,
    firstEventMs,
    foreignCores: (machineSeconds() - before.machine - ownSeconds) / result.duration,
  };
}

/** Median of numbers; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? high) + high) / 2 : high;
}

async function medianFirstEvent(target: Target): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const delays: number[] = [];
  // The first ones open the connection and warm the code.
  for (let turn = 0; turn < FIRST_EVENTS + 5; turn += 1) delays.push(await firstEvent(target, agent));
  agent.destroy();
  return median(delays.slice(5));
}

function firstEvent(target: Target, agent: http.Agent): Promise<number> {
  const sent = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(target.mcpUrl, { method: "POST", agent, headers: requestHeaders(target) });
    request.once("error", reject);
    request.once("response", (response) => {
      let delay: number | undefined;
      response.on("data", () => (delay ??= performance.now() - sent));
      response.once("end", () => {
        if (response.statusCode === 200 && delay !== undefined) resolve(delay);
        else reject(new Error(`${target.name}: ${response.statusCode} instead of an event stream`));
      });
    });
    request.end(rpc("prompts/list"));
  });
}

function rpc(method: string): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: {} });
}

function requestHeaders(target: Target): Record<string, string> {
  return {
    // The name it knows itself by; the address is numeric, so that no name is looked up.
    host: new URL(target.mcpUrl).host.replace("127.0.0.1", "localhost"),
    authorization: target.authorization,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-06-18",
  };
}

/** Time on a processor of all threads of processes, in seconds (kernel, sched-stats: the first figure, nanoseconds). */
function cpuSeconds(pids: readonly number[]): number {
  const nanoseconds = pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      return Number(onCpu);
    }),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

/** Busy time of all cores, in seconds: user, nice, system, irq and softirq of /proc/stat. */
function machineSeconds(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8")
    .split(/\s+/)
    .map(Number);
  const ticks = [user, nice, system, irq, softirq].reduce<number>((sum, each) => sum + (each ?? 0), 0);
  return ticks / TICKS_PER_SECOND;
}
