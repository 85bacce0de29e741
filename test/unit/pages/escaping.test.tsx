// Every value that a client, a person or Gong can choose, on every page, with every payload: text, never markup.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { AdminPage } from "../../../src/pages/admin.tsx";
import { ApprovalsPage } from "../../../src/pages/admin-approvals.tsx";
import { AuditPage } from "../../../src/pages/admin-audit.tsx";
import { ClientPage } from "../../../src/pages/admin-client.tsx";
import { ClientsPage, RegistrationsPage } from "../../../src/pages/admin-clients.tsx";
import { DoctorPage } from "../../../src/pages/admin-doctor.tsx";
import { ConnectionPage } from "../../../src/pages/admin-connection.tsx";
import { ConnectionsPage } from "../../../src/pages/admin-connections.tsx";
import {
  APPROVALS,
  AUDIT,
  CLIENT,
  CLIENTS,
  CONNECTION,
  CONNECTIONS,
  DOCTOR,
  REGISTRATIONS,
} from "../../support/admin-samples.tsx";
import { ConsentPage } from "../../../src/pages/consent.tsx";
import { ErrorPage } from "../../../src/pages/error.tsx";
import { HomePage } from "../../../src/pages/home.tsx";
import { AdminAgentKeyMadePage, AdminAgentKeysPage } from "../../../src/pages/admin-agent-keys.tsx";
import { MachineClientsPage } from "../../../src/pages/admin-machine-clients.tsx";
import { InterstitialPage } from "../../../src/pages/interstitial.tsx";
import { WaitingPage } from "../../../src/pages/waiting.tsx";
import { AccountPage } from "../../../src/pages/account.tsx";
import { AccountSignInPage } from "../../../src/pages/account-sign-in.tsx";
import { visibleName } from "../../../src/pages/outside-text.ts";
import { AGENT_KEY_MADE, AGENT_KEYS, agentKeyPage } from "../../support/agent-key-samples.tsx";
import { ADMIN, CONSENT, ERROR, machinePage, MACHINES, NONCE } from "../../support/page-samples.tsx";
import { ACCOUNT, PERSON } from "../../support/account-samples.tsx";
import { LedgerPage } from "../../../src/pages/admin-ledger.tsx";
import { SpendPage } from "../../../src/pages/admin-spend.tsx";
import { LEDGER, SPEND } from "../../support/spend-samples.tsx";
import { HOSTILE_SLOTS, type Slot } from "../../support/hostile-slots.tsx";
import { hostileNames } from "../../support/named-samples.ts";
import { readHtml } from "../../support/read-html.ts";
import { XSS_CORPUS } from "../../support/xss-corpus.ts";

const HARMLESS = "harmless";

const asName = (value: string) => visibleName(value) ?? "no name";
const asCode = (value: string) => value.replaceAll(/\s+/gu, " ");
const asUrl = (value: string) => `https://evil.test/cb?q=${value}`;
const nothing = () => "";

const CONSENT_SLOTS: readonly Slot[] = [
  {
    name: "consent: client name",
    page: (value) => <ConsentPage {...CONSENT} client={{ ...CONSENT.client, name: value }} />,
    shows: asName,
  },
  {
    name: "consent: client ID",
    page: (value) => <ConsentPage {...CONSENT} client={{ ...CONSENT.client, clientId: value }} />,
  },
  { name: "consent: redirect URI", page: (value) => <ConsentPage {...CONSENT} redirectUri={value} /> },
  { name: "consent: redirect host", page: (value) => <ConsentPage {...CONSENT} redirectHost={value} /> },
  { name: "consent: scope", page: (value) => <ConsentPage {...CONSENT} scopes={[value]} /> },
  { name: "consent: resource", page: (value) => <ConsentPage {...CONSENT} resource={value} /> },
  {
    name: "consent: sealed request",
    page: (value) => <ConsentPage {...CONSENT} sealedRequest={value} />,
    shows: nothing,
  },
  {
    name: "waiting: client name",
    page: (value) => (
      <WaitingPage
        nonce={NONCE}
        clientName={value}
        code="A"
        checkUrl="/wait"
        adminUrl="https://g.test/admin"
      />
    ),
    shows: asName,
  },
  {
    name: "waiting: addresses",
    page: (value) => (
      <WaitingPage nonce={NONCE} clientName="A" code="A" checkUrl={`/wait?q=${value}`} adminUrl={value} />
    ),
  },
];

const WAY_SLOTS: readonly Slot[] = [
  {
    name: "interstitial: URL",
    page: (value) => (
      <InterstitialPage
        nonce={NONCE}
        heading="h"
        text="t"
        url={asUrl(value)}
        linkLabel="l"
        host="evil.test"
      />
    ),
    shows: nothing,
  },
  {
    name: "interstitial: host",
    page: (value) => (
      <InterstitialPage nonce={NONCE} heading="h" text="t" url="https://c.test/" linkLabel="l" host={value} />
    ),
  },
  {
    name: "error: detail",
    page: (value) => <ErrorPage {...ERROR} details={[{ label: "Asked for", value }]} />,
  },
  {
    name: "error: action",
    page: (value) => <ErrorPage {...ERROR} action={{ label: "On", url: asUrl(value) }} />,
    shows: nothing,
  },
  {
    name: "error: words",
    page: (value) => <ErrorPage {...ERROR} title={value} text={value} hint={value} requestId={value} />,
  },
  {
    name: "home: address",
    page: (value) => <HomePage nonce={NONCE} gatewayName={value} mcpUrl={value} sharedMcpUrl={value} />,
  },
];

const approval = {
  id: "a",
  clientId: "a",
  code: "A",
  clientName: "A",
  redirectUri: "https://c.test/",
  requestedAt: 0,
};
const [event] = ACCOUNT.events;
const ACCOUNT_SLOTS: readonly Slot[] = [
  {
    name: "account: an agent's name",
    page: (value) => (
      <AccountPage
        {...ACCOUNT}
        agents={ACCOUNT.agents.slice(0, 1).map((agent) => ({ ...agent, clientName: value }))}
      />
    ),
    shows: asName,
  },
  {
    name: "account: an agent's other values",
    page: (value) => (
      <AccountPage
        {...ACCOUNT}
        agents={ACCOUNT.agents.slice(0, 1).map((agent) => ({
          ...agent,
          id: value,
          clientId: value,
          scopes: [value],
        }))}
      />
    ),
  },
  {
    name: "account: an agent key's values",
    page: (value) => (
      <AccountPage
        {...ACCOUNT}
        keys={{
          ...ACCOUNT.keys,
          resource: value,
          keys: ACCOUNT.keys.keys.slice(0, 1).map((key) => ({ ...key, id: value, tools: [value] })),
        }}
      />
    ),
  },
  {
    name: "account: an agent key's name",
    page: (value) => (
      <AccountPage
        {...ACCOUNT}
        keys={{
          ...ACCOUNT.keys,
          keys: ACCOUNT.keys.keys.slice(0, 1).map((key) => ({ ...key, name: value })),
        }}
      />
    ),
    shows: asName,
  },
  {
    name: "account: a name in the record",
    page: (value) => (
      <AccountPage
        {...ACCOUNT}
        events={event === undefined ? [] : [{ ...event, action: "key.created", name: value }]}
      />
    ),
    shows: asName,
  },
  {
    name: "account: the connection's values and the record's others",
    page: (value) => (
      <AccountPage
        {...ACCOUNT}
        shortId={value}
        state={value}
        reason={value}
        events={[{ at: 0, action: value, name: undefined, reason: value }]}
      />
    ),
  },
  {
    name: "account sign-in: what Access says",
    page: (value) => (
      <AccountSignInPage
        nonce={NONCE}
        person={{ email: value, connections: [{ id: value, state: value, since: 0, agentNames: [] }] }}
      />
    ),
  },
  {
    name: "account sign-in: an agent's name",
    page: (value) => (
      <AccountSignInPage
        nonce={NONCE}
        person={{
          ...PERSON,
          connections: PERSON.connections.slice(0, 1).map((one) => ({ ...one, agentNames: [value] })),
        }}
      />
    ),
    shows: asName,
  },
];

const ADMIN_SLOTS: readonly Slot[] = [
  {
    name: "admin: approval's client name",
    page: (value) => <AdminPage {...ADMIN} approvals={[{ ...approval, clientName: value }]} />,
    shows: asName,
  },
  {
    name: "admin: approval's other values",
    page: (value) => (
      <AdminPage
        {...ADMIN}
        approvals={[{ ...approval, id: value, clientId: value, code: value, redirectUri: value }]}
      />
    ),
  },
  {
    name: "admin: grant's client name",
    page: (value) => (
      <ConnectionPage
        {...CONNECTION}
        grants={CONNECTION.grants.slice(0, 1).map((grant) => ({ ...grant, clientName: value }))}
      />
    ),
    shows: asName,
  },
  {
    name: "admin: grant's and key's other values",
    page: (value) => (
      <ConnectionPage
        {...CONNECTION}
        grants={CONNECTION.grants
          .slice(0, 1)
          .map((grant) => ({ ...grant, id: value, clientId: value, scope: value }))}
        keys={CONNECTION.keys.map((key) => ({ ...key, id: value, name: value, createdBy: value }))}
      />
    ),
  },
  {
    name: "admin: connection's values",
    page: (value) => (
      <ConnectionPage
        {...CONNECTION}
        id={value}
        state={value}
        reason={value}
        agents={value}
        sealedWith={value}
        missingKid={value}
        personDue={{ at: 0, why: value }}
      />
    ),
  },
  {
    name: "admin: a paid call's values",
    page: (value) => (
      <LedgerPage
        {...LEDGER}
        agents={value}
        page={{
          ...LEDGER.page,
          rows: LEDGER.page.rows.map((row) => ({
            ...row,
            agent: value,
            person: value,
            personName: value,
            tool: value,
            outcome: value,
          })),
        }}
      />
    ),
  },
  {
    name: "admin: names of what calls are split by",
    page: (value) => (
      <SpendPage
        {...SPEND}
        by="connection"
        series={[{ name: value, values: SPEND.days.map(() => 1) }]}
        groups={[{ name: value, calls: SPEND.totals }]}
        names={hostileNames(value, "connection")}
        parts={[value]}
      />
    ),
  },
  {
    name: "admin: a row of the list of connections",
    page: (value) => (
      <ConnectionsPage
        {...CONNECTIONS}
        page={{
          ...CONNECTIONS.page,
          rows: CONNECTIONS.page.rows
            .slice(0, 1)
            .map((row) => ({ ...row, id: value, state: value, reason: value, agents: value })),
        }}
      />
    ),
  },
  {
    name: "admin: a request in the list of requests",
    page: (value) => (
      <ApprovalsPage
        {...APPROVALS}
        page={{
          ...APPROVALS.page,
          rows: [
            {
              ...approval,
              id: value,
              clientId: value,
              clientName: value,
              code: value,
              redirectUri: value,
            },
          ],
        }}
      />
    ),
  },
  {
    name: "admin: a client and what it tried",
    page: (value) => (
      <ClientPage
        {...CLIENT}
        clientId={value}
        name={value}
        registration={value}
        redirectUris={[value]}
        authMethod={value}
        trace={[{ at: 0, step: value, reason: value, requestId: value }]}
      />
    ),
  },
  {
    name: "admin: rows of the lists of clients and registrations",
    page: (value) => (
      <>
        <ClientsPage
          {...CLIENTS}
          page={{
            ...CLIENTS.page,
            rows: CLIENTS.page.rows.slice(0, 1).map((row) => ({
              ...row,
              clientId: value,
              name: value,
              registration: value,
              redirectUri: value,
            })),
          }}
        />
        <RegistrationsPage
          {...REGISTRATIONS}
          page={{
            ...REGISTRATIONS.page,
            rows: REGISTRATIONS.page.rows.map((row) => ({
              ...row,
              clientId: value,
              name: value,
              redirectUris: [value],
              authMethod: value,
            })),
          }}
        />
      </>
    ),
  },
  {
    name: "admin: a row of the client doctor",
    page: (value) => (
      <DoctorPage
        {...DOCTOR}
        page={{
          ...DOCTOR.page,
          rows: [{ clientId: value, name: value, step: value, reason: value, at: 0 }],
        }}
      />
    ),
  },
  {
    name: "admin: a row of the audit and its filters",
    page: (value) => (
      <AuditPage
        {...AUDIT}
        actors={[value]}
        actions={[value]}
        page={{
          ...AUDIT.page,
          rows: [{ at: 0, actor: value, action: value, target: value, requestId: value }],
        }}
      />
    ),
  },
  {
    name: "admin: settings",
    page: (value) => (
      <AdminPage
        {...ADMIN}
        csrf={value}
        problems={[{ text: value }]}
        states={{ [value]: 1 }}
        integrations={[{ access: "shared", resource: value, connection: { state: value, reason: value } }]}
      />
    ),
  },
  {
    name: "agent keys: name",
    page: (value) => <AdminAgentKeysPage {...AGENT_KEYS} page={agentKeyPage({ name: value })} />,
    shows: asName,
  },
  {
    name: "agent keys: other values",
    page: (value) => (
      <AdminAgentKeysPage
        {...AGENT_KEYS}
        csrf={value}
        resources={[value, value]}
        page={agentKeyPage({
          id: value,
          connectionId: value,
          tools: [value],
          createdBy: value,
          revokedBy: value,
        })}
      />
    ),
  },
  {
    name: "agent key: what is shown once",
    page: (value) => (
      <AdminAgentKeyMadePage nonce={NONCE} csrf={value} {...AGENT_KEY_MADE} value={value} resource={value} />
    ),
  },
  {
    name: "agent key: its name",
    page: (value) => <AdminAgentKeyMadePage nonce={NONCE} csrf="c" {...AGENT_KEY_MADE} name={value} />,
    shows: (value) => visibleName(value) ?? "The new key",
  },
  {
    name: "machine clients: name",
    page: (value) => <MachineClientsPage {...MACHINES} page={machinePage({ name: value })} />,
    shows: asName,
  },
  {
    name: "machine clients: other values",
    page: (value) => (
      <MachineClientsPage
        {...MACHINES}
        problem={value}
        enteredName={value}
        page={machinePage({ id: value, scope: value, createdBy: value })}
      />
    ),
  },
];

describe(verifies("pages.escaping", "text from outside on every page"), () => {
  test("the corpus has at least fifty different payloads", () => {
    expect(new Set(XSS_CORPUS).size).toBeGreaterThanOrEqual(50);
  });

  const SLOTS = [...CONSENT_SLOTS, ...WAY_SLOTS, ...ACCOUNT_SLOTS, ...ADMIN_SLOTS, ...HOSTILE_SLOTS];

  test.each(SLOTS)("ASVS 1.2.1: $name adds no element and no attribute, and stays readable", async (slot) => {
    const usual = new Set([(await readHtml(slot.page(HARMLESS))).structure]);
    // A payload with a space makes no URL a browser may be sent to: then the link is left out, and nothing else.
    usual.add((await readHtml(slot.page("not a URL"))).structure);
    for (const payload of XSS_CORPUS) {
      const page = await readHtml(slot.page(payload));
      expect(usual, `${payload} changes the structure to ${page.structure}`).toContain(page.structure);
      expect(page.text).toContain(asCode((slot.shows ?? String)(payload)));
    }
  });

  test.each(SLOTS)(
    "RFC 9700 §4.11: $name brings no link but to https, this computer or this gateway",
    async (slot) => {
      for (const payload of XSS_CORPUS) {
        const { elements } = await readHtml(slot.page(payload));
        const targets = elements.flatMap(({ attributes }) => [attributes["href"], attributes["action"]]);
        for (const target of targets.filter((it) => it !== undefined))
          expect(target).toMatch(/^(?:https:\/\/|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/]|\/(?!\/))/u);
      }
    },
  );
});
