// What the arguments of a paid call may ask for: a date range, accounts and deals, a size. Gong charges by the calls
// and emails it reads, so a long range is the most expensive mistake. Called by the AdminObject before a call is
// counted. Refusals tell an agent what would be allowed and never repeat what it sent.

import { rangeProblem } from "./date-range.ts";
import { namedArguments, type NamedArguments } from "./named-arguments.ts";
import type { CostGuards } from "./policy.ts";

/**
 * Says why the arguments of a call are not allowed, for the agent that made it; undefined when they are. `now` is epoch
 * seconds. Argument names are compared without case and punctuation, and must be unique that way: a lenient reader at
 * Gong must not see another range or account than the guard did.
 */
export function argumentsProblem(guards: CostGuards, given: unknown, now: number): string | undefined {
  const size = new TextEncoder().encode(JSON.stringify(given) ?? "").byteLength;
  if (size > guards.maxArgumentsBytes) {
    return `The arguments may be at most ${guards.maxArgumentsBytes} bytes of JSON; these are ${size}.`;
  }
  const named = namedArguments(given);
  if (named === undefined) return guardsAnything(guards) ? UNCLEAR : undefined;
  return rangeProblem(guards, named, now) ?? entityProblem(guards, named);
}

const UNCLEAR =
  "Send the arguments as a JSON object, with each name once: names that differ only in case or punctuation are the same.";

function guardsAnything(guards: CostGuards): boolean {
  return (
    guards.longestRangeDays !== undefined ||
    guards.rangeRequired ||
    KINDS.some((kind) => isListed(guards, kind))
  );
}

type Kind = "account" | "deal";
const KINDS: readonly Kind[] = ["account", "deal"];

const isListed = (guards: CostGuards, kind: Kind): boolean =>
  allowedOf(guards, kind).length > 0 || deniedOf(guards, kind).length > 0;
const allowedOf = (guards: CostGuards, kind: Kind): readonly string[] =>
  kind === "account" ? guards.allowAccounts : guards.allowDeals;
const deniedOf = (guards: CostGuards, kind: Kind): readonly string[] =>
  kind === "account" ? guards.denyAccounts : guards.denyDeals;

function entityProblem(guards: CostGuards, named: NamedArguments): string | undefined {
  if (!KINDS.some((kind) => isListed(guards, kind))) return undefined;
  const asked = askedEntities(named);
  if (asked === undefined) return "Name the account or deal as text, and its type as ACCOUNT or DEAL.";
  for (const { kind, value } of asked) {
    const folded = foldName(value);
    if (deniedOf(guards, kind).some((entry) => contains(folded, foldName(entry)))) {
      return `The company's policy excludes this ${kind}. Ask about another one, or ask an admin.`;
    }
    const allowed = allowedOf(guards, kind);
    if (allowed.length > 0 && !allowed.some((entry) => foldName(entry) === folded)) {
      return `Only ${kind}s on the company's list may be asked about, written as on the list. Ask an admin for it.`;
    }
  }
  const restricted = KINDS.some((kind) => allowedOf(guards, kind).length > 0);
  if (restricted && asked.length === 0) {
    return "Name an account or a deal that is on the company's list: questions without one are not allowed.";
  }
  return undefined;
}

/** The arguments that name an account or a deal, in both generations of Gong's names. */
const NAMING: Readonly<Record<Kind, readonly string[]>> = {
  account: ["crmaccount", "crmaccountid", "account", "accountid", "accountname"],
  deal: [
    "crmdeal",
    "crmdealid",
    "deal",
    "dealid",
    "dealname",
    "opportunity",
    "opportunityid",
    "crmopportunityid",
  ],
};
/** The arguments that name an entity whose type stands in another argument. */
const ENTITY_NAMES = ["entity", "entityid", "entityname", "crmentity", "crmentityid", "crmentityname"];
const ENTITY_TYPES = ["entitytype", "crmentitytype"];

interface AskedEntity {
  readonly kind: Kind;
  readonly value: string;
}

/** What the call asks about; undefined when that can't be read. */
function askedEntities(named: NamedArguments): readonly AskedEntity[] | undefined {
  const asked: AskedEntity[] = [];
  const take = (kind: Kind, value: unknown): boolean => {
    if (typeof value !== "string") return false;
    asked.push({ kind, value });
    return true;
  };
  for (const kind of KINDS) {
    for (const name of NAMING[kind]) {
      if (named.has(name) && !take(kind, named.get(name))) return undefined;
    }
  }
  const entities = ENTITY_NAMES.filter((name) => named.has(name));
  if (entities.length === 0) return asked;
  const types = ENTITY_TYPES.flatMap((name) => (named.has(name) ? [named.get(name)] : []));
  const [type] = types;
  if (types.length !== 1 || typeof type !== "string") return undefined;
  const kind = KINDS.find((known) => known === type.toLowerCase());
  // A contact or a lead is neither; whether it may be asked about is judged by the allow lists.
  if (kind === undefined) return asked;
  return entities.every((name) => take(kind, named.get(name))) ? asked : undefined;
}

function foldName(name: string): string {
  const seen = name
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "");
  return seen.replaceAll(/\s+/gu, " ").trim();
}

/** Whether `entry` stands in `value` as whole words: agents may add a CRM id to a name. */
function contains(value: string, entry: string): boolean {
  if (entry === "") return false;
  for (let at = value.indexOf(entry); at !== -1; at = value.indexOf(entry, at + 1)) {
    const isWord = (text: string): boolean => /^[\p{L}\p{N}]$/u.test(text);
    if (!isWord(value.charAt(at - 1)) && !isWord(value.charAt(at + entry.length))) return true;
  }
  return false;
}
