// Builds the Worker that `wrangler deploy` would upload, once per process or once per run of vitest, without touching
// the network. Called by workerd.ts, by the bench, by tests that look at the bundle and by vitest before files that run
// it.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { gzipSync } from "node:zlib";
import { temporaryFolder } from "./leftovers.ts";
import { QUIET_WRANGLER, REPOSITORY, WRANGLER } from "./tools.ts";

/** A built Worker and what its wrangler.toml says about running it. */
export interface Build {
  /** The folder of the bundle, removed when this process ends. */
  readonly folder: string;
  /** File name of the one ES module in `folder`. */
  readonly module: string;
  /** Bytes of the module, and of its gzip at the level Cloudflare counts (RFC 1952). */
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly objects: readonly { readonly binding: string; readonly className: string }[];
  /** The bindings of rate limiters. */
  readonly rateLimiters: readonly string[];
  /** The plain settings of wrangler.toml, which a deployment starts from. */
  readonly vars: Readonly<Record<string, string>>;
}

const OWN_CONFIG = path.join(REPOSITORY, "wrangler.toml");
/** The build that the run's processes share, as JSON: set for those that vitest starts. */
const SHARED_BUILD = "GATEWAY_BUILD";

const builds = new Map<string, Promise<Build>>();

/** Builds the Worker once for all test files of a run. vitest calls it as a `globalSetup`. */
export async function setup(): Promise<void> {
  process.env[SHARED_BUILD] = JSON.stringify(await buildWorker());
}

/**
 * Bundles the Worker of a wrangler.toml (default: this repository's) with `wrangler deploy --dry-run`. A second call
 * in the same process or run of vitest returns the first one's result. Throws with wrangler's own words when the Worker
 * does not build.
 */
export function buildWorker(configPath = OWN_CONFIG): Promise<Build> {
  const shared = configPath === OWN_CONFIG ? process.env[SHARED_BUILD] : undefined;
  return shared === undefined ? buildOnce(configPath, []) : Promise.resolve(JSON.parse(shared) as Build);
}

/** The same for another entry point and other constants (`NAME:value`) than that wrangler.toml has. */
export function buildVariant(entry: string, defines: readonly string[]): Promise<Build> {
  const options = [entry, ...defines.flatMap((define) => ["--define", define])];
  return buildOnce(OWN_CONFIG, options);
}

function buildOnce(configPath: string, options: readonly string[]): Promise<Build> {
  const name = [configPath, ...options].join(" ");
  const build = builds.get(name) ?? bundle(configPath, options);
  builds.set(name, build);
  return build;
}

async function bundle(configPath: string, options: readonly string[]): Promise<Build> {
  const folder = temporaryFolder("build");
  // wrangler is a second's work to load, and only needed here.
  const [{ unstable_readConfig }] = await Promise.all([
    import("wrangler"),
    wranglerDryRun(configPath, folder, options),
  ]);
  const modules = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const [module] = modules;
  if (module === undefined || modules.length > 1) {
    throw new Error(`The build of ${configPath} must be one module, and is: ${modules.join(", ") || "none"}`);
  }
  const source = readFileSync(path.join(folder, module));
  const config = unstable_readConfig({ config: configPath }, { hideWarnings: true });
  if (config.compatibility_date === undefined) throw new Error(`${configPath} names no compatibility_date`);
  return {
    folder,
    module,
    bytes: source.byteLength,
    gzipBytes: gzipSync(source).byteLength,
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    objects: config.durable_objects.bindings.map((object: { name: string; class_name: string }) => ({
      binding: object.name,
      className: object.class_name,
    })),
    rateLimiters: config.ratelimits.map(({ name }: { name: string }) => name),
    vars: Object.fromEntries(Object.entries(config.vars).map(([name, value]) => [name, String(value)])),
  };
}

async function wranglerDryRun(configPath: string, folder: string, variant: readonly string[]): Promise<void> {
  const options = ["deploy", ...variant, "--dry-run", "--outdir", folder, "--config", configPath];
  try {
    await promisify(execFile)(process.execPath, [WRANGLER, ...options], {
      cwd: path.dirname(configPath),
      env: { ...process.env, ...QUIET_WRANGLER },
    });
  } catch (error) {
    const output = error as { stdout?: string; stderr?: string };
    const said = stripVTControlCharacters(`${output.stdout ?? ""}${output.stderr ?? ""}`);
    throw new Error(`The Worker does not build:\n${said.trim()}`, {
      cause: error,
    });
  }
}
