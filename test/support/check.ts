// `npm run check`: everything that can be said about the code without running it. One line a step; all steps run, and
// what failed is shown in full at the end. Called by people and by .ci/run.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { buildWorker } from "./build.ts";
import { QUIET_WRANGLER, REPOSITORY } from "./tools.ts";

/** What a person can hold in mind at once; app.ts is the table of contents. */
const MOST_LINES = 300;
const MOST_LINES_OF_APP = 80;
/** An upload of more is a library too many. Cloudflare counts gzipped bytes. */
const MOST_GZIP_BYTES = 189 * 1024;

interface Step {
  readonly name: string;
  /** Resolves with a remark for the step's line. Rejects with what is wrong, in words. */
  readonly run: () => Promise<string>;
}

const steps: readonly Step[] = [
  { name: "generated types", run: () => tool("npm", "run", "--silent", "types", "--", "--check") },
  { name: "types of src", run: () => tool("tsc", "-p", ".") },
  { name: "types of test", run: () => tool("tsc", "-p", "test", "--noEmit") },
  { name: "lint and import layers", run: () => tool("oxlint", "--deny-warnings") },
  { name: "format", run: () => tool("oxfmt", "--check", ".") },
  { name: "file lengths", run: fileLengths },
  { name: "bundle", run: bundle },
];

const failures: string[] = [];
for (const { name, run } of steps) {
  const began = performance.now();
  const [verdict, remark] = await run().then(
    (said) => ["ok  ", said] as const,
    (error: unknown) => {
      failures.push(`--- ${name}\n${error instanceof Error ? error.message : String(error)}`);
      return ["FAIL", ""] as const;
    },
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`${verdict} ${seconds} s  ${name}${remark === "" ? "" : `: ${remark}`}`);
}
if (failures.length > 0) {
  console.error(`\n${failures.join("\n\n")}\n\n${failures.length} of ${steps.length} checks failed.`);
  process.exitCode = 1;
}

/** Runs a command of the repository's tools. Rejects with all it printed when it fails. */
function tool(command: string, ...args: readonly string[]): Promise<string> {
  const search = [path.join(REPOSITORY, "node_modules/.bin"), process.env["PATH"] ?? ""].join(path.delimiter);
  const child = spawn(command, args, {
    cwd: REPOSITORY,
    env: { ...process.env, ...QUIET_WRANGLER, PATH: search, CI: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += String(chunk)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve("");
      else reject(new Error(stripVTControlCharacters(printed).trim() || `${command} ended with ${code}`));
    });
  });
}

function fileLengths(): Promise<string> {
  const source = path.join(REPOSITORY, "src");
  const lengths = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".d.ts"))
    .map((file) => ({
      file,
      lines: readFileSync(path.join(source, file), "utf8").split("\n").length - 1,
      most: file === "app.ts" ? MOST_LINES_OF_APP : MOST_LINES,
    }));
  const long = lengths.filter(({ lines, most }) => lines > most);
  if (long.length === 0) return Promise.resolve(`${lengths.length} files`);
  const words = long.map(({ file, lines, most }) => `src/${file} has ${lines} lines, at most ${most}`);
  return Promise.reject(new Error(words.join("\n")));
}

async function bundle(): Promise<string> {
  const { bytes, gzipBytes } = await buildWorker();
  const size = `${kilobytes(bytes)}, ${kilobytes(gzipBytes)} gzipped of at most ${kilobytes(MOST_GZIP_BYTES)}`;
  if (gzipBytes > MOST_GZIP_BYTES) throw new Error(`The Worker is too big: ${size}`);
  return size;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
