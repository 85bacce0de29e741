// `npm start`: starts the stand-in Gong and the gateway, shows the main job, and serves until it is told to stop.
// Called by main.mjs, which has checked that the tools are there.

import { parseArgs } from "node:util";
import path from "node:path";
import { REPOSITORY } from "../support/tools.ts";
import { showMainJob } from "./demo.ts";
import { Mistake } from "./mistake.ts";
import { assertFree, readPorts, type Ports } from "./ports.ts";
import { assertUsable, readSecrets, type Settings } from "./secrets.ts";
import { startGong, type LocalGong } from "./gong.ts";
import { LOG, startWorker, type WorkerProcess } from "./worker.ts";

const RELATIVE_LOG = path.relative(REPOSITORY, LOG);

/**
 * Runs until SIGINT, SIGTERM or SIGHUP, then ends everything it started. A Mistake becomes one sentence on standard
 * error and exit code 1.
 */
export async function start(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const parts: Parts = { stopping: false };
  const stopped = stopOnSignal();
  process.once("exit", () => parts.worker?.killNow());
  let serving: Promise<void> | undefined;
  try {
    const { demo } = readFlags(args);
    const ports = readPorts(environment);
    await assertFree(ports);
    serving = serve(ports, demo, parts);
    const signal = await Promise.race([serving, stopped]);
    if (signal !== undefined) console.log(`\n${signal}: stopping.`);
  } catch (error) {
    process.exitCode = 1;
    console.error(error instanceof Mistake ? error.message : error);
  } finally {
    parts.stopping = true;
    await parts.worker?.stop();
    // Whatever it was in the middle of has lost its gateway, and fails; only what it started matters now.
    await Promise.allSettled([serving]);
    await parts.gong?.stop();
  }
}

/** What runs, for whoever ends it. */
interface Parts {
  gong?: LocalGong;
  worker?: WorkerProcess;
  stopping: boolean;
}

/** Starts everything, shows the main job unless `demo` is false, and waits until the gateway ends. */
async function serve(ports: Ports, demo: boolean, parts: Parts): Promise<void> {
  const print = (line: string): void => console.log(line);
  const publicUrl = `http://localhost:${ports.gateway}`;
  const { secrets, made } = readSecrets();
  if (made.length > 0) print(`Made local secrets in .dev.vars: ${made.join(", ")}.`);
  parts.gong = await startGong(ports, publicUrl, secrets);
  if (parts.gong.notice !== undefined) print(parts.gong.notice);
  const vars: Settings = { PUBLIC_URL: publicUrl, ...parts.gong.vars };
  assertUsable({ ...secrets, ...vars });
  if (parts.stopping) return;
  parts.worker = startWorker(ports.gateway, vars);
  await parts.worker.ready;
  print(`The gateway serves at ${publicUrl}, a stand-in for Gong at ${parts.gong.mcpOrigin}.\n`);
  if (demo) await showMainJob(publicUrl, print);
  print(nextSteps(publicUrl));
  await parts.worker.ended;
  if (!parts.stopping) throw new Mistake(`The gateway ended by itself. ${RELATIVE_LOG} says why.`);
}

function readFlags(args: readonly string[]): { readonly demo: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { "no-demo": { type: "boolean", default: false } },
    });
    return { demo: !values["no-demo"] };
  } catch {
    throw new Mistake("npm start takes one option: `npm start -- --no-demo` only serves.");
  }
}

function stopOnSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => {
        resolve(signal);
        // A second one does not wait for anything.
        process.once(signal, () => process.exit(1));
      });
    }
  });
}

function nextSteps(publicUrl: string): string {
  const mcpUrl = `${publicUrl}/mcp`;
  return `Your turn; everything keeps running until Ctrl-C.
  Open         ${publicUrl}/
  Claude Code  claude mcp add --transport http gong ${mcpUrl}
               claude mcp login gong
  Codex        codex mcp add gong --url ${mcpUrl}
  mcp-remote   npx mcp-remote ${mcpUrl}
  Admin        ${publicUrl}/admin, with the ADMIN_TOKEN in .dev.vars
  Logs         ${RELATIVE_LOG}
Signed-in agents and Gong's tokens are kept in .state; delete it to start afresh.`;
}
