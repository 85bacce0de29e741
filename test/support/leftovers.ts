// What must not outlive this process: temporary folders and child processes. Called by build.ts and workerd.ts. Test
// runners end their workers with SIGTERM, on which Node.js would end without a last word.

import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const folders = new Set<string>();
const children = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const [signal, code] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const) {
  process.once(signal, () => process.exit(code));
}

/** Makes an empty folder in `parent`, by default the system's temporary folder; removed when this process ends. */
export function temporaryFolder(name: string, parent = tmpdir()): string {
  const folder = mkdtempSync(path.join(parent, `gong-gateway-${name}-`));
  folders.add(folder);
  return folder;
}

/** Kills `child` (SIGKILL) if it still runs when this process ends. */
export function endWithThisProcess(child: ChildProcess): void {
  children.add(child);
  child.once("exit", () => children.delete(child));
}
