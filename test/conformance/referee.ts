// Runs the official MCP conformance runner in a process of its own and reads what it recorded: every check of every
// scenario, those that the runner does not score included. Called by referee.test.ts and run-authorization.ts.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { endWithThisProcess, temporaryFolder } from "../support/leftovers.ts";
import { QUIET_WRANGLER, REPOSITORY } from "../support/tools.ts";

const RUNNER = path.join(REPOSITORY, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

/** Refuses and notes every connection that leaves this machine, in the runner and in the commands it starts. */
const GUARD = pathToFileURL(path.join(REPOSITORY, "test/support/loopback-only.mjs")).href;

const Check = z.object({
  id: z.string(),
  name: z.string(),
  status: z.enum(["SUCCESS", "FAILURE", "WARNING", "SKIPPED", "INFO"]),
  errorMessage: z.string().optional(),
});

export type Check = z.output<typeof Check>;

/** The checks of each scenario, in the order of the runner. */
export type Results = ReadonlyMap<string, readonly Check[]>;

/** The runner's sub-commands. */
export type Role = "server" | "client" | "authorization";

/**
 * Runs one sub-command of the runner and returns its results; its exit code says less than they do. Throws with its
 * output when it recorded nothing, or when it tried to leave this machine. `onOutput` hears all of its output so far,
 * whenever there is more.
 */
export async function runReferee(
  role: Role,
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  onOutput: (output: string) => void = () => {},
): Promise<Results> {
  const folder = temporaryFolder("conformance");
  const refused = path.join(folder, "refused-connections.txt");
  const guard = { NODE_OPTIONS: `--import=${GUARD}`, REFUSED_CONNECTIONS: refused };
  const child = spawn(process.execPath, [RUNNER, role, ...options, "--output-dir", folder], {
    env: { ...process.env, ...QUIET_WRANGLER, ...guard, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithThisProcess(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => onOutput((output += text)));
  }
  await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  if (existsSync(refused)) throw new Error(`The runner wanted to reach ${readFileSync(refused, "utf8")}`);
  const results = readResults(folder, role);
  if (results.size === 0) throw new Error(`The runner recorded nothing:\n${output}`);
  return results;
}

/** In the folder's name before the scenario's. */
const PREFIX = { server: "server-", client: "", authorization: "authorization-server-" } as const;

/** The runner writes one `checks.json` per scenario, in a folder named after role, scenario and time. */
function readResults(folder: string, role: Role): Results {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const records = files.filter((file) => path.basename(file) === "checks.json").toSorted();
  return new Map(
    records.map((file) => {
      const scenario = path.dirname(file).slice(PREFIX[role].length);
      const checks = z.array(Check).parse(JSON.parse(readFileSync(path.join(folder, file), "utf8")));
      return [scenario.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, ""), checks];
    }),
  );
}

/** How many checks passed, how many failed or warned. */
export function countChecks(results: Results): { readonly passed: number; readonly failed: number } {
  const checks = [...results.values()].flat();
  const passed = checks.filter(({ status }) => status === "SUCCESS").length;
  return { passed, failed: checks.filter(isFailing).length };
}

/** A warning is a SHOULD that does not hold: no better than a failure here. */
export function isFailing({ status }: Check): boolean {
  return status === "FAILURE" || status === "WARNING";
}

/** The checks that ended differently, in words; also those that only one of the two runs has. */
export function differences(direct: Results, proxied: Results): readonly string[] {
  const scenarios = new Set([...direct.keys(), ...proxied.keys()]);
  return [...scenarios].flatMap((scenario) => {
    const one = direct.get(scenario) ?? [];
    const other = proxied.get(scenario) ?? [];
    return Array.from({ length: Math.max(one.length, other.length) }, (_, at) => at)
      .filter((at) => describeCheck(one[at]) !== describeCheck(other[at]))
      .map((at) => {
        const reason = other[at]?.errorMessage ?? one[at]?.errorMessage ?? "";
        return `${scenario}: direct ${describeCheck(one[at])}, proxied ${describeCheck(other[at])} ${reason}`;
      });
  });
}

function describeCheck(check: Check | undefined): string {
  return check === undefined ? "no check" : `${check.id} (${check.name}) ${check.status}`;
}
