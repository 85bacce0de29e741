// The account pages in every state, with ordinary and with hostile values. Part of page-samples.tsx.

import type { Child } from "hono/jsx";
import { BY_CLIENT, EMPTY, SPEND } from "./spend-samples.tsx";
import { AccountCallsPage } from "../../src/pages/account-calls.tsx";
import { AccountKeyMadePage } from "../../src/pages/account-keys.tsx";
import { AccountPage, type AccountView } from "../../src/pages/account.tsx";
import { AccountSignInPage } from "../../src/pages/account-sign-in.tsx";
import { secondsOf } from "./moments.ts";

const NONCE = "c2FtcGxlLW5vbmNl";

export const ACCOUNT: AccountView = {
  nonce: NONCE,
  csrf: "csrf-token",
  shortId: "WC4MJQ51",
  state: "connected",
  reason: undefined,
  since: secondsOf("2026-11-20T09:00:00Z"),
  agents: [
    {
      id: "g1",
      clientId: "gcl_u4g8Qa7m",
      clientName: "Claude Code (gong)",
      registration: "dynamic",
      scopes: ["mcp:ai-ask:read", "mcp:ai-briefer:read"],
      createdAt: secondsOf("2026-11-20T09:00:00Z"),
      lastUsedAt: secondsOf("2026-11-22T17:00:00Z"),
    },
    {
      id: "g2",
      clientId: "https://chatgpt.com/oauth/client.json",
      clientName: "ChatGPT",
      registration: "metadata_document",
      scopes: ["mcp:ai-ask:read"],
      createdAt: secondsOf("2026-11-21T09:00:00Z"),
      lastUsedAt: secondsOf("2026-11-21T09:00:00Z"),
    },
  ],
  keys: {
    connected: true,
    resource: "https://gateway.test/mcp",
    lifetimes: [7, 30, 90, 365],
    refusal: undefined,
    keys: [
      {
        id: "k1",
        name: "Nightly report",
        tools: ["ask_account"],
        state: "live",
        createdAt: secondsOf("2026-11-20T09:00:00Z"),
        expiresAt: secondsOf("2027-02-18T09:00:00Z"),
        lastUsedAt: secondsOf("2026-11-22T03:00:00Z"),
        revokedAt: undefined,
      },
      {
        id: "k2",
        name: "Old job",
        tools: undefined,
        state: "revoked",
        createdAt: secondsOf("2026-10-20T09:00:00Z"),
        expiresAt: secondsOf("2027-02-18T09:00:00Z"),
        lastUsedAt: undefined,
        revokedAt: secondsOf("2026-11-01T09:00:00Z"),
      },
    ],
  },
  calls: new Map([
    ["g1", { calls: 41, paid: 37 }],
    ["k1", { calls: 1, paid: 1 }],
  ]),
  events: [
    {
      at: secondsOf("2026-11-21T09:00:00Z"),
      action: "agent.ended",
      name: "Codex",
      reason: "ended_by_person",
    },
    { at: secondsOf("2026-11-20T09:00:00Z"), action: "connected", name: undefined, reason: undefined },
  ],
  done: undefined,
};

export const PERSON = {
  email: "ada@example.com",
  connections: [
    {
      id: "WC4MJQ51AAAAAAAAAAAAAA",
      state: "connected",
      since: secondsOf("2026-11-20T09:00:00Z"),
      agentNames: ["Claude Code (gong)", undefined],
    },
    { id: "B".repeat(22), state: "disconnected", since: secondsOf("2026-10-20T09:00:00Z"), agentNames: [] },
  ],
};

/** Every account page and state by the name of its picture. */
export const ACCOUNT_SAMPLES: Readonly<Record<string, () => Child>> = {
  "account-sign-in": () => <AccountSignInPage nonce={NONCE} />,
  "account-sign-in-access": () => <AccountSignInPage nonce={NONCE} person={PERSON} />,
  "account-sign-in-access-empty": () => (
    <AccountSignInPage nonce={NONCE} person={{ ...PERSON, connections: [] }} />
  ),
  account: () => <AccountPage {...ACCOUNT} />,
  "account-key-refused": () => <AccountPage {...ACCOUNT} keys={{ ...ACCOUNT.keys, refusal: "name_taken" }} />,
  "account-key-made": () => (
    <AccountKeyMadePage
      nonce={NONCE}
      name="Nightly report"
      value={`gak_${"A".repeat(124)}`}
      resource="https://gateway.test/mcp"
      expiresAt={secondsOf("2027-02-18T09:00:00Z")}
    />
  ),
  "account-calls": () => <AccountCallsPage {...SPEND} keptDays={400} />,
  "account-calls-readable": () => <AccountCallsPage {...SPEND} keptDays={400} readableDays={30} />,
  "account-calls-by-client": () => <AccountCallsPage {...SPEND} {...BY_CLIENT} keptDays={400} />,
  "account-no-calls": () => <AccountCallsPage {...SPEND} {...EMPTY} keptDays={400} />,
  "account-lost": () => <AccountPage {...ACCOUNT} state="needs_reconnect" reason="ended_by_gong" />,
  "account-no-credits": () => (
    <AccountPage {...ACCOUNT} outOfCreditsSince={secondsOf("2026-11-22T17:35:00Z")} />
  ),
  "account-failing": () => <AccountPage {...ACCOUNT} reason="unavailable" />,
  "account-ended": () => (
    <AccountPage
      {...ACCOUNT}
      state="disconnected"
      reason="ended_by_person"
      agents={[]}
      keys={{ ...ACCOUNT.keys, connected: false, keys: [] }}
      calls={new Map()}
      done="Your connection has ended."
    />
  ),
};
