// Runs the built Worker in workerd alone (no wrangler, no Miniflare) behind a real socket, so that a test can restart
// it, kill it and read its disk. Used by test/e2e, test/bench and the crash campaigns.
// The platform's rate limiter has no form in workerd alone: here it lets everything pass.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Build } from "./build.ts";
import { freePort } from "./free-port.ts";
import { endWithThisProcess, temporaryFolder } from "./leftovers.ts";

export { type Build, buildWorker } from "./build.ts";
export { freePort } from "./free-port.ts";

/** How to run a Worker. */
export interface GatewayOptions {
  readonly build: Build;
  /** Settings of src/config.ts, secrets among them. They go over the vars of wrangler.toml; PUBLIC_URL is filled in. */
  readonly settings: Readonly<Record<string, string>>;
  /** Default: a free one. Kept over restarts. */
  readonly port?: number;
  /** Where the objects' databases are kept. Default: a temporary folder that `stop` removes. */
  readonly stateDir?: string;
  /** For example `["--max-heap-size=128"]`, the memory that production gives an isolate. */
  readonly v8Flags?: readonly string[];
  /**
   * `<host>:<port>` of an HTTP proxy that takes every request the Worker makes. Default: none, they go where they say.
   */
  readonly outbound?: string;
}

/** A Worker that is listening. */
export interface Gateway {
  /** `http://localhost:<port>`: browsers treat it as secure, so `__Host-` cookies work. */
  readonly origin: string;
  readonly port: number;
  readonly stateDir: string;
  /** The process that runs now; undefined while there is none. */
  readonly pid: number | undefined;
  /** Ends the process (SIGTERM, after 5 s SIGKILL) and removes the state if it was in a temporary folder. */
  stop(): Promise<void>;
  /** SIGKILL: nothing in the Worker gets to finish. The state stays as it is on disk. */
  kill(): Promise<void>;
  /**
   * Ends the process if it still runs, and starts it again on the same port and state, with settings changed if given.
   */
  restart(changes?: Readonly<Record<string, string>>): Promise<void>;
  /** Everything written to standard output and error since the first start, line by line. */
  logs(): readonly string[];
}

/** Starts workerd on 127.0.0.1 and resolves when it listens; about 0.1 s. Throws with its output if it ends before. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const port = options.port ?? (await freePort());
  const stateDir = options.stateDir ?? temporaryFolder("state");
  const lines: string[] = [];
  let settings = { ...options.build.vars, PUBLIC_URL: `http://localhost:${port}`, ...options.settings };
  const start = (): Promise<ChildProcess> => run({ ...options, settings, port, stateDir }, lines);
  let child: ChildProcess | undefined = await start();

  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending !== undefined) await ended(ending, signal);
  };
  return {
    origin: `http://localhost:${port}`,
    port,
    stateDir,
    get pid() {
      return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
    },
    async stop() {
      await end("SIGTERM");
      if (options.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
    },
    kill: () => end("SIGKILL"),
    async restart(changes = {}) {
      await end("SIGTERM");
      settings = { ...settings, ...changes };
      child = await start();
    },
    logs: () => [...lines],
  };
}

type RunOptions = GatewayOptions & { readonly port: number; readonly stateDir: string };

async function run(options: RunOptions, lines: string[]): Promise<ChildProcess> {
  mkdirSync(options.stateDir, { recursive: true });
  // workerd embeds the module by a path relative to its configuration.
  const configPath = path.join(options.build.folder, `gateway-${options.port}.capnp`);
  writeFileSync(configPath, workerdConfig(options), { mode: 0o600 });
  const child = spawn(workerdBinary(), ["serve", "--experimental", "--control-fd=3", configPath], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  endWithThisProcess(child);
  const first = lines.length;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface(stream).on("line", (line) => lines.push(line));
  }
  try {
    await listening(child);
  } catch (error) {
    await ended(child, "SIGKILL");
    throw new Error(`workerd did not start:\n${lines.slice(first).join("\n")}`, { cause: error });
  }
  return child;
}

/** workerd reports on its control descriptor when the socket is bound. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("not listening after 10 s")), 10_000);
    child.stdio[3]?.once("data", () => {
      clearTimeout(timer);
      resolve();
    });
    child.once("error", reject);
    // "close" comes after the last line of output, which says why it ended.
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code ?? signal}`));
    });
  });
}

async function ended(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exit;
  clearTimeout(timer);
}

// workerd is wrangler's dependency, so the version is the one that wrangler deploys against.
function workerdBinary(): string {
  const wrangler = createRequire(import.meta.url).resolve("wrangler");
  const workerd = createRequire(wrangler)("workerd") as { default: string };
  return workerd.default;
}

const RATE_LIMITER = "export default () => ({ limit: async () => ({ success: true }) });";

/** Cap'n Proto text for `workerd serve`; the schema is workerd/workerd.capnp. */
function workerdConfig({ build, settings, port, stateDir, v8Flags = [], outbound }: RunOptions): string {
  const bindings = [
    ...Object.entries(settings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...build.rateLimiters.map(
      (name) => `(name = ${text(name)}, wrapped = (moduleName = "harness:rate-limiter"))`,
    ),
    ...build.objects.map(
      ({ binding, className }) => `(name = ${text(binding)}, durableObjectNamespace = ${text(className)})`,
    ),
  ];
  const namespaces = build.objects.map(
    ({ className }) =>
      `(className = ${text(className)}, uniqueKey = ${text(`gateway-${className}`)}, enableSql = true)`,
  );
  const storage =
    namespaces.length === 0
      ? ""
      : `durableObjectNamespaces = [${namespaces.join(", ")}], durableObjectStorage = (localDisk = "state"),`;
  // "private" so that upstreams on loopback can be reached.
  const internet =
    outbound === undefined
      ? `network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))`
      : `external = (address = ${text(outbound)}, http = (style = proxy))`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${v8Flags.map(text).join(", ")}],
  services = [
    (name = "gateway", worker = .gateway),
    (name = "internet", ${internet}),
    (name = "state", disk = (path = ${text(path.resolve(stateDir))}, writable = true)),
  ],
  extensions = [(modules = [(name = "harness:rate-limiter", internal = true, esModule = ${text(RATE_LIMITER)})])],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "gateway")],
);
const gateway :Workerd.Worker = (
  modules = [(name = ${text(build.module)}, esModule = embed ${text(build.module)})],
  compatibilityDate = ${text(build.compatibilityDate)},
  compatibilityFlags = [${build.compatibilityFlags.map(text).join(", ")}],
  bindings = [${bindings.join(", ")}],
  ${storage}
);
`;
}

// A JSON string is a Cap'n Proto string too, once everything beyond ASCII letters is an escape of its bytes.
function text(value: string): string {
  const bytes = [...Buffer.from(value, "utf8")];
  const escaped = bytes.map((byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`,
  );
  return `"${escaped.join("")}"`;
}
