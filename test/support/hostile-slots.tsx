// The values that somebody outside can choose on the pages of policy, tools, set-up, sign-in, keys and devices: what an
// admin, Gong, an identity or a request brings. Given to the test of escaping, with those of the other pages.

import type { Child } from "hono/jsx";
import { AccountCallsPage } from "../../src/pages/account-calls.tsx";
import { AccountKeyMadePage } from "../../src/pages/account-keys.tsx";
import { CallContentPage } from "../../src/pages/admin-call.tsx";
import { MadeMachineClientPage } from "../../src/pages/admin-machine-clients.tsx";
import { AdminPolicyPage } from "../../src/pages/admin-policy.tsx";
import { AdminSessionsPage } from "../../src/pages/admin-sessions.tsx";
import { AdminSetupPage } from "../../src/pages/admin-setup.tsx";
import { AdminSignInPage } from "../../src/pages/admin-sign-in.tsx";
import { AdminToolsPage, type AdminToolsView } from "../../src/pages/admin-tools.tsx";
import { ConsentPage } from "../../src/pages/consent.tsx";
import { DeviceCodePage, DeviceEndPage } from "../../src/pages/device.tsx";
import { KeySweepPage } from "../../src/pages/key-sweep.tsx";
import { spelledOut, visibleName } from "../../src/pages/outside-text.ts";
import { hostileNames } from "./named-samples.ts";
import { CONSENT, DEVICE, MADE_MACHINE, NONCE, SETUP } from "./page-samples.tsx";
import { POLICY, TOOLS } from "./policy-samples.tsx";

export interface Slot {
  readonly name: string;
  readonly page: (value: string) => Child;
  /** What of the value must be readable on the page; the value itself by default. */
  readonly shows?: (value: string) => string;
}

const nothing = () => "";

function toolsThatSay(value: string): AdminToolsView {
  const definition = JSON.stringify({ description: value, inputSchema: { [value]: value } });
  const form = { definition, hash: value, seenAt: 0 };
  return {
    ...TOOLS,
    tools: TOOLS.tools.map((tool) => ({
      ...tool,
      name: value,
      approved: { ...form, definition: '{"description":"Ask"}', by: value },
      waiting: [form],
      settings: { values: { weight: value, reuseSeconds: value }, problems: { weight: value } },
    })),
  };
}

const entered = (value: string) => ({
  values: { perDay: value, allow: value, timeZone: value, "guards.denyDeals": value },
  problems: { perDay: value, allow: value, timeZone: value, "guards.denyDeals": value, "": value },
});

const POLICY_SLOTS: readonly Slot[] = (["budgets", "guards", "access", "exceptions"] as const).map(
  (part) => ({
    name: `policy, ${part}: what an admin entered`,
    page: (value) => (
      <AdminPolicyPage
        {...POLICY}
        part={part}
        outcome="refused"
        budgets={entered(value)}
        guards={entered(value)}
        access={entered(value)}
        added={entered(value)}
        exceptions={[{ kind: "client", id: value, form: entered(value) }]}
        used={[{ owner: value, period: "day", used: 1, resets: value, state: "fine" }]}
      />
    ),
    shows: nothing,
  }),
);

const SIGN_IN_SLOTS: readonly Slot[] = [
  ...(["admin", "not_admin"] as const).map((kind) => ({
    name: `admin sign-in: the address that Access gives, ${kind}`,
    page: (value: string) => (
      <AdminSignInPage nonce={NONCE} byToken byAccess={{ kind, email: value }} publicUrl={value} failed />
    ),
  })),
  {
    name: "admin sessions: who",
    page: (value) => (
      <AdminSessionsPage
        nonce={NONCE}
        csrf={value}
        actor={value}
        sessions={[{ actor: value, since: 0, lastUsed: 0 }]}
      />
    ),
  },
  { name: "device: the code page", page: () => <DeviceCodePage nonce={NONCE} failed />, shows: nothing },
  { name: "device: the end", page: () => <DeviceEndPage nonce={NONCE} end="late" />, shows: nothing },
  {
    name: "device: what asks and from where",
    page: (value) => (
      <ConsentPage
        {...CONSENT}
        client={{ ...CONSENT.client, name: value }}
        device={{ ...DEVICE, userCode: value, askedFrom: value }}
      />
    ),
    shows: (value) => visibleName(value) ?? "no name",
  },
];

export const HOSTILE_SLOTS: readonly Slot[] = [
  ...POLICY_SLOTS,
  ...SIGN_IN_SLOTS,
  { name: "tools: what Gong says of them", page: (value) => <AdminToolsPage {...toolsThatSay(value)} /> },
  {
    name: "set-up: what Gong and the settings say",
    page: (value) => (
      <AdminSetupPage
        {...SETUP}
        redirectUri={value}
        checks={SETUP.checks.map((check) => ({ ...check, reason: value, detail: value }))}
        integrations={SETUP.integrations.map((integration) => ({ ...integration, clientId: value }))}
      />
    ),
  },
  {
    name: "sealing keys: ids",
    page: (value) => (
      <KeySweepPage
        nonce={NONCE}
        csrf="c"
        sealingKid={value}
        resealed={1}
        unfinished={0}
        byKid={[
          {
            kid: value,
            connections: 1,
            refreshTokens: 1,
            agentKeys: 1,
            results: 1,
            resultsUntil: 0,
            people: 1,
          },
        ]}
        unreadable={[{ what: value, missingKid: value }]}
        unreadableCount={1}
        looked={1}
        left={1}
        next={value}
        waitMinutes={60}
      />
    ),
  },
  {
    name: "machine client: what is shown once",
    page: (value) => (
      <MadeMachineClientPage {...MADE_MACHINE} clientId={value} secret={value} tokenEndpoint={value} />
    ),
  },
  {
    name: "account: a key that is shown once",
    page: (value) => (
      <AccountKeyMadePage nonce={NONCE} name={value} value={value} resource={value} expiresAt={0} />
    ),
    shows: (value) => visibleName(value) ?? "The new key",
  },
  {
    name: "account: calls by day and by what they are split",
    page: (value) => (
      <AccountCallsPage
        nonce={NONCE}
        csrf={value}
        keptDays={400}
        by="client"
        days={[value]}
        timeZone={value}
        totals={{ paid: 1, joined: 1, recovered: 1, reused: 1, refused: 1, failed: 1 }}
        series={[{ name: value, values: [1] }]}
        groups={[
          { name: value, calls: { paid: 1, joined: 1, recovered: 1, reused: 1, refused: 1, failed: 1 } },
        ]}
        names={hostileNames(value, "client")}
      />
    ),
  },
  {
    name: "spend: what was asked in one call",
    page: (value) => (
      <CallContentPage
        nonce={NONCE}
        csrf={value}
        id={value}
        call={value}
        read={{ kind: "opened", keptAt: 0, arguments: value }}
      />
    ),
    shows: spelledOut,
  },
];
