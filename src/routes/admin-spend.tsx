// /admin/spend: what tool calls cost, by day and group; the ledger of each connection; both as files; what a call
// asked, where policy keeps it; and the erasure.

import { newRoutes } from "../context.ts";
import {
  companyFile,
  companyParts,
  connectionFile,
  LEDGER_COLUMNS,
  type FileRow,
} from "../domain/ledger-files.ts";
import { readCall } from "../domain/call-contents.ts";
import { companySpend, connectionLedger, eraseLedger } from "../domain/spend.ts";
import { exportResponse, parseExportFormat, type ExportedList, type ExportFormat } from "../export.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { CallContentPage } from "../pages/admin-call.tsx";
import { LedgerPage } from "../pages/admin-ledger.tsx";
import { SpendPage } from "../pages/admin-spend.tsx";
import { problemPage } from "../respond.tsx";
import { actorOf, budgetRow, frameOf, goTo, mapPage, queryOf } from "./admin-parts.ts";

const DAY = 86_400;
const DAYS = ["from", "to"];

export const adminSpend = newRoutes()
  .get("/spend", adminPage(), async (c) => {
    const gateway = c.get("gateway");
    const { policy, budgets, ...spend } = await companySpend(gateway, queryOf(c, ["by", ...DAYS]).filters);
    return c.html(
      <SpendPage
        {...frameOf(c)}
        {...spend}
        budgets={budgets.map((use) => budgetRow(policy, use, gateway.now()))}
        parts={await companyParts(gateway)}
        keptDays={gateway.config.ledgerSeconds / DAY}
      />,
    );
  })
  .get("/spend/export", adminPage(), (c) => {
    const format = parseExportFormat(c.req.query("format"));
    if (format === undefined) return goTo(c, "/admin/spend");
    const { filters } = queryOf(c, DAYS);
    return ledgerFile(
      format,
      "gong-gateway-ledger",
      companyFile(c.get("gateway"), c.req.query("after") ?? "", filters),
    );
  })
  .get("/spend/:id", adminPage(), async (c) => {
    const gateway = c.get("gateway");
    const id = c.req.param("id");
    const query = queryOf(c, ["tool", "served", "outcome", ...DAYS]);
    const ledger = await connectionLedger(gateway, id, query);
    if (ledger === undefined) return problemPage(c, "connection_gone", 404);
    const readable = new Set(ledger.contents);
    const page = mapPage(ledger.page, (row) => ({
      at: row.started_at,
      agent: row.client_name ?? row.key_name ?? row.client_id ?? row.key_id ?? undefined,
      person: row.person ?? undefined,
      personName: ledger.people.get(row.person ?? ""),
      tool: row.tool,
      served: row.served,
      outcome: row.outcome,
      seconds: row.milliseconds === null ? undefined : row.milliseconds / 1000,
      hash: row.call_hash,
      readable: readable.has(row.id) ? row.id : undefined,
    }));
    const { agents, owners, outcomes } = ledger;
    const keptDays = gateway.config.ledgerSeconds / DAY;
    return c.html(
      <LedgerPage {...frameOf(c)} {...{ id, agents, owners, query, page, outcomes, keptDays }} />,
    );
  })
  .get("/spend/:id/export", adminPage(), async (c) => {
    const format = parseExportFormat(c.req.query("format"));
    const id = c.req.param("id");
    if (format === undefined) return goTo(c, `/admin/spend/${encodeURIComponent(id)}`);
    const more = await connectionFile(c.get("gateway"), id, queryOf(c, DAYS).filters);
    if (more === undefined) return problemPage(c, "connection_gone", 404);
    return ledgerFile(format, "gong-gateway-connection-ledger", more);
  })
  .post("/spend/:id/read", adminForm(), async (c) => {
    const id = c.req.param("id");
    const call = c.get("act")?.form.get("call") ?? "";
    const read = await readCall(c.get("gateway"), id, call, actorOf(c));
    if (read === undefined) return problemPage(c, "connection_gone", 404);
    return c.html(
      <CallContentPage {...frameOf(c)} {...{ id, call, read }} />,
      read.kind === "opened" ? 200 : 404,
    );
  })
  .post("/spend/:id/erase", adminForm(), async (c) => {
    const id = c.req.param("id");
    const erased = await eraseLedger(c.get("gateway"), id, actorOf(c));
    return erased
      ? goTo(c, `/admin/spend/${encodeURIComponent(id)}`)
      : problemPage(c, "connection_gone", 404);
  });

function ledgerFile(format: ExportFormat, name: string, more: ExportedList<FileRow>["more"]): Response {
  return exportResponse(format, { name, columns: LEDGER_COLUMNS, more });
}
