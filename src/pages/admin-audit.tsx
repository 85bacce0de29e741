// The security audit: who did what to what, and when. Rendered by GET /admin/audit.

import type { ListPage, ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList, type ListFilter } from "./admin-list.tsx";
import { actionInWords } from "./audit-text.ts";
import { NamedId, type Names } from "./named.tsx";
import { spelledOut } from "./outside-text.ts";
import { Moment } from "./parts.tsx";

export interface AuditEntry {
  /** Epoch seconds. */
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly target?: string | undefined;
  readonly requestId?: string | undefined;
}

export interface AuditView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<AuditEntry>;
  readonly actors: readonly string[];
  readonly actions: readonly string[];
  /** What the targets stand for. */
  readonly names: Names;
}

/** Renders the audit with its search, filters, downloads and paging. */
export function AuditPage({ nonce, csrf, query, page, actors, actions, names }: AuditView) {
  const filters: readonly ListFilter[] = [
    { name: "actor", label: "Who", options: actors.map((actor) => [actor, actor] as const) },
    {
      name: "action",
      label: "What",
      options: actions.map((action) => [action, actionInWords(action)] as const),
    },
    { name: "from", label: "From day (UTC)" },
    { name: "to", label: "To day (UTC)" },
  ];
  return (
    <AdminFrame section="/admin/audit" title="Security audit" nonce={nonce} csrf={csrf}>
      <div class="card">
        <p>
          What admins and people did, and who was refused. The newest 10,000 acts of admins are kept, as many
          of people, and as many that anybody can cause. No token or secret is in it.
        </p>
        <AdminList
          path="/admin/audit"
          query={query}
          page={page}
          caption="Audit entries"
          searchLabel="Search who, what, id or request"
          filters={filters}
          empty="Nothing yet."
          exportPath="/admin/audit/export"
          columns={[
            { heading: "When", cell: ({ at }) => <Moment at={at} /> },
            { heading: "Who", cell: ({ actor }) => <bdi>{spelledOut(actor)}</bdi> },
            { heading: "What", cell: ({ action }) => spelledOut(actionInWords(action)) },
            {
              heading: "Target",
              cell: ({ target }) =>
                target === undefined ? (
                  "None"
                ) : names.has(target) ? (
                  <NamedId id={target} names={names} />
                ) : (
                  <code>{spelledOut(target)}</code>
                ),
            },
            {
              heading: "Request",
              cell: ({ requestId }) =>
                requestId === undefined ? (
                  "Unknown"
                ) : (
                  <code class="small">{spelledOut(requestId.slice(0, 8))}</code>
                ),
            },
          ]}
        />
      </div>
    </AdminFrame>
  );
}
