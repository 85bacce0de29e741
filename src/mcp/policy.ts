// The company's policy for tool calls: which tools pay and how much they weigh, who may use which tool, what a call may
// ask for, and how many calls a day or a month may cost. JSON that admins edit and the AdminObject keeps; read by
// allowed-tool.ts, cost-guards.ts and budgets.ts. Fails closed: a tool that nobody named is paid.

import * as v from "valibot";
import { isTimeZone } from "./time-zone.ts";

const LONGEST_LIST = 500;
const TOO_LONG = `List at most ${LONGEST_LIST}.`;
const MOST_CALLS = 1_000_000_000;

const count = (most: number, least = 0) =>
  v.pipe(
    v.number("Write a whole number."),
    v.integer("Write a whole number."),
    v.minValue(least, `Write a number of at least ${least}.`),
    v.maxValue(most, `Write a number of at most ${most}.`),
  );

const word = (pattern: RegExp, message: string) => v.pipe(v.string(), v.regex(pattern, message));

/** MCP 2025-11-25, Tool Names, and whatever else is one printable word. */
const toolName = word(
  /^[\x21-\x7e]{1,128}$/,
  "A tool's name is 1 to 128 printable characters without spaces.",
);
const id = word(/^[\x21-\x7e]{1,2048}$/, "An id is printable characters without spaces.");
const words = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, "Leave no line empty."),
  v.maxLength(200, "A line is at most 200 characters long."),
);
const list = <const T extends v.GenericSchema<string, string>>(item: T) =>
  v.pipe(v.array(item), v.maxLength(LONGEST_LIST, TOO_LONG));
const byId = <const T extends v.GenericSchema>(value: T) =>
  v.pipe(v.record(id, value), v.maxEntries(LONGEST_LIST, TOO_LONG));

/** How many calls, by weight, may be made; an absent number is no limit. */
const limit = v.strictObject({
  perDay: v.exactOptional(count(MOST_CALLS)),
  perMonth: v.exactOptional(count(MOST_CALLS)),
});
const limits = v.strictObject({ each: limit, byId: byId(limit) });

/** Tools that may be used, absent for all of them, and tools that may not. `deny` wins. */
const toolRule = v.strictObject({ allow: v.exactOptional(list(toolName)), deny: list(toolName) });

const toolSettings = v.strictObject({
  pays: v.boolean(),
  /** What one call counts against a budget. */
  weight: count(1000, 1),
  /** How long a delivered result may be given again; 0 is never. */
  reuseSeconds: count(86_400),
});

const costGuards = v.strictObject({
  longestRangeDays: v.exactOptional(count(3660, 1)),
  rangeRequired: v.boolean(),
  allowAccounts: list(words),
  denyAccounts: list(words),
  allowDeals: list(words),
  denyDeals: list(words),
  /** Of the arguments as JSON in UTF-8. */
  maxArgumentsBytes: count(1_048_576, 256),
});

/** Keeping what agents ask of Gong, sealed, for an admin to read. */
const contentSettings = v.strictObject({
  keepDays: count(90, 1),
  /** The version of the policy that switched it on: what was kept before is never read again. */
  since: count(MOST_CALLS, 1),
});

const policySchema = v.strictObject({
  format: v.literal(1),
  /** IANA name; budgets begin anew at its midnight. */
  timeZone: v.pipe(
    v.string(),
    v.check(isTimeZone, "Write the name of a time zone, such as Europe/Berlin or America/New_York."),
  ),
  tools: v.pipe(v.record(toolName, toolSettings), v.maxEntries(LONGEST_LIST, TOO_LONG)),
  /** Which new or changed tools wait for an admin. */
  holdBack: v.picklist(["none", "paid", "all"]),
  access: v.strictObject({ personal: toolRule, shared: toolRule }),
  clients: byId(toolRule),
  keys: byId(toolRule),
  /** Whether agents with shared access may be given results that another of them paid for. */
  shareResults: v.boolean(),
  budgets: v.strictObject({ company: limit, connection: limits, client: limits, key: limits }),
  /** From this part of a budget on, each paid call is answered with a warning. */
  warnAtPercent: count(100, 1),
  guards: costGuards,
  /** Absent: nothing of a call's content is kept for reading. */
  content: v.exactOptional(contentSettings),
});

/** What a schema reads, as nobody may change it. */
type Read<Schema extends v.GenericSchema> = Frozen<v.InferOutput<Schema>>;
type Frozen<T> = { readonly [Member in keyof T]: Frozen<T[Member]> };

export type Policy = Read<typeof policySchema>;
export type Limit = Read<typeof limit>;
export type ToolRule = Read<typeof toolRule>;
export type ToolSettings = Read<typeof toolSettings>;
export type ContentSettings = Read<typeof contentSettings>;
export type CostGuards = Read<typeof costGuards>;

/** Gong's own tools: known, so trusted as they are when first seen. */
export const GONG_TOOLS: ReadonlySet<string> = new Set(["ask_account", "ask_deal", "generate_brief"]);

const PAID: ToolSettings = { pays: true, weight: 1, reuseSeconds: 0 };
const EVERY_TOOL: ToolRule = { deny: [] };
const NO_LIMITS = { each: {}, byId: {} };

/** What holds until an admin says otherwise: everything allowed, nothing limited, no result given twice. */
export const DEFAULT_POLICY: Policy = {
  format: 1,
  timeZone: "UTC",
  tools: Object.fromEntries(Array.from(GONG_TOOLS, (name) => [name, PAID])),
  holdBack: "paid",
  access: { personal: EVERY_TOOL, shared: EVERY_TOOL },
  clients: {},
  keys: {},
  shareResults: false,
  budgets: { company: {}, connection: NO_LIMITS, client: NO_LIMITS, key: NO_LIMITS },
  warnAtPercent: 80,
  guards: {
    rangeRequired: false,
    allowAccounts: [],
    denyAccounts: [],
    allowDeals: [],
    denyDeals: [],
    maxArgumentsBytes: 65_536,
  },
};

/** What is wrong with a policy, and where: `path` is the member's, joined by dots. */
export interface PolicyProblem {
  readonly path: string;
  readonly message: string;
}

/** Reads a policy; says every problem at once. Members that are missing or unknown are problems. */
export function parsePolicy(
  value: unknown,
):
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] } {
  const parsed = v.safeParse(policySchema, value);
  if (parsed.success) return { ok: true, policy: parsed.output };
  const problems = parsed.issues.map((issue) => ({
    path: v.getDotPath(issue) ?? "",
    message: issue.message,
  }));
  return { ok: false, problems };
}

/** The entry of a record of the policy. Names from outside must never reach what objects inherit. */
export function ownEntry<T>(record: Readonly<Record<string, T>>, key: string | undefined): T | undefined {
  return key !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** How calls of a tool count. A tool that the policy does not name is paid and counts once. */
export function toolSettingsOf(policy: Policy, tool: string | undefined): ToolSettings {
  return ownEntry(policy.tools, tool) ?? PAID;
}
