// The pages about spend in their states, with ordinary values. Used by page-samples.tsx.

import type { Child } from "hono/jsx";
import { CallContentPage, type CallContentView } from "../../src/pages/admin-call.tsx";
import { LedgerPage, type LedgerView } from "../../src/pages/admin-ledger.tsx";
import { SpendPage, type SpendView } from "../../src/pages/admin-spend.tsx";
import { pageWith } from "./admin-samples.tsx";
import { NAMES } from "./named-samples.ts";
import { secondsOf } from "./moments.ts";

const FRAME = { nonce: "c2FtcGxlLW5vbmNl", csrf: "csrf-token" };
const DAYS = Array.from({ length: 30 }, (_, at) =>
  new Date(Date.UTC(2026, 9, 24 + at)).toISOString().slice(0, 10),
);
const NONE = { paid: 0, joined: 0, recovered: 0, reused: 0, refused: 0, failed: 0 };

export const SPEND: SpendView = {
  ...FRAME,
  by: "served",
  days: DAYS,
  timeZone: "Europe/Berlin",
  totals: { paid: 1840, joined: 212, recovered: 31, reused: 402, refused: 17, failed: 9 },
  series: [
    { name: "paid", values: DAYS.map((_, at) => 40 + ((at * 7) % 45)) },
    { name: "joined", values: DAYS.map((_, at) => at % 9) },
    { name: "recovered", values: DAYS.map((_, at) => at % 3) },
    { name: "reused", values: DAYS.map((_, at) => (at * 3) % 20) },
  ],
  groups: [],
  names: NAMES,
  budgets: [
    {
      owner: "The whole company",
      period: "day",
      used: 85,
      most: 100,
      resets: "23 Nov 2026, 00:00 Europe/Berlin",
      state: "near",
    },
    {
      owner: "The whole company",
      period: "month",
      used: 1310,
      resets: "1 Dec 2026, 00:00 Europe/Berlin",
      state: "fine",
    },
  ],
  parts: ["", "con_400"],
  keptDays: 400,
};

export const BY_CLIENT: Partial<SpendView> = {
  by: "client",
  series: [
    {
      name: "https://claude.ai/oauth/claude-code-client-metadata",
      values: DAYS.map((_, at) => 20 + (at % 9)),
    },
    { name: "gcl_J3kf02mC9qLw8ZrT1xYvAa", values: DAYS.map((_, at) => at % 11) },
    { name: "", values: DAYS.map((_, at) => at % 5) },
    { name: undefined, values: DAYS.map(() => 2) },
  ],
  groups: [
    {
      name: "https://claude.ai/oauth/claude-code-client-metadata",
      calls: { ...NONE, paid: 720, joined: 41, reused: 80 },
    },
    { name: "gcl_J3kf02mC9qLw8ZrT1xYvAa", calls: { ...NONE, paid: 150, refused: 3 } },
    { name: "", calls: { ...NONE, paid: 60, failed: 2 } },
    { name: "other", calls: { ...NONE, paid: 9 } },
  ],
};

const BY_CONNECTION: Partial<SpendView> = {
  by: "connection",
  series: [
    { name: "con_3", values: DAYS.map((_, at) => 20 + (at % 9)) },
    { name: "con_1", values: DAYS.map((_, at) => at % 11) },
  ],
  groups: ["con_3", "con_1", "con_2", "con_gone"].map((name, at) => ({
    name,
    calls: { ...NONE, paid: 720 >> at, joined: 41, reused: 80 },
  })),
};

export const EMPTY: Partial<SpendView> = {
  totals: NONE,
  series: [{ name: "paid", values: DAYS.map(() => 0) }],
  budgets: [],
  parts: [""],
};

export const LEDGER: LedgerView = {
  ...FRAME,
  id: "con_1",
  agents: "Claude Code (gong), Codex",
  owners: ["ada@example.com"],
  query: { search: "", filters: {}, cursor: undefined },
  keptDays: 400,
  outcomes: [
    { outcome: "ok", calls: 1204 },
    { outcome: "tool_error", calls: 31 },
    { outcome: "unknown", calls: 2 },
  ],
  page: pageWith(
    [
      {
        at: secondsOf("2026-11-22T17:35:00Z"),
        agent: "Claude Code (gong)",
        person: "access:mJ4nO1xk2b7tq9QwPz0aVd",
        personName: "ada@example.com",
        tool: "ask_account",
        served: "paid",
        outcome: "ok",
        seconds: 31.42,
        hash: "mJ4nO1xk2b7tq9QwPz0aVd",
      },
      {
        at: secondsOf("2026-11-22T17:35:02Z"),
        agent: undefined,
        tool: "ask_account",
        served: "joined",
        outcome: "ok",
        seconds: undefined,
        hash: "mJ4nO1xk2b7tq9QwPz0aVd",
      },
      {
        at: secondsOf("2026-11-22T16:10:00Z"),
        agent: "Codex",
        tool: "generate_brief",
        served: "recovered",
        outcome: "ok",
        seconds: 0.1,
        hash: "Zr81TqLm0pXc45vBnA7yKe",
        readable: "c4ll0pXc45vBnA7yKeZr81",
      },
    ],
    1237,
  ),
};

export const CALL: CallContentView = {
  ...FRAME,
  id: "con_1",
  call: "c4ll0pXc45vBnA7yKeZr81",
  read: {
    kind: "opened",
    keptAt: secondsOf("2026-11-22T16:10:00Z"),
    arguments: JSON.stringify(
      {
        crmAccount: "Globex",
        question: `Is the renewal on track, ${"and what was said of it ".repeat(12)}?`,
      },
      undefined,
      2,
    ),
  },
};

export const SPEND_SAMPLES: Readonly<Record<string, () => Child>> = {
  "admin-spend": () => <SpendPage {...SPEND} />,
  "admin-spend-by-client": () => <SpendPage {...SPEND} {...BY_CLIENT} />,
  "admin-spend-by-connection": () => <SpendPage {...SPEND} {...BY_CONNECTION} />,
  "admin-spend-empty": () => <SpendPage {...SPEND} {...EMPTY} />,
  "admin-ledger": () => <LedgerPage {...LEDGER} />,
  "admin-call": () => <CallContentPage {...CALL} />,
  "admin-call-gone": () => <CallContentPage {...CALL} read={{ kind: "gone" }} />,
  "admin-call-unreadable": () => <CallContentPage {...CALL} read={{ kind: "unreadable" }} />,
  "admin-ledger-empty": () => <LedgerPage {...LEDGER} page={pageWith([])} outcomes={[]} />,
};
