// `npm run bench`: what the gateway costs on calls that are not paid and, apart, on paid ones, beside the least a
// Worker can do (passthrough.js) and the field's library for Workers in front of that, on the same runtime, in the same
// run, in alternating rounds; and what its pages cost. Prints tables; asserts nothing, for machines differ. Flags:
// --only calls, pages or paid --seconds 1 (per measurement) --rounds 20 --connections 16 --method resources/list
// (tools/list is the one method whose answer the gateway reads, for the policy).

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createAgent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import { temporaryFolder } from "../support/leftovers.ts";
import { buildWorker, type Build, freePort, type Gateway, startGateway } from "../support/workerd.ts";
import { measure, median, type Target } from "./measure.ts";
import { measurePaidCalls } from "./paid.ts";
import { measurePages } from "./pages.ts";
import { renderOverhead, renderTable, type Row } from "./report.ts";

interface Load {
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  /** The JSON-RPC method of the load. */
  readonly method: string;
  /** The one part to measure; undefined for all. */
  readonly only: string | undefined;
}

const PARTS: readonly string[] = ["calls", "pages", "paid"];
// A made-up key: nothing that the bench stores outlives it.
const SECRETS = {
  SEALING_KEYS: `k1:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`,
  ADMIN_TOKEN: crypto.randomUUID(),
  GONG_CLIENT_ID: "bench",
  GONG_CLIENT_SECRET: crypto.randomUUID(),
};
/** The field's library in front of the same passthrough. */
const LIBRARY = fileURLToPath(new URL("../conformance/oracle/wrangler.toml", import.meta.url));
// The memory that production gives an isolate; more would only move V8's pauses around.
const V8_FLAGS = ["--max-heap-size=128"];

const load = readLoad();
if (existsSync("/proc/self/stat")) await bench(load);
else {
  console.error("npm run bench reads CPU times from /proc, which only Linux has.");
  process.exitCode = 1;
}

async function bench(load: Load): Promise<void> {
  const build = await buildWorker();
  console.log(`Bundle: ${kilobytes(build.bytes)}, ${kilobytes(build.gzipBytes)} gzipped`);
  const upstream = await startUpstream();
  const gateways: Gateway[] = [];
  try {
    const start = async (what: Build, settings: Record<string, string>): Promise<Gateway> => {
      const gateway = await startGateway({ build: what, settings, v8Flags: V8_FLAGS });
      gateways.push(gateway);
      return gateway;
    };
    const settings = { ...SECRETS, GONG_MCP_URL: upstream.mcpUrl };
    const isWanted = (part: string): boolean => load.only === undefined || load.only === part;
    const warmGateway = (): Promise<Gateway> => start(build, { ...settings, ACCESS_CACHE_SECONDS: "60" });
    if (isWanted("pages")) {
      const bare = await start(plainBuild(build, "page.js"), {});
      console.log(`\n${await measurePages(await warmGateway(), bare, SECRETS.ADMIN_TOKEN)}`);
    }
    if (!isWanted("calls") && !isWanted("paid")) return;
    const passthrough = { UPSTREAM: upstream.mcpUrl, AUTHORIZATION: "Bearer upstream-access-token" };
    const floor = await start(plainBuild(build, "passthrough.js"), passthrough);
    const bare = target("passthrough", floor, "Bearer agent-access-token");
    const warm = await warmGateway();
    const paying = target("gateway, warm", warm, await signIn(warm));
    if (isWanted("calls")) {
      const cold = await start(build, { ...settings, ACCESS_CACHE_SECONDS: "0" });
      const library = await start(await buildWorker(LIBRARY), passthrough);
      const targets = [
        bare,
        paying,
        target("gateway, cold", cold, await signIn(cold)),
        target("library", library, await signIn(library)),
      ];
      const rows = await alternate(targets, load, upstream.child);
      console.log(`\n${renderTable(rows, bare.name)}\n`);
      console.log(`${renderOverhead(rows, bare.name, paying.name, "library")}\n${footnote(load, rows)}`);
    }
    const fresh = async (): Promise<Target> => {
      const gateway = await warmGateway();
      return target("gateway, fresh", gateway, await signIn(gateway));
    };
    if (isWanted("paid")) console.log(`\n${await measurePaidCalls(bare, paying, fresh)}`);
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    upstream.child.kill();
  }
}

/**
 * Measures every target once a round, in turning order, and keeps the half of the rounds in which the machine was least
 * disturbed by others.
 */
async function alternate(
  targets: readonly Target[],
  load: Load,
  upstream: ChildProcess,
): Promise<readonly Row[]> {
  const helpers = upstream.pid === undefined ? [] : [upstream.pid];
  for (const each of targets) await measure(each, { ...load, seconds: 3 }, helpers);
  const rounds: Row[][] = [];
  for (let round = 0; round < load.rounds; round += 1) {
    const order = round % 2 === 0 ? targets : targets.toReversed();
    const measured: Row[] = [];
    for (const each of order) {
      measured.push({ target: each.name, round, measurement: await measure(each, load, helpers) });
    }
    // Kept in the order of `targets`, which is the order of the table.
    rounds.push(measured.toSorted((one, other) => position(targets, one) - position(targets, other)));
  }
  const calmFirst = rounds.toSorted((one, other) => foreignCores(one) - foreignCores(other));
  return calmFirst.slice(0, Math.ceil(rounds.length / 2)).flat();
}

function foreignCores(round: readonly Row[]): number {
  return Math.max(...round.map((row) => row.measurement.foreignCores));
}

function position(targets: readonly Target[], row: Row): number {
  return targets.findIndex((each) => each.name === row.target);
}

/** The whole sign-in through the gateway, as an agent does it. Returns its Authorization header. */
async function signIn(gateway: Gateway): Promise<string> {
  const agent = createAgent({ mcpUrl: `${gateway.origin}/mcp`, person: createPerson(), name: "Bench" });
  await agent.signIn();
  return `Bearer ${agent.tokens?.access_token}`;
}

function target(name: string, gateway: Gateway, authorization: string): Target {
  if (gateway.pid === undefined) throw new Error(`${name} has ended: ${gateway.logs().join("\n")}`);
  return { name, mcpUrl: `http://127.0.0.1:${gateway.port}/mcp`, pid: gateway.pid, authorization };
}

/** A Worker of this folder that needs nothing built. */
function plainBuild(build: Build, module: string): Build {
  const folder = temporaryFolder("floor");
  copyFileSync(fileURLToPath(new URL(module, import.meta.url)), path.join(folder, module));
  return { ...build, folder, module, objects: [], rateLimiters: [], vars: {} };
}

async function startUpstream(): Promise<{ readonly child: ChildProcess; readonly mcpUrl: string }> {
  const port = await freePort();
  const child = fork(fileURLToPath(new URL("upstream.ts", import.meta.url)), [String(port)]);
  await once(child, "message");
  return { child, mcpUrl: `http://127.0.0.1:${port}/mcp` };
}

function readLoad(): Load {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "1" },
      rounds: { type: "string", default: "20" },
      connections: { type: "string", default: "16" },
      method: { type: "string", default: "resources/list" },
      only: { type: "string" },
    },
  });
  const whole = (name: "seconds" | "rounds" | "connections"): number => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1`);
    return number;
  };
  const { method, only } = values;
  if (only !== undefined && !PARTS.includes(only))
    throw new Error(`--only must be one of ${PARTS.join(", ")}`);
  return {
    seconds: whole("seconds"),
    rounds: whole("rounds"),
    connections: whole("connections"),
    method,
    only,
  };
}

function footnote({ seconds, rounds, connections, method }: Load, rows: readonly Row[]): string {
  const foreign = median(rows.map((row) => row.measurement.foreignCores)).toFixed(2);
  return [
    `Medians of the calmer half of ${rounds} rounds of ${seconds} s over ${connections} connections; in parentheses the ratio to the`,
    `passthrough of the same round. ${method}, 977 bytes of JSON. Warm: the access token is in the isolate's cache. Cold: ACCESS_CACHE_SECONDS=0.`,
    "Library: @cloudflare/workers-oauth-provider, with a key-value store in memory that costs it next to nothing.",
    `Meanwhile other processes used ${foreign} of ${availableParallelism()} cores.`,
  ].join("\n");
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
