// What the ids on the samples of pages stand for.

import type { Named, Names } from "../../src/pages/named.tsx";
import { secondsOf } from "./moments.ts";

const since = secondsOf("2026-11-20T09:00:00Z");

export const NAMES: Names = new Map([
  [
    "con_1",
    {
      kind: "connection",
      name: "Claude Code (gong), Codex",
      access: "personal",
      people: ["ada@example.com"],
      since,
    },
  ],
  ["con_2", { kind: "connection", name: "", access: "personal", people: [], since }],
  ["con_3", { kind: "connection", name: "Revenue desk agent", access: "shared", people: [], since }],
  [
    "https://claude.ai/oauth/claude-code-client-metadata",
    { kind: "client", name: "Claude Code", people: [], since },
  ],
  ["gcl_J3kf02mC9qLw8ZrT1xYvAa", { kind: "client", name: "Codex", people: [], since }],
  ["key-1", { kind: "key", name: "Nightly report", people: [], since }],
]);

/** Every name that an id can have, with `value` in all of its places. */
export function hostileNames(value: string, kind: Named["kind"]): Names {
  return new Map([[value, { kind, name: value, access: "personal", people: [value], since: 0 }]]);
}
