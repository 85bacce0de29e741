// The gateway's process in a local run: `wrangler dev`, which is what anybody would run, with its output in a file.
// Called by start.ts. wrangler starts processes of its own, so it is started, signalled and killed as a group.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { QUIET_WRANGLER, REPOSITORY, WRANGLER } from "../support/tools.ts";
import { Mistake } from "./mistake.ts";
import type { Settings } from "./secrets.ts";

export const STATE = path.join(REPOSITORY, ".state");
export const LOG = path.join(STATE, "gateway.log");

export interface WorkerProcess {
  /** Resolves when /health answers. Rejects with a Mistake when it never does. */
  readonly ready: Promise<void>;
  /** Resolves when the process ends by itself. */
  readonly ended: Promise<void>;
  /** Ends the process and all that it started: SIGTERM, after 5 s SIGKILL. */
  stop(): Promise<void>;
  /** SIGKILL at once, for when this process itself ends now. */
  killNow(): void;
}

/**
 * Starts the Worker on 127.0.0.1 with these vars over those of wrangler.toml and .dev.vars. Secrets are not among them:
 * wrangler reads those from .dev.vars, and a command line is visible to everybody on the machine.
 */
export function startWorker(port: number, vars: Settings): WorkerProcess {
  mkdirSync(STATE, { recursive: true });
  const log = openSync(LOG, "w", 0o600);
  const child = spawn(process.execPath, [WRANGLER, ...wranglerArguments(port, vars)], {
    cwd: REPOSITORY,
    env: { ...process.env, ...QUIET_WRANGLER },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    ready: healthy(port, child),
    ended,
    async stop() {
      signalGroup(child, "SIGTERM");
      await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
      // What wrangler started and left behind, or wrangler itself when it hangs.
      signalGroup(child, "SIGKILL");
      await ended;
    },
    killNow: () => signalGroup(child, "SIGKILL"),
  };
}

function wranglerArguments(port: number, vars: Settings): readonly string[] {
  const settings = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const address = ["--ip", "127.0.0.1", "--port", String(port)];
  const quiet = ["--show-interactive-dev-session=false", "--log-level", "log"];
  return ["dev", "--local", ...address, "--persist-to", STATE, ...quiet, ...settings];
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the whole group is gone already, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function healthy(port: number, child: ChildProcess): Promise<void> {
  const health = `http://127.0.0.1:${port}/health`;
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    const response = await fetch(health, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (response?.ok === true) return;
    if (response !== undefined) throw new Mistake(`The gateway is not healthy: ${await response.text()}`);
    await sleep(100);
  }
  throw new Mistake(
    `The gateway did not start. The end of ${path.relative(REPOSITORY, LOG)} says:\n${lastLines()}`,
  );
}

function lastLines(): string {
  return readFileSync(LOG, "utf8").trimEnd().split("\n").slice(-15).join("\n");
}
