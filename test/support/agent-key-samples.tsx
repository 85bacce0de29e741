// The agent-key pages in every state, with ordinary and with hostile values. Part of page-samples.tsx.

import type { Child } from "hono/jsx";
import { EMPTY_PAGE, type ListPage } from "../../src/listing.ts";
import {
  AdminAgentKeyMadePage,
  AdminAgentKeysPage,
  type AdminAgentKey,
  type AdminAgentKeysView,
} from "../../src/pages/admin-agent-keys.tsx";
import type { AgentKeyMadeView } from "../../src/pages/agent-key-form.tsx";
import { secondsOf } from "./moments.ts";

const NONCE = "c2FtcGxlLW5vbmNl";

const KEY: AdminAgentKey = {
  id: "AAAAAAAAAAAAAAAAAAAAAA",
  name: "Nightly forecast",
  access: "shared",
  connectionId: "Q8bZ1xw0T9uVn3mYd5kE2A",
  tools: ["ask_account", "generate_brief"],
  state: "live",
  createdBy: "ada@acme.test",
  createdAt: secondsOf("2026-11-20T09:00:00Z"),
  expiresAt: secondsOf("2027-02-18T09:00:00Z"),
  lastUsedAt: secondsOf("2026-11-22T17:00:00Z"),
};

/** A list of these keys; by default one. */
export const agentKeyPage = (...changes: readonly Partial<AdminAgentKey>[]): ListPage<AdminAgentKey> => {
  const rows = (changes.length === 0 ? [{}] : changes).map((change) => ({ ...KEY, ...change }));
  return { ...EMPTY_PAGE, total: rows.length, rows };
};

export const AGENT_KEYS: AdminAgentKeysView = {
  nonce: NONCE,
  csrf: "csrf-token",
  query: { search: "", filters: {}, cursor: undefined },
  page: agentKeyPage(
    {},
    { id: "B", name: "Data room sync", access: "personal", tools: undefined, state: "live" },
    {
      id: "C",
      name: "Old job",
      state: "expired",
      createdBy: "admin",
      expiresAt: secondsOf("2026-11-21T09:00:00Z"),
    },
    {
      id: "D",
      name: "Leaked",
      state: "revoked",
      revokedAt: secondsOf("2026-11-21T10:00:00Z"),
      revokedBy: "admin",
    },
  ),
  resources: ["https://gateway.test/shared/mcp"],
  lifetimes: [7, 30, 90, 365],
};

export const AGENT_KEY_MADE: AgentKeyMadeView = {
  name: "Nightly forecast",
  value: `gak_${"AWq58eso3v6M8OXo9wljQzDW5lBYBH1E".repeat(4).slice(0, 124)}`,
  resource: "https://gateway.test/shared/mcp",
  expiresAt: secondsOf("2027-02-18T09:00:00Z"),
};

const HOSTILE = "<img src=x onerror=xss(1)>\u202Elabel";

/** Every state by the name of its picture. */
export const AGENT_KEY_SAMPLES: Readonly<Record<string, () => Child>> = {
  "admin-agent-keys": () => <AdminAgentKeysPage {...AGENT_KEYS} />,
  "admin-agent-keys-empty": () => <AdminAgentKeysPage {...AGENT_KEYS} page={EMPTY_PAGE} resources={[]} />,
  "admin-agent-keys-refused": () => (
    <AdminAgentKeysPage
      {...AGENT_KEYS}
      page={EMPTY_PAGE}
      resources={["https://gateway.test/mcp", "https://gateway.test/shared/mcp"]}
      refusal="tools"
    />
  ),
  "admin-agent-keys-hostile": () => (
    <AdminAgentKeysPage
      {...AGENT_KEYS}
      page={agentKeyPage({
        name: HOSTILE.repeat(20),
        createdBy: HOSTILE,
        tools: [HOSTILE],
        connectionId: HOSTILE,
      })}
    />
  ),
  "admin-agent-key-made": () => <AdminAgentKeyMadePage nonce={NONCE} csrf="csrf-token" {...AGENT_KEY_MADE} />,
};
