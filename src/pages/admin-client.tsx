// One client: what it is, what it tried and where it failed, and the ways to end it. Rendered by GET /admin/client.

import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { verifiedInWords } from "./admin-clients.tsx";
import { Outcome } from "./admin-doctor.tsx";
import { Confirm } from "./confirm.tsx";
import { failureInWords, quirkInWords, stepInWords } from "./doctor-text.ts";
import { asciiUri, spelledOut, visibleName } from "./outside-text.ts";
import { Card, ClientName, Day, Fact, Moment } from "./parts.tsx";

export interface TraceStep {
  /** Epoch seconds. */
  readonly at: number;
  readonly step: string;
  /** Why it failed; undefined when it worked. */
  readonly reason: string | undefined;
  readonly requestId: string | undefined;
}

export interface ClientView extends AdminPageView {
  readonly clientId: string;
  readonly name: string | undefined;
  readonly registration: string;
  readonly redirectUris: readonly string[];
  readonly authMethod: string | undefined;
  readonly isRegistered: boolean;
  readonly hasKnownDocument: boolean;
  /** Epoch seconds. */
  readonly firstAt: number | undefined;
  readonly usedOn: number | undefined;
  readonly connections: number;
  /** The last first. */
  readonly trace: readonly TraceStep[];
}

/** Renders the client. Posts to /admin/client/end and /admin/client/forget. */
export function ClientPage(view: ClientView) {
  const { nonce, csrf, clientId, name } = view;
  return (
    <AdminFrame section="/admin/clients" title="Client" nonce={nonce} csrf={csrf}>
      <section class="card" aria-labelledby="client">
        <h2 id="client">{clientId === "" ? "Clients without an id" : <ClientName name={name} />}</h2>
        {clientId === "" ? (
          <p>Steps of clients that sent no client id: registrations that were refused, and broken links.</p>
        ) : (
          <Facts {...view} />
        )}
        <Ends {...view} />
      </section>
      <Trace view={view} />
    </AdminFrame>
  );
}

function Facts(view: ClientView) {
  const { clientId, registration, redirectUris, authMethod, firstAt, usedOn, connections } = view;
  const rows = [
    ["Id", <code>{spelledOut(clientId)}</code>],
    ["Verified", spelledOut(verifiedInWords(registration))],
    ["Answers go to", redirectUris.map((uri) => <code>{asciiUri(uri)}</code>)],
    ["Proves itself by", authMethod === undefined ? undefined : <code>{spelledOut(authMethod)}</code>],
    ["Document", view.hasKnownDocument ? "A copy is part of this gateway." : undefined],
    ["First token", firstAt === undefined ? "None yet" : <Moment at={firstAt} />],
    ["Last token", usedOn === undefined ? undefined : <Day at={usedOn} />],
    [
      "Connections",
      <a href={`/admin/connections?${new URLSearchParams({ client: clientId }).toString()}`}>
        {connections === 1 ? "1 connection" : `${connections} connections`}
      </a>,
    ],
  ] as const;
  return (
    <dl class="facts">
      {rows.map(([term, value]) =>
        value === undefined || (Array.isArray(value) && value.length === 0) ? null : (
          <Fact term={term}>{value}</Fact>
        ),
      )}
    </dl>
  );
}

function Ends({ clientId, name, csrf, connections, isRegistered }: ClientView) {
  const about = visibleName(name) ?? clientId;
  return (
    <div class="row">
      {connections === 0 ? null : (
        <Confirm
          label="End this client everywhere…"
          about={about}
          action="/admin/client/end"
          csrf={csrf}
          fields={{ id: clientId }}
          button="End this client everywhere"
        >
          {`Its sign-ins on ${connections === 1 ? "1 connection" : `${connections} connections`} stop at once, up to 400 of them each time. Others on these connections go on. `}
          {isRegistered ? "Its registration is deleted too. " : ""}
          This can't be undone; people can approve it again.
        </Confirm>
      )}
      {isRegistered ? (
        <Confirm
          label="Delete the registration…"
          about={about}
          action="/admin/client/forget"
          csrf={csrf}
          fields={{ id: clientId }}
          button="Delete the registration"
        >
          It can't sign in or refresh any more until it registers again, which most clients do by themselves.
          Its access tokens go on for an hour at most.
        </Confirm>
      ) : null}
    </div>
  );
}

function Trace({ view: { trace, name, clientId } }: { view: ClientView }) {
  const failed = trace.find(({ reason }) => reason !== undefined);
  const isLast = failed !== undefined && failed === trace[0];
  return (
    <Card id="trace" title="What it tried, the last first">
      {trace.length === 0 ? <p class="soft">No step is known.</p> : null}
      {isLast ? <Diagnosis failed={failed} client={`${name ?? ""} ${clientId}`} /> : null}
      <ol class="bare stack-wide">
        {trace.map(({ at, step, reason, requestId }) => (
          <li>
            <p>
              <strong>{spelledOut(stepInWords(step))}</strong> <Outcome reason={reason} />
            </p>
            <p class="small soft">
              <Moment at={at} />
              {requestId === undefined ? "" : " · Reference "}
              {requestId === undefined ? null : <code>{spelledOut(requestId)}</code>}
              {reason === undefined ? "" : " · Reason "}
              {reason === undefined ? null : <code>{spelledOut(reason)}</code>}
            </p>
          </li>
        ))}
      </ol>
      <p class="small soft">
        Discovery is listed when its address went on within ten minutes. After a consent page without a
        decision, the person closed it or the client never opened a browser.
      </p>
    </Card>
  );
}

function Diagnosis({ failed: { step, reason = "" }, client }: { failed: TraceStep; client: string }) {
  const { text, advice } = failureInWords(reason);
  const quirk = quirkInWords(client, reason);
  return (
    <div class="note warn stack">
      <p>
        <strong>{`It stopped at: ${spelledOut(stepInWords(step))}.`}</strong> {spelledOut(text)} {advice}
      </p>
      {quirk === undefined ? null : (
        <p>
          <strong>Known:</strong> {quirk}
        </p>
      )}
    </div>
  );
}
