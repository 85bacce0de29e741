// The ledger as files, of one connection or part by part of all of them: each row with what it takes to find the same
// call in Gong's credit usage report. Called by routes/admin-spend.tsx.

import { isoTime } from "../clock.ts";
import type { ExportedList } from "../export.ts";
import type { ListQuery } from "../listing.ts";
import { log } from "../log.ts";
import { daysOf } from "../storage/ledger-list.ts";
import type { LedgerFilter } from "../storage/paid-ledger.ts";
import type { PaidCallRow } from "../storage/paid-schema.ts";
import type { Gateway } from "./gateway.ts";
import { nameIds, nameInFile } from "./named-ids.ts";
import { nameLedgerPeople } from "./people.ts";

/** A row and the connection it is about. */
export type FileRow = PaidCallRow & {
  readonly connection: string;
  readonly connectionName: string | undefined;
};

/** Connections in one file of the whole company. */
const PART_CONNECTIONS = 400;
const ROWS_AT_ONCE = 1000;
const IDS_AT_ONCE = 50;
/** Objects that one download asks: below what the platform lets one request ask. */
const MOST_ASKS = 900;

/** The columns, without questions and answers. Times in UTC. */
export const LEDGER_COLUMNS: ExportedList<FileRow>["columns"] = [
  ["time_utc", ({ started_at: at }) => isoTime(at)],
  ["connection", ({ connection }) => connection],
  ["connection_name", ({ connectionName }) => connectionName],
  ["person", ({ person }) => person],
  ["client_id", (row) => row.client_id],
  ["client_name", (row) => row.client_name],
  ["key_id", (row) => row.key_id],
  ["key_name", (row) => row.key_name],
  ["tool", ({ tool }) => tool],
  ["served", ({ served }) => served],
  ["outcome", ({ outcome }) => outcome],
  ["charged", chargeOf],
  ["gong_status", (row) => row.gong_status],
  ["milliseconds", ({ milliseconds }) => milliseconds],
  ["request_bytes", (row) => row.request_bytes],
  ["answer_bytes", (row) => row.answer_bytes],
  ["delivered", ({ delivered }) => (delivered === 1 ? "yes" : "no")],
  ["arguments_hash", (row) => row.call_hash],
  ["call", ({ id }) => id],
  ["paid_by", (row) => row.paid_by],
];

const RAN_NOTHING: ReadonlySet<string> = new Set([
  "refused",
  "refused_by_gong",
  "rate_limited",
  "out_of_credits",
  "not_sent",
]);

/** Whether Gong's report is to have the call: `perhaps` where Gong documents no rule. */
function chargeOf({ served, outcome }: Pick<PaidCallRow, "served" | "outcome">): "yes" | "perhaps" | "no" {
  if (served !== "paid" || RAN_NOTHING.has(outcome)) return "no";
  return outcome === "ok" ? "yes" : "perhaps";
}

/** The rows of one connection that match, the newest first. Undefined for an id that is not in the index. */
export async function connectionFile(
  gateway: Gateway,
  id: string,
  filters: ListQuery["filters"],
): Promise<ExportedList<FileRow>["more"] | undefined> {
  return (await gateway.objects.admin().hasConnection(id)) ? ownFile(gateway, id, filters) : undefined;
}

/** The same for whoever the connection is proven to belong to. */
export function ownFile(
  gateway: Gateway,
  id: string,
  filters: ListQuery["filters"],
): ExportedList<FileRow>["more"] {
  return inTurn(rowsOf(gateway, [id], filterOf(filters), countAsks(gateway)));
}

/** The rows of the 400 connections after the id `after` that match, connection by connection. */
export function companyFile(
  gateway: Gateway,
  after: string,
  filters: ListQuery["filters"],
): ExportedList<FileRow>["more"] {
  return inTurn(rowsOfPart(gateway, after, filterOf(filters)));
}

/** Where each file of the whole company begins: after these ids. */
export function companyParts(gateway: Gateway): Promise<readonly string[]> {
  return gateway.objects.admin().connectionParts(PART_CONNECTIONS);
}

async function* rowsOfPart(gateway: Gateway, after: string, filter: LedgerFilter) {
  const ask = countAsks(gateway);
  let last = after;
  for (let left = PART_CONNECTIONS; left > 0; left -= IDS_AT_ONCE) {
    ask();
    const ids = await gateway.objects.admin().connectionIds(last, IDS_AT_ONCE);
    yield* rowsOf(gateway, ids, filter, ask);
    last = ids.at(-1) ?? last;
    if (ids.length < IDS_AT_ONCE) return;
  }
}

async function* rowsOf(gateway: Gateway, ids: readonly string[], filter: LedgerFilter, ask: () => void) {
  ask();
  const names = await nameIds(gateway, ids);
  for (const id of ids) yield* rowsOfOne(gateway, id, nameInFile(names, id), filter, ask);
}

async function* rowsOfOne(
  gateway: Gateway,
  connection: string,
  connectionName: string | undefined,
  filter: LedgerFilter,
  ask: () => void,
) {
  let before: number | undefined;
  const people = new Map<string, string>();
  do {
    ask();
    const page = await gateway.objects
      .connection(connection)
      .ledgerPage({ before, limit: ROWS_AT_ONCE, filter });
    const persons = page.rows.map(({ person }) => person);
    await nameLedgerPeople(gateway, persons, people, ask);
    if (page.rows.length > 0)
      yield page.rows.map((row) => ({
        ...row,
        connection,
        connectionName,
        person: people.get(row.person ?? "") ?? null,
      }));
    before = page.nextBefore;
  } while (before !== undefined);
}

/** Counts what a download asks. Throws at the 901st: a file that is not whole must not look whole, so it breaks off. */
export function countAsks(gateway?: Pick<Gateway, "requestId">): () => void {
  let asks = 0;
  return () => {
    asks += 1;
    if (asks <= MOST_ASKS) return;
    log("warn", "ledger.export_too_long", { asks: MOST_ASKS }, gateway);
    throw new Error("The ledger of these days is too long for one file");
  };
}

function inTurn(rows: AsyncGenerator<readonly FileRow[]>): ExportedList<FileRow>["more"] {
  return async () => {
    const next = await rows.next();
    return next.done === true ? [] : next.value;
  };
}

function filterOf(filters: ListQuery["filters"]): LedgerFilter {
  const { from, until } = daysOf(filters);
  return { from, until };
}
