// Where the repository and its wrangler are, and the environment it gets. Called by
// build.ts, by test/start and by anything else that runs the command-line tool.

import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json and wrangler.toml. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** wrangler's command, to be run with `process.execPath`: the machine's own Node may be too old for it. */
export const WRANGLER = path.join(REPOSITORY, "node_modules/.bin/wrangler");

/** Keeps wrangler and the local runtime from looking for updates, telemetry and request metadata on the network. */
export const QUIET_WRANGLER: Readonly<Record<string, string>> = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
};
