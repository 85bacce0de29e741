// The client doctor: which clients tried to sign in, and how far each came. Rendered by GET /admin/doctor; the steps of
// one client are on its page.

import type { ListPage, ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList } from "./admin-list.tsx";
import { failureInWords, stepInWords } from "./doctor-text.ts";
import { clientUrl } from "./named.tsx";
import { spelledOut } from "./outside-text.ts";
import { ClientName, Moment } from "./parts.tsx";

export interface TracedClient {
  readonly clientId: string;
  readonly name: string | undefined;
  readonly step: string;
  readonly reason: string | undefined;
  /** Epoch seconds. */
  readonly at: number;
}

export interface DoctorView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<TracedClient>;
}

const OUTCOMES = [
  ["failed", "Failed"],
  ["worked", "Worked"],
] as const;

/** Renders the clients with the last step of each. */
export function DoctorPage({ nonce, csrf, query, page }: DoctorView) {
  return (
    <AdminFrame section="/admin/doctor" title="Client doctor" nonce={nonce} csrf={csrf}>
      <div class="card">
        <p>
          The last step of each client. A refused step is written with the next sign-in that works, or when
          you open this page. Search for the reference on the person's error page.
        </p>
        <AdminList
          path="/admin/doctor"
          query={query}
          page={page}
          caption="Clients that tried to sign in"
          searchLabel="Search client, reason or reference"
          filters={[{ name: "outcome", label: "Last step", options: OUTCOMES }]}
          empty="No client has tried yet. Steps appear here when one does."
          columns={[
            {
              heading: "Client",
              cell: ({ clientId, name }) => <TracedName clientId={clientId} name={name} />,
            },
            { heading: "Last step", cell: ({ step }) => spelledOut(stepInWords(step)) },
            { heading: "Outcome", cell: ({ reason }) => <Outcome reason={reason} /> },
            { heading: "When", cell: ({ at }) => <Moment at={at} /> },
          ]}
        />
      </div>
    </AdminFrame>
  );
}

function TracedName({ clientId, name }: Pick<TracedClient, "clientId" | "name">) {
  if (clientId === "") return <a href={clientUrl("")}>Clients without an id</a>;
  return (
    <>
      <a href={clientUrl(clientId)}>
        <ClientName name={name} />
      </a>
      <br />
      <code class="small">{spelledOut(clientId)}</code>
    </>
  );
}

/** Whether a step worked, and why not. */
export function Outcome({ reason }: { reason: string | undefined }) {
  if (reason === undefined) return <span class="badge good">Worked</span>;
  return (
    <>
      <span class="badge warn">Failed</span> {spelledOut(failureInWords(reason).text)}
    </>
  );
}
