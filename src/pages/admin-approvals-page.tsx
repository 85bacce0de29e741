// The list of requests for shared access that wait. Rendered by GET /admin/approvals; the first ones are on the
// overview too.

import type { ListPage, ListQuery } from "../listing.ts";
import { ApprovalForm, type Approval } from "./admin-approvals.tsx";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList } from "./admin-list.tsx";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { ClientName, Moment } from "./parts.tsx";

export interface ApprovalsView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<Approval>;
}

/** Renders the requests with their search and paging, each with Approve and Deny. */
export function ApprovalsPage({ nonce, csrf, query, page }: ApprovalsView) {
  return (
    <AdminFrame section="/admin/approvals" title="Requests for shared access" nonce={nonce} csrf={csrf}>
      <section class="card">
        <p>
          Approving gives a client <strong>all of your company's Gong data</strong>. Approve only what someone
          asked you for, and only when their code is the same. A request waits for ten minutes.
        </p>
        <AdminList
          path="/admin/approvals"
          query={query}
          page={page}
          caption="Requests for shared access"
          searchLabel="Search code, client or address"
          empty="Nothing to decide. A request appears here when someone adds a client for shared access."
          columns={[
            { heading: "Client", cell: ({ clientName }) => <ClientName name={clientName} /> },
            { heading: "Code", cell: ({ code }) => <code>{spelledOut(code)}</code> },
            { heading: "Access goes to", cell: ({ redirectUri }) => <code>{asciiUri(redirectUri)}</code> },
            { heading: "Asked", cell: ({ requestedAt }) => <Moment at={requestedAt} /> },
            { heading: "Decide", cell: (approval) => <ApprovalForm approval={approval} csrf={csrf} /> },
          ]}
        />
      </section>
    </AdminFrame>
  );
}
