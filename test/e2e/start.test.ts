// `npm start` as a person runs it, in a fresh copy of the repository: the main job is shown, the state is kept, Ctrl-C
// ends everything, and each mistake gets one sentence and exit code 1.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { tokenRequests } from "../gong/ledger-questions.ts";
import { type Agent, createAgent } from "../support/agent.ts";
import { gongAt } from "../support/gong.ts";
import { temporaryFolder } from "../support/leftovers.ts";
import { createPerson } from "../support/person.ts";
import { REPOSITORY } from "../support/tools.ts";
import { freePort } from "../support/workerd.ts";
import { ASK } from "./story.ts";

const PARTS = [
  "package.json",
  "tsconfig.json",
  "wrangler.toml",
  "src",
  "test/gong",
  "test/start",
  "test/support",
];

interface Run {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Resolves with the exit code, or null for a signal. */
  readonly ended: Promise<number | null>;
}

let repository: string;
let ports: Readonly<Record<string, string>>;
const runs: Run[] = [];

beforeAll(async () => {
  repository = copyRepository();
  symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(repository, "node_modules"));
  const names = ["PORT", "GONG_MCP_PORT", "GONG_APP_PORT", "GONG_CONTROL_PORT"];
  const free = await Promise.all(names.map(() => freePort()));
  ports = Object.fromEntries(names.map((name, at) => [name, String(free[at])]));
});

afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.child.kill("SIGTERM");
    await run.ended;
  }
});

function copyRepository(): string {
  const folder = temporaryFolder("start");
  for (const part of PARTS) {
    mkdirSync(path.dirname(path.join(folder, part)), { recursive: true });
    cpSync(path.join(REPOSITORY, part), path.join(folder, part), { recursive: true });
  }
  return folder;
}

function npmStart(folder: string, ...flags: string[]): Run {
  const main = path.join(folder, "test/start/main.mjs");
  const child = spawn(process.execPath, [main, ...flags], { env: { ...process.env, ...ports } });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += String(chunk)));
  const ended = once(child, "close").then(([code]) => code as number | null);
  const run = { child, output: () => printed, ended };
  runs.push(run);
  return run;
}

async function serving(run: Run): Promise<void> {
  let ended = false;
  void run.ended.then(() => (ended = true));
  await expect.poll(() => ended || run.output().includes("Your turn"), { timeout: 90_000 }).toBe(true);
  expect(run.output()).toContain("Your turn");
}

function agentOf(person: string): Agent {
  const mcpUrl = `http://localhost:${ports["PORT"]}/mcp`;
  return createAgent({ mcpUrl, person: createPerson(), choices: { fields: { person } } });
}

/** Connects, signing in only if it has to, and returns the text of Gong's answer. */
async function askOnce(agent: Agent): Promise<string> {
  const client = await agent.connect();
  try {
    return JSON.stringify(await client.callTool(ASK));
  } finally {
    await client.close();
  }
}

/** Of every process that this user may see: from /proc where there is one, else from ps. */
function commandLines(): string {
  if (!existsSync("/proc/self/cmdline")) {
    return spawnSync("ps", ["-A", "-ww", "-o", "args="], { encoding: "utf8" }).stdout;
  }
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return processes.map(commandLine).join("\n");
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    // It ended since the folder was listed.
    return "";
  }
}

async function listening(port: string | undefined): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}

describe(verifies("operations.npm_start", "npm start"), () => {
  it("shows the main job from discovery to Gong's answer, then serves, and Ctrl-C ends all it started", async () => {
    const run = npmStart(repository);
    await serving(run);
    const steps = [
      "discovery",
      "registration",
      "consent",
      "Gong",
      "callback",
      "token",
      "tools/list",
      "tools/call",
    ];
    const positions = steps.map((step) => run.output().indexOf(`\u2714 ${step}`));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual(positions.toSorted((one, other) => one - other));
    expect(run.output()).toContain("CANARY-ada");
    expect(await Promise.all(Object.values(ports).map(listening))).toEqual([true, true, true, true]);

    run.child.kill("SIGINT");
    expect(await run.ended).toBe(0);
    expect(await Promise.all(Object.values(ports).map(listening))).toEqual([false, false, false, false]);
  });

  it("keeps every agent signed in over Ctrl-C and a new start, at the gateway and at the stand-in; --no-demo only serves", async () => {
    const first = npmStart(repository, "--no-demo");
    await serving(first);
    expect(first.output()).not.toContain("\u2714");
    const agent = agentOf("grace");
    expect(await askOnce(agent)).toContain("CANARY-grace");
    const before = agent.tokens?.access_token;
    first.child.kill("SIGINT");
    expect(await first.ended).toBe(0);

    await serving(npmStart(repository, "--no-demo"));
    expect(await askOnce(agent)).toContain("CANARY-grace");
    expect(agent.tokens?.access_token).toBe(before);
    // The stand-in's ledger begins anew with each start: whoever had signed in again would be in it.
    const ledger = await gongAt(`http://127.0.0.1:${ports["GONG_CONTROL_PORT"]}`).ledger();
    expect(ledger.some(({ kind }) => kind === "tool_call")).toBe(true);
    expect(tokenRequests(ledger, "authorization_code")).toBe(0);
  });

  it("says in one sentence that the stand-in's memory is broken, and starts without it", async () => {
    writeFileSync(path.join(repository, ".state/gong.v8"), "broken");
    const run = npmStart(repository, "--no-demo");
    await serving(run);
    expect(run.output()).toMatch(
      /^\.state\/gong\.v8, .* cannot be read: it starts afresh, and agents sign in again\.$/m,
    );
    expect(await askOnce(agentOf("grace"))).toContain("CANARY-grace");
  });

  it("passes no secret on a command line", async () => {
    await serving(npmStart(repository, "--no-demo"));
    const secrets = Object.values(parseEnv(readFileSync(path.join(repository, ".dev.vars"), "utf8")));
    expect(secrets.length).toBeGreaterThanOrEqual(4);
    const shown = commandLines();
    expect(shown).toContain(`PUBLIC_URL:http://localhost:${ports["PORT"]}`);
    expect(secrets.filter((secret) => shown.includes(secret ?? ""))).toEqual([]);
  });

  it("makes secrets once, for this machine's eyes only, and git ignores them", async () => {
    const first = npmStart(repository, "--no-demo");
    await serving(first);
    const made = readFileSync(path.join(repository, ".dev.vars"), "utf8");
    expect(made).toMatch(/^SEALING_KEYS="k1:[\w-]{43}"$/m);
    first.child.kill("SIGTERM");
    await first.ended;
    await serving(npmStart(repository, "--no-demo"));
    expect(readFileSync(path.join(repository, ".dev.vars"), "utf8")).toBe(made);
    const ignored = readFileSync(path.join(REPOSITORY, ".gitignore"), "utf8").split("\n");
    expect(ignored).toEqual(expect.arrayContaining([".dev.vars", ".state/"]));
  });

  it("says in one sentence that a port is taken", async () => {
    const taken = createServer().listen(Number(ports["PORT"]), "127.0.0.1");
    await once(taken, "listening");
    const run = npmStart(repository);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^Port \d+ is taken\. Stop what listens there, .*: PORT=\d+ npm start\n$/);
    await new Promise((resolve) => taken.close(resolve));
  });

  it("says in one sentence which secret is broken, and never its value", async () => {
    const broken = copyRepository();
    symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(broken, "node_modules"));
    writeFileSync(path.join(broken, ".dev.vars"), `SEALING_KEYS="k1:broken-secret"\n`);
    const run = npmStart(broken);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/settings cannot be used: SEALING_KEYS .* \.dev\.vars/);
    expect(run.output()).not.toContain("broken-secret");
    expect(run.output()).not.toContain("    at ");
  });

  it("says in one sentence that npm ci is missing", async () => {
    const bare = copyRepository();
    const run = npmStart(bare);
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe("The tools are not installed. Run `npm ci` first, then `npm start`.\n");
    expect(existsSync(path.join(bare, ".dev.vars"))).toBe(false);
  });
});
