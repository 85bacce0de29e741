// The lists of clients: those that got a token, and all registrations. Rendered by GET /admin/clients and
// /admin/registrations; each row leads to the client's own page.

import type { ListPage, ListQuery } from "../listing.ts";
import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { AdminList } from "./admin-list.tsx";
import { clientUrl } from "./named.tsx";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { ClientName, Day, Moment } from "./parts.tsx";

export interface ClientRow {
  readonly clientId: string;
  readonly name: string | undefined;
  readonly registration: string;
  readonly redirectUri: string | undefined;
  /** Epoch seconds. */
  readonly firstAt: number;
  readonly usedOn: number;
  readonly connections: number;
}

export interface ClientsView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<ClientRow>;
}

export interface RegistrationRow {
  readonly clientId: string;
  readonly name: string | undefined;
  readonly redirectUris: readonly string[];
  readonly authMethod: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly usedAt: number | undefined;
  readonly expiresAt: number;
}

export interface RegistrationsView extends AdminPageView {
  readonly query: ListQuery;
  readonly page: ListPage<RegistrationRow>;
}

const VERIFIED: Readonly<Record<string, string>> = {
  preregistered: "Set up in CLIENTS",
  metadata_document: "By its web address",
  dynamic: "Not verified: it registered itself",
  machine: "Made by an admin for a machine",
};

/** How far a client is verified, by the way it became known. */
export const verifiedInWords = (registration: string): string => VERIFIED[registration] ?? registration;

const KINDS = Object.entries(VERIFIED);

/** Renders the clients that got a token. */
export function ClientsPage({ nonce, csrf, query, page }: ClientsView) {
  return (
    <AdminFrame section="/admin/clients" title="Clients" nonce={nonce} csrf={csrf}>
      <div class="card">
        <p>
          Clients that completed a sign-in. <a href="/admin/registrations">All registrations</a> are listed
          apart: anybody may register a client, and most are never used.
        </p>
        <AdminList
          path="/admin/clients"
          query={query}
          page={page}
          caption="Clients"
          searchLabel="Search name, id or redirect URI"
          filters={[{ name: "registration", label: "Verified", options: KINDS }]}
          empty="None yet. A client appears here when it gets its first token."
          columns={[
            { heading: "Client", cell: (row) => <Name {...row} /> },
            { heading: "Verified", cell: ({ registration }) => spelledOut(verifiedInWords(registration)) },
            { heading: "First token", cell: ({ firstAt }) => <Day at={firstAt} /> },
            { heading: "Last token", cell: ({ usedOn }) => <Day at={usedOn} /> },
            { heading: "Connections", cell: ({ connections }) => String(connections) },
          ]}
        />
      </div>
    </AdminFrame>
  );
}

/** Renders all registrations. */
export function RegistrationsPage({ nonce, csrf, query, page }: RegistrationsView) {
  return (
    <AdminFrame section="/admin/clients" title="Registrations" nonce={nonce} csrf={csrf}>
      <div class="card">
        <p>
          Clients that registered themselves (RFC 7591). Those that nobody uses are deleted by themselves.{" "}
          <a href="/admin/clients">Back to the clients that signed in</a>
        </p>
        <AdminList
          path="/admin/registrations"
          query={query}
          page={page}
          caption="Registrations"
          searchLabel="Search name, id or redirect URI"
          empty="None yet."
          columns={[
            { heading: "Client", cell: (row) => <Name {...row} redirectUri={row.redirectUris.join(" ")} /> },
            { heading: "Proves itself by", cell: ({ authMethod }) => <code>{spelledOut(authMethod)}</code> },
            { heading: "Registered", cell: ({ createdAt }) => <Moment at={createdAt} /> },
            {
              heading: "Last token",
              cell: ({ usedAt }) => (usedAt === undefined ? "Never" : <Day at={usedAt} />),
            },
            { heading: "Ends", cell: ({ expiresAt }) => <Day at={expiresAt} /> },
          ]}
        />
      </div>
    </AdminFrame>
  );
}

function Name({
  clientId,
  name,
  redirectUri,
}: {
  clientId: string;
  name: string | undefined;
  redirectUri: string | undefined;
}) {
  return (
    <>
      <a href={clientUrl(clientId)}>
        <ClientName name={name} />
      </a>
      <br />
      <code class="small">{spelledOut(clientId)}</code>
      {redirectUri === undefined ? null : (
        <p class="small soft">
          Answers go to <code>{asciiUri(redirectUri)}</code>
        </p>
      )}
    </>
  );
}
