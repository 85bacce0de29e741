// Requests of clients for shared access, each with Approve and Deny. Part of admin.tsx.

import { asciiUri, spelledOut } from "./outside-text.ts";
import { ClientName, Moment, PostForm } from "./parts.tsx";
import { pathSegment } from "./links.ts";

/** More requests than this are on their own page. */
const SHOWN = 10;

export interface Approval {
  id: string;
  /** The code that the person who asks sees too. */
  code: string;
  clientName: string | undefined;
  redirectUri: string;
  /** Epoch seconds. */
  requestedAt: number;
}

/** Lists the open requests, or says that there are none. Posts to /admin/approvals/<id>. */
export function Approvals({ approvals, csrf }: { approvals: readonly Approval[]; csrf: string }) {
  return (
    <section class="card" aria-labelledby="approvals">
      <div class="stack">
        <h2 id="approvals">Requests for shared access</h2>
        {approvals.length === 0 ? (
          <p class="soft">
            Nothing to decide. A request appears here when someone adds a client for shared access.
          </p>
        ) : (
          <p>
            Approving gives a client <strong>all of your company's Gong data</strong>. Approve only what
            someone asked you for, and only when their code is the same.
          </p>
        )}
      </div>
      {approvals.length === 0 ? null : (
        <ul class="items">
          {approvals.slice(0, SHOWN).map((approval) => (
            <ApprovalItem approval={approval} csrf={csrf} />
          ))}
        </ul>
      )}
      {approvals.length <= SHOWN ? null : (
        <p>
          <a href="/admin/approvals">{`All ${approvals.length} requests`}</a>
        </p>
      )}
    </section>
  );
}

function ApprovalItem({ approval, csrf }: { approval: Approval; csrf: string }) {
  const { code, clientName, redirectUri, requestedAt } = approval;
  return (
    <li>
      <h3>
        <ClientName name={clientName} />
      </h3>
      <p class="code mono">{spelledOut(code)}</p>
      <p class="small soft">
        Access goes to <code>{asciiUri(redirectUri)}</code>
        <br />
        Asked <Moment at={requestedAt} />
      </p>
      <ApprovalForm approval={approval} csrf={csrf} />
    </li>
  );
}

/** Approve and Deny for one request. */
export function ApprovalForm({ approval: { id, code }, csrf }: { approval: Approval; csrf: string }) {
  return (
    <PostForm action={`/admin/approvals/${pathSegment(id)}`} csrf={csrf} class="choice">
      <button type="submit" name="decision" value="approve" class="primary">
        Approve<span class="unseen"> the request with code {spelledOut(code)}</span>
      </button>
      <button type="submit" name="decision" value="deny">
        Deny<span class="unseen"> the request with code {spelledOut(code)}</span>
      </button>
    </PostForm>
  );
}
