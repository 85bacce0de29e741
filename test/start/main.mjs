// `npm start`: the gateway in workerd, the stand-in Gong beside it, and a demonstration of the main job. This file runs
// on any Node that npm may find, so it only checks for what the rest needs, and says in one sentence what is missing.

import { existsSync } from "node:fs";

const OLDEST_NODE = 22;
const installed = existsSync(new URL("../../node_modules/wrangler/package.json", import.meta.url));

if (!installed) {
  fail("The tools are not installed. Run `npm ci` first, then `npm start`.");
} else if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE || !process.features.typescript) {
  fail(
    `Node ${process.versions.node} is too old. Run it as \`npm start\` after \`npm ci\`, which brings Node 24 on Linux, or install Node 24.`,
  );
} else {
  const { start } = await import("./start.ts");
  await start(process.argv.slice(2), process.env);
}

/** @param {string} sentence */
function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}
