// Requests of clients for shared access, each with Approve and Deny: a page with all that wait, rendered by
// GET /admin/approvals, and the newest on the overview.

import { NO_QUERY, type ListPage, type ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList } from "./admin-list.tsx";
import { pathSegment } from "./links.ts";
import { clientUrl } from "./named.tsx";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { Card, ClientName, Moment, PostForm } from "./parts.tsx";

/** More requests than this are on their own page. */
const SHOWN = 10;

export interface Approval {
  id: string;
  /** The code that the person who asks sees too. */
  code: string;
  clientId: string;
  clientName: string | undefined;
  redirectUri: string;
  /** Epoch seconds. */
  requestedAt: number;
}

export interface ApprovalsView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<Approval>;
}

/** Renders the requests with their search and paging, each with Approve and Deny. */
export function ApprovalsPage(view: ApprovalsView) {
  return (
    <AdminFrame section={PATH} title="Requests for shared access" nonce={view.nonce} csrf={view.csrf}>
      <div class="card">
        <Requests {...view} searchLabel="Search code, client or address" />
      </div>
    </AdminFrame>
  );
}

/** Renders the newest requests, and nothing when there are none. */
export function Approvals({ approvals, csrf }: { approvals: readonly Approval[]; csrf: string }) {
  if (approvals.length === 0) return null;
  const page = {
    rows: approvals.slice(0, SHOWN),
    total: approvals.length,
    next: undefined,
    previous: undefined,
  };
  return (
    <Card id="approvals" title="Requests for shared access">
      <Requests query={NO_QUERY} page={page} csrf={csrf} />
      {approvals.length <= SHOWN ? null : (
        <p>
          <a href={PATH}>{`All ${approvals.length} requests`}</a>
        </p>
      )}
    </Card>
  );
}

const PATH = "/admin/approvals";

function Requests({
  query,
  page,
  csrf,
  searchLabel,
}: Omit<ApprovalsView, "nonce"> & { readonly searchLabel?: string }) {
  return (
    <>
      <p>
        Approving gives a client <strong>all of your company's Gong data</strong>. Approve only what someone
        asked you for, and only when their code is the same. A request waits for ten minutes.
      </p>
      <AdminList
        path={PATH}
        query={query}
        page={page}
        caption="Requests for shared access"
        searchLabel={searchLabel}
        empty="Nothing to decide. A request appears here when someone adds a client for shared access."
        columns={[
          {
            heading: "Client",
            cell: ({ clientId, clientName }) => (
              <a href={clientUrl(clientId)}>
                <ClientName name={clientName} />
              </a>
            ),
          },
          { heading: "Code", cell: ({ code }) => <strong class="key mono">{spelledOut(code)}</strong> },
          { heading: "Access goes to", cell: ({ redirectUri }) => <code>{asciiUri(redirectUri)}</code> },
          { heading: "Asked", cell: ({ requestedAt }) => <Moment at={requestedAt} /> },
          { heading: "Decide", cell: (approval) => <ApprovalForm approval={approval} csrf={csrf} /> },
        ]}
      />
    </>
  );
}

function ApprovalForm({ approval: { id, code }, csrf }: { approval: Approval; csrf: string }) {
  return (
    <PostForm action={`${PATH}/${pathSegment(id)}`} csrf={csrf} class="choice">
      <button type="submit" name="decision" value="approve" class="primary">
        Approve<span class="unseen"> the request with code {spelledOut(code)}</span>
      </button>
      <button type="submit" name="decision" value="deny">
        Deny<span class="unseen"> the request with code {spelledOut(code)}</span>
      </button>
    </PostForm>
  );
}
