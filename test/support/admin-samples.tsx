// The sections of /admin in their states, with ordinary values. Used by page-samples.tsx and by the page tests.

import type { Child } from "hono/jsx";
import type { ListPage, ListQuery } from "../../src/listing.ts";
import { ApprovalsPage, type ApprovalsView } from "../../src/pages/admin-approvals.tsx";
import { AuditPage, type AuditView } from "../../src/pages/admin-audit.tsx";
import { ClientPage, type ClientView } from "../../src/pages/admin-client.tsx";
import {
  ClientsPage,
  RegistrationsPage,
  type ClientsView,
  type RegistrationsView,
} from "../../src/pages/admin-clients.tsx";
import { DoctorPage, type DoctorView } from "../../src/pages/admin-doctor.tsx";
import { ConnectionPage, type ConnectionView } from "../../src/pages/admin-connection.tsx";
import { ConnectionsPage, type ConnectionsView } from "../../src/pages/admin-connections.tsx";
import { KeySweepPage, type KeySweepView } from "../../src/pages/key-sweep.tsx";
import { SealingKeysPage } from "../../src/pages/admin-sealing-keys.tsx";
import { NAMES } from "./named-samples.ts";
import { secondsOf } from "./moments.ts";

const FRAME = { nonce: "c2FtcGxlLW5vbmNl", csrf: "csrf-token" };
const ALL: ListQuery = { search: "", filters: {}, cursor: undefined };

export function pageWith<Row>(rows: readonly Row[], total = rows.length): ListPage<Row> {
  const more = total > rows.length;
  return {
    rows,
    total,
    next: more ? { direction: "after", at: 7, id: "x" } : undefined,
    previous: undefined,
  };
}

export const CONNECTIONS: ConnectionsView = {
  ...FRAME,
  query: ALL,
  page: pageWith(
    [
      {
        id: "con_1",
        access: "personal",
        state: "connected",
        since: secondsOf("2026-11-20T09:00:00Z"),
        agents: "Claude Code (gong), Codex",
        people: ["ada@example.com"],
        agentCount: 2,
        lastUsed: secondsOf("2026-11-22T00:00:00Z"),
        atRisk: false,
        personDue: { at: secondsOf("2026-11-29T09:00:00Z"), why: "sign_ins_end" },
      },
      {
        id: "con_2",
        access: "personal",
        state: "needs_reconnect",
        reason: "ended_by_gong",
        since: secondsOf("2026-10-02T12:00:00Z"),
        agents: "",
        agentCount: 0,
        atRisk: false,
      },
      {
        id: "con_3",
        access: "shared",
        state: "connected",
        reason: "unavailable",
        since: secondsOf("2026-09-02T12:00:00Z"),
        agents: "Revenue desk agent",
        agentCount: 1,
        lastUsed: secondsOf("2026-11-22T00:00:00Z"),
        atRisk: true,
      },
    ],
    1284,
  ),
};

export const CONNECTION: ConnectionView = {
  people: ["ada@example.com"],
  ...FRAME,
  id: "con_1",
  access: "personal",
  state: "connected",
  since: secondsOf("2026-11-20T09:00:00Z"),
  connectedAt: secondsOf("2026-11-20T09:00:00Z"),
  refreshedAt: secondsOf("2026-11-22T16:40:00Z"),
  personDue: { at: secondsOf("2026-11-29T09:00:00Z"), why: "sign_ins_end" },
  atRisk: false,
  sealedWith: "k1",
  agents: "Claude Code (gong), Codex",
  grants: [
    {
      id: "g1",
      clientId: "https://claude.ai/oauth/claude-code-client-metadata",
      clientName: "Claude Code (gong)",
      scope: "mcp:ai-ask:read mcp:ai-briefer:read",
      createdAt: secondsOf("2026-11-20T09:00:00Z"),
      lastUsedAt: secondsOf("2026-11-22T17:00:00Z"),
    },
    {
      id: "g2",
      clientId: "gcl_J3kf02mC9qLw8ZrT1xYvAa",
      clientName: "Codex",
      scope: "mcp:ai-ask:read",
      createdAt: secondsOf("2026-11-21T10:30:00Z"),
      lastUsedAt: secondsOf("2026-11-21T10:30:00Z"),
    },
  ],
  keys: [
    {
      id: "k1",
      name: "Nightly report",
      state: "live",
      createdBy: "admin",
      createdAt: secondsOf("2026-11-01T08:00:00Z"),
      expiresAt: secondsOf("2027-01-30T08:00:00Z"),
    },
  ],
};

export const APPROVALS: ApprovalsView = {
  ...FRAME,
  query: ALL,
  page: pageWith([
    {
      id: "apr_1",
      code: "KX4-9TD",
      clientId: "revenue-desk",
      clientName: "Revenue desk agent",
      redirectUri: "https://desk.acme.test/oauth/callback",
      requestedAt: secondsOf("2026-11-22T17:35:00Z"),
    },
  ]),
};

export const AUDIT: AuditView = {
  ...FRAME,
  query: ALL,
  actors: ["admin", "stranger"],
  names: NAMES,
  actions: ["connection.ended", "session.refused"],
  page: pageWith(
    [
      {
        at: secondsOf("2026-11-22T17:35:00Z"),
        actor: "admin",
        action: "connection.ended",
        target: "con_1",
        requestId: "0f8c2d1e-6a57-4c39-b1ad-5c9f0a3e7d42",
      },
      {
        at: secondsOf("2026-11-22T17:34:00Z"),
        actor: "admin",
        action: "agent_key.revoked",
        target: "key-1",
      },
      { at: secondsOf("2026-11-22T17:30:00Z"), actor: "stranger", action: "session.refused" },
    ],
    9_431,
  ),
};

export const CLIENTS: ClientsView = {
  ...FRAME,
  query: ALL,
  page: pageWith(
    [
      {
        clientId: "https://claude.ai/oauth/claude-code-client-metadata",
        name: "Claude Code",
        registration: "metadata_document",
        redirectUri: "http://localhost/callback",
        firstAt: secondsOf("2026-09-02T12:00:00Z"),
        usedOn: secondsOf("2026-11-22T00:00:00Z"),
        connections: 1204,
      },
      {
        clientId: "gcl_J3kf02mC9qLw8ZrT1xYvAa",
        name: undefined,
        registration: "dynamic",
        redirectUri: undefined,
        firstAt: secondsOf("2026-11-21T10:30:00Z"),
        usedOn: secondsOf("2026-11-21T00:00:00Z"),
        connections: 1,
      },
    ],
    312,
  ),
};

export const REGISTRATIONS: RegistrationsView = {
  ...FRAME,
  query: ALL,
  page: pageWith(
    [
      {
        clientId: "gcl_J3kf02mC9qLw8ZrT1xYvAa",
        name: "Cursor",
        redirectUris: ["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost:8787/callback"],
        authMethod: "none",
        createdAt: secondsOf("2026-11-21T10:30:00Z"),
        usedAt: undefined,
        expiresAt: secondsOf("2026-11-22T10:30:00Z"),
      },
    ],
    10_000,
  ),
};

export const CLIENT: ClientView = {
  ...FRAME,
  clientId: "gcl_J3kf02mC9qLw8ZrT1xYvAa",
  name: "Cursor",
  registration: "dynamic",
  redirectUris: ["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost:8787/callback"],
  authMethod: "none",
  isRegistered: true,
  hasKnownDocument: false,
  firstAt: secondsOf("2026-11-20T09:00:00Z"),
  usedOn: secondsOf("2026-11-21T00:00:00Z"),
  connections: 2,
  trace: [
    {
      at: secondsOf("2026-11-22T17:36:00Z"),
      step: "authorize",
      reason: "redirect_uri_private_use",
      requestId: "0f8c2d1e-6a57-4c39-b1ad-5c9f0a3e7d42",
    },
    { at: secondsOf("2026-11-22T17:35:00Z"), step: "registration", reason: undefined, requestId: undefined },
  ],
};

export const DOCTOR: DoctorView = {
  ...FRAME,
  query: ALL,
  page: pageWith(
    [
      {
        clientId: "gcl_J3kf02mC9qLw8ZrT1xYvAa",
        name: "Cursor",
        step: "authorize",
        reason: "redirect_uri_private_use",
        at: secondsOf("2026-11-22T17:36:00Z"),
      },
      {
        clientId: "https://claude.ai/oauth/claude-code-client-metadata",
        name: "Claude Code",
        step: "call",
        reason: undefined,
        at: secondsOf("2026-11-22T17:30:00Z"),
      },
      {
        clientId: "",
        name: undefined,
        step: "registration",
        reason: "forbidden_form",
        at: secondsOf("2026-11-22T17:20:00Z"),
      },
    ],
    87,
  ),
};

const NO_MATCH = { query: { ...ALL, search: "nobody" }, page: pageWith([]) };

const UNUSED_KEY = { connections: 0, refreshTokens: 2, agentKeys: 0, results: 0, resultsUntil: 0, people: 0 };

const KEY_SWEEP: KeySweepView = {
  ...FRAME,
  sealingKid: "k2",
  resealed: 3,
  byKid: [
    { ...UNUSED_KEY, kid: "k2", connections: 500, people: 4 },
    { ...UNUSED_KEY, kid: "k1", agentKeys: 4, results: 2, resultsUntil: 1_795_406_700 },
  ],
  unfinished: 0,
  unreadable: [{ what: "AAAAAAAAAAAAAAAAAAAAAA", missingKid: "k0" }],
  unreadableCount: 1,
  looked: 500,
  left: 0,
  waitMinutes: 60,
};

export const ADMIN_SAMPLES: Readonly<Record<string, () => Child>> = {
  "admin-connections": () => <ConnectionsPage {...CONNECTIONS} />,
  "admin-connections-empty": () => <ConnectionsPage {...CONNECTIONS} page={pageWith([])} />,
  "admin-connections-no-match": () => <ConnectionsPage {...CONNECTIONS} {...NO_MATCH} />,
  "admin-connection": () => <ConnectionPage {...CONNECTION} />,
  "admin-approvals": () => <ApprovalsPage {...APPROVALS} />,
  "admin-audit": () => <AuditPage {...AUDIT} />,
  "admin-clients": () => <ClientsPage {...CLIENTS} />,
  "admin-registrations": () => <RegistrationsPage {...REGISTRATIONS} />,
  "admin-client": () => <ClientPage {...CLIENT} />,
  "admin-client-nameless": () => <ClientPage {...CLIENT} clientId="" connections={0} isRegistered={false} />,
  "admin-doctor": () => <DoctorPage {...DOCTOR} />,
  "admin-doctor-empty": () => <DoctorPage {...DOCTOR} page={pageWith([])} />,
  "admin-sealing-keys": () => <SealingKeysPage {...FRAME} />,
  "admin-key-sweep": () => <KeySweepPage {...KEY_SWEEP} />,
  "admin-key-sweep-in-parts": () => <KeySweepPage {...KEY_SWEEP} left={700} next="sealed" />,
};
