// Every page in every state, with ordinary and with hostile values. Rendered by preview.ts into pictures and by the
// page tests into text.

import type { Child } from "hono/jsx";
import { ACCOUNT_SAMPLES } from "./account-samples.tsx";
import { AdminPage, type AdminView } from "../../src/pages/admin.tsx";
import { AdminSetupPage, type AdminSetupView } from "../../src/pages/admin-setup.tsx";
import { AdminSessionsPage } from "../../src/pages/admin-sessions.tsx";
import {
  MachineClientsPage,
  MadeMachineClientPage,
  type MachineClient,
  type MachineClientsView,
  type MadeMachineClientView,
} from "../../src/pages/admin-machine-clients.tsx";
import { EMPTY_PAGE, type ListPage } from "../../src/listing.ts";
import { AdminSignInPage } from "../../src/pages/admin-sign-in.tsx";
import { ConsentPage, type ConsentView } from "../../src/pages/consent.tsx";
import { type AskingDeviceView, DeviceCodePage, DeviceEndPage } from "../../src/pages/device.tsx";
import { ErrorPage, type ErrorView } from "../../src/pages/error.tsx";
import { HomePage } from "../../src/pages/home.tsx";
import { InterstitialPage } from "../../src/pages/interstitial.tsx";
import { WaitingPage } from "../../src/pages/waiting.tsx";
import { ADMIN_SAMPLES } from "./admin-samples.tsx";
import { SPEND_SAMPLES } from "./spend-samples.tsx";
import { AGENT_KEY_SAMPLES } from "./agent-key-samples.tsx";
import { POLICY_SAMPLES } from "./policy-samples.tsx";
import { secondsOf } from "./moments.ts";

export const NONCE = "c2FtcGxlLW5vbmNl";

export const CONSENT: ConsentView = {
  nonce: NONCE,
  client: { name: "Claude", registration: "dynamic", clientId: "client_8f2c1d" },
  redirectUri: "https://claude.ai/api/mcp/auth_callback",
  redirectHost: "claude.ai",
  loopback: false,
  scopes: ["mcp:ai-ask:read", "mcp:ai-assistant:read", "mcp:ai-briefer:read"],
  access: "personal",
  resource: "https://gateway.test/mcp",
  gatewayHost: "gateway.test",
  sealedRequest: "eyJhbGciOiJkaXIifQ..sealed",
  idleDays: 30,
  longestDays: 180,
};

const CHECKED = { verdict: "ok", reason: "well", checkedAt: secondsOf("2026-11-18T09:12:00.000Z") } as const;

/** A set-up where much is wrong. */
export const SETUP: AdminSetupView = {
  nonce: NONCE,
  csrf: "csrf",
  redirectUri: "https://gateway.test/callback",
  checks: [
    { name: "settings", ...CHECKED, verdict: "problem", reason: "example_values", detail: "GONG_CLIENT_ID" },
    { name: "keys", ...CHECKED, verdict: "problem", reason: "published_key", detail: "k1" },
    { name: "address", ...CHECKED, reason: "loopback" },
    { name: "discovery", ...CHECKED, detail: "app.gong.io" },
  ],
  integrations: [
    {
      name: "main",
      access: "personal",
      clientId: "gong-client",
      checks: [
        { name: "client", ...CHECKED, verdict: "problem", reason: "client_refused" },
        { name: "sign_in", ...CHECKED, verdict: "unknown", reason: "at_gong" },
        { name: "scopes", verdict: "not_run", reason: "not_run" },
        { name: "tools", verdict: "not_run", reason: "not_run" },
      ],
    },
  ],
  well: false,
};

const SETUP_WELL: AdminSetupView = {
  ...SETUP,
  checks: ["settings", "keys", "address", "discovery"].map((name) => ({ name, ...CHECKED })),
  integrations: [
    {
      name: "main",
      access: "personal",
      clientId: "gong-client",
      checks: ["client", "sign_in", "scopes", "tools"].map((name) => ({ name, ...CHECKED })),
    },
  ],
  well: true,
  asOf: secondsOf("2026-11-18T09:12:00.000Z"),
};

const BY_TOKEN = { byToken: true, byAccess: { kind: "off" } } as const;

export const DEVICE: AskingDeviceView = {
  userCode: "GDJB-MJHT",
  askedFrom: "198.51.100.20, Germany",
  askedAt: secondsOf("2026-11-22T12:00:00Z"),
  sameAddress: false,
};

export const LOOPBACK_CONSENT: ConsentView = {
  ...CONSENT,
  client: { name: "Claude Code (gong)", registration: "dynamic", clientId: "client_51ab07" },
  redirectUri: "http://localhost:49152/callback",
  redirectHost: "localhost:49152",
  loopback: true,
};

/** A client known by its metadata document, with its answer on the web. */
export const DOCUMENT_CONSENT: ConsentView = {
  ...CONSENT,
  client: {
    name: "ChatGPT",
    registration: "metadata_document",
    clientId: "https://chatgpt.com/oauth/client.json",
  },
  redirectUri: "https://chatgpt.com/connector_platform_oauth_redirect",
  redirectHost: "chatgpt.com",
};

export const SHARED_CONSENT: ConsentView = {
  ...CONSENT,
  client: { name: "Revenue desk agent", registration: "preregistered", clientId: "revenue-desk" },
  redirectUri: "https://desk.acme.test/oauth/callback",
  redirectHost: "desk.acme.test",
  access: "shared",
  resource: "https://gateway.test/shared/mcp",
};

/** A name that reads backwards, hides, is stacked and is long, with a look-alike host. */
export const HOSTILE_CONSENT: ConsentView = {
  ...CONSENT,
  client: {
    name: `Gong (verified)\u202E\u200Bnoitacilppa\u2066 ${"Z\u0351\u0352\u0353\u0354\u0355".repeat(4)} ${"very ".repeat(900)}long`,
    registration: "dynamic",
    clientId: `client_${"0123456789".repeat(12)}`,
  },
  redirectUri: `https://xn--gng-5qa.io.evil.test/${"a-long-path-without-a-break".repeat(8)}?next=\u202Ecod`,
  redirectHost: "xn--gng-5qa.io.evil.test",
  scopes: ["mcp:ai-ask:read", "mcp:<b>everything</b>:write"],
};

export const ERROR: ErrorView = {
  nonce: NONCE,
  title: "This approval has expired",
  text: "Ten minutes passed between your approval and Gong's answer, so it was not used.",
  hint: "Go back to your client and start to sign in again.",
  requestId: "req_7Kc2fXq0aN",
};

const PERSONAL = { access: "personal", resource: "https://gateway.test/mcp" } as const;
const SHARED = { access: "shared", resource: "https://gateway.test/shared/mcp" } as const;

const NOTHING: AdminView = {
  nonce: NONCE,
  csrf: "csrf-token",
  setup: { all: 12, open: 12 },
  integrations: [PERSONAL, SHARED],
  approvals: [],
  states: {},
  activity: { days: [], paid: [], saved: [], refused: [], failed: [] },
  problems: [],
};

/** A list of one machine client, with changes. */
export const machinePage = (changes: Partial<MachineClient> = {}): ListPage<MachineClient> => ({
  ...EMPTY_PAGE,
  total: 1,
  rows: [
    {
      id: "gmc_AAAAAAAAAAAAAAAAAAAAAA",
      name: "Nightly report",
      proof: "secret",
      scope: "mcp:ai-ask:read",
      state: "live",
      createdAt: secondsOf("2026-11-20T09:00:00Z"),
      createdBy: "admin",
      ...changes,
    },
  ],
});

export const MACHINES: MachineClientsView = {
  nonce: NONCE,
  csrf: "csrf",
  query: { search: "", filters: {}, cursor: undefined },
  page: machinePage(),
  hasShared: true,
  scopes: ["mcp:ai-ask:read", "mcp:ai-briefer:read", "mcp:ai-assistant:read"],
  expiryDays: [30, 90, 365, 0],
};

export const MADE_MACHINE: MadeMachineClientView = {
  nonce: NONCE,
  csrf: "csrf",
  clientId: "gmc_AAAAAAAAAAAAAAAAAAAAAA",
  secret: "gcs_example",
  tokenEndpoint: "https://gateway.test/token",
  resource: "https://gateway.test/shared/mcp",
};

export const ADMIN: AdminView = {
  ...NOTHING,
  setup: { all: 12, open: 0, asOf: secondsOf("2026-11-18T09:12:00.000Z") },
  integrations: [PERSONAL, { ...SHARED, connection: { state: "needs_reconnect", reason: "ended_by_gong" } }],
  approvals: [
    {
      id: "apr_1",
      code: "KX4-9TD",
      clientId: "revenue-desk",
      clientName: "Revenue desk agent",
      redirectUri: "https://desk.acme.test/oauth/callback",
      requestedAt: secondsOf("2026-11-22T17:35:00Z"),
    },
    {
      id: "apr_2",
      code: "M2P-7QF",
      clientId: "gcl_J3kf02mC9qLw8ZrT1xYvAa",
      clientName: undefined,
      redirectUri: "http://127.0.0.1:33418/",
      requestedAt: secondsOf("2026-11-22T17:36:00Z"),
    },
  ],
  states: { connected: 1284, needs_reconnect: 3, disconnected: 41 },
  activity: {
    days: Array.from({ length: 30 }, (_, at) =>
      new Date(Date.UTC(2026, 9, 24 + at)).toISOString().slice(0, 10),
    ),
    paid: Array.from({ length: 30 }, (_, at) => (at * 37) % 90),
    saved: Array.from({ length: 30 }, (_, at) => (at * 11) % 25),
    refused: Array.from({ length: 30 }, (_, at) => (at % 7 === 3 ? 6 : 0)),
    failed: Array.from({ length: 30 }, (_, at) => (at % 11 === 5 ? 4 : 0)),
  },
  problems: [
    {
      text: "3 connections need their person to sign in at Gong again.",
      path: "/admin/connections?state=needs_reconnect",
    },
    { text: "Connections are sealed with key k0, which is not in SEALING_KEYS." },
  ],
};

function hostileAdmin(): AdminView {
  const name = HOSTILE_CONSENT.client.name;
  return {
    ...ADMIN,
    approvals: ADMIN.approvals.map((approval) => ({
      ...approval,
      clientName: name,
      redirectUri: HOSTILE_CONSENT.redirectUri,
    })),
    states: { ...ADMIN.states, "<img src=x onerror=xss(1)>": 1 },
    problems: [{ text: "<img src=x onerror=xss(1)>\u202Elabel" }],
  };
}

/** Every page and state by the name of its picture. */
export const PAGE_SAMPLES: Readonly<Record<string, () => Child>> = {
  ...AGENT_KEY_SAMPLES,
  home: () => (
    <HomePage
      nonce={NONCE}
      gatewayName="Gong for AI agents"
      mcpUrl="https://gateway.test/mcp"
      sharedMcpUrl="https://gateway.test/shared/mcp"
    />
  ),
  "home-personal-only": () => (
    <HomePage
      nonce={NONCE}
      gatewayName="Gong for AI agents"
      mcpUrl="https://gateway.test/mcp"
      sharedMcpUrl={undefined}
    />
  ),
  ...POLICY_SAMPLES,
  consent: () => <ConsentPage {...CONSENT} />,
  "consent-loopback": () => <ConsentPage {...LOOPBACK_CONSENT} />,
  "consent-document": () => <ConsentPage {...DOCUMENT_CONSENT} />,
  "consent-document-loopback": () => <ConsentPage {...LOOPBACK_CONSENT} client={DOCUMENT_CONSENT.client} />,
  "consent-shared": () => <ConsentPage {...SHARED_CONSENT} />,
  "consent-readable": () => <ConsentPage {...CONSENT} readableDays={30} />,
  "consent-nameless": () => (
    <ConsentPage {...LOOPBACK_CONSENT} client={{ ...LOOPBACK_CONSENT.client, name: undefined }} />
  ),
  "consent-right-to-left": () => (
    <ConsentPage {...CONSENT} client={{ ...CONSENT.client, name: "סוכן המכירות 2" }} />
  ),
  "consent-hostile": () => <ConsentPage {...HOSTILE_CONSENT} />,
  "interstitial-gong": () => (
    <InterstitialPage
      nonce={NONCE}
      heading="Taking you to Gong…"
      text="Sign in there and allow the access. Gong then brings you back."
      url="https://app.gong.test/oauth2/authorize?state=1"
      linkLabel="Go on to Gong"
      host="app.gong.test"
    />
  ),
  "interstitial-denied": () => (
    <InterstitialPage
      nonce={NONCE}
      heading="Access denied"
      text="Nothing was shared. Your client is told."
      url="http://localhost:49152/callback?error=access_denied"
      linkLabel="Back to your client"
      host="localhost:49152"
    />
  ),
  "interstitial-blocked": () => (
    <InterstitialPage
      nonce={NONCE}
      heading="h"
      text="t"
      url="javascript:xss(1)"
      linkLabel="l"
      host="evil.test"
    />
  ),
  "error-expired": () => <ErrorPage {...ERROR} />,
  "error-redirect-uri": () => (
    <ErrorPage
      {...ERROR}
      title="This redirect URI is not registered"
      text="The client asked to send access to an address that it did not register, so nothing was sent."
      hint="Remove the server in your client and add it again."
      details={[
        { label: "Asked for", value: HOSTILE_CONSENT.redirectUri },
        { label: "Registered", value: "https://claude.ai/api/mcp/auth_callback" },
      ]}
      action={{ label: "How to add this gateway", url: "/" }}
    />
  ),
  waiting: () => (
    <WaitingPage
      nonce={NONCE}
      clientName="Revenue desk agent"
      code="KX4-9TD"
      checkUrl="/authorize/wait?approval=apr_1"
      adminUrl="https://gateway.test/admin"
    />
  ),
  "admin-machine-clients": () => <MachineClientsPage {...MACHINES} />,
  "admin-machine-clients-empty": () => (
    <MachineClientsPage {...MACHINES} hasShared={false} page={EMPTY_PAGE} />
  ),
  "admin-machine-client-made": () => <MadeMachineClientPage {...MADE_MACHINE} />,
  device: () => <DeviceCodePage nonce={NONCE} failed={false} />,
  "device-failed": () => <DeviceCodePage nonce={NONCE} failed />,
  "device-locked": () => <DeviceCodePage nonce={NONCE} failed retryAfterSeconds={840} />,
  "device-consent": () => <ConsentPage {...CONSENT} device={DEVICE} />,
  "device-consent-hostile": () => (
    <ConsentPage {...HOSTILE_CONSENT} device={{ ...DEVICE, askedFrom: HOSTILE_CONSENT.redirectUri }} />
  ),
  "device-end": () => <DeviceEndPage nonce={NONCE} end="connected" />,
  "device-end-late": () => <DeviceEndPage nonce={NONCE} end="late" />,
  "admin-sign-in": () => <AdminSignInPage nonce={NONCE} {...BY_TOKEN} failed={false} />,
  "admin-sign-in-failed": () => <AdminSignInPage nonce={NONCE} {...BY_TOKEN} failed />,
  "admin-sign-in-locked": () => (
    <AdminSignInPage nonce={NONCE} {...BY_TOKEN} failed={false} retryAfterSeconds={840} />
  ),
  "admin-setup": () => <AdminSetupPage {...SETUP} />,
  "admin-setup-well": () => <AdminSetupPage {...SETUP_WELL} />,
  "admin-sessions": () => (
    <AdminSessionsPage
      nonce={NONCE}
      csrf="csrf"
      actor="ada@example.com"
      sessions={[
        {
          actor: "ada@example.com",
          since: secondsOf("2026-11-18T08:00:00.000Z"),
          lastUsed: secondsOf("2026-11-18T09:12:00.000Z"),
        },
        {
          actor: "admin",
          since: secondsOf("2026-11-18T07:30:00.000Z"),
          lastUsed: secondsOf("2026-11-18T07:31:00.000Z"),
        },
      ]}
    />
  ),
  "admin-sign-in-access": () => (
    <AdminSignInPage
      nonce={NONCE}
      byToken
      byAccess={{ kind: "admin", email: "ada@example.com" }}
      failed={false}
    />
  ),
  "admin-sign-in-not-admin": () => (
    <AdminSignInPage
      nonce={NONCE}
      byToken={false}
      byAccess={{ kind: "not_admin", email: "grace@example.com" }}
      failed={false}
    />
  ),
  "admin-sign-in-no-access": () => (
    <AdminSignInPage
      nonce={NONCE}
      byToken
      byAccess={{ kind: "missing" }}
      publicUrl="https://gateway.example"
      failed={false}
    />
  ),
  "admin-empty": () => <AdminPage {...NOTHING} />,
  admin: () => <AdminPage {...ADMIN} />,
  "admin-no-credits": () => (
    <AdminPage {...ADMIN} problems={[]} outOfCreditsSince={secondsOf("2026-11-22T17:35:00Z")} />
  ),
  "admin-hostile": () => <AdminPage {...hostileAdmin()} />,
  ...ADMIN_SAMPLES,
  ...SPEND_SAMPLES,
  ...ACCOUNT_SAMPLES,
};
