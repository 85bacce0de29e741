// The policy and tools pages in every state, with ordinary and with hostile values. Part of page-samples.tsx.

import type { Child } from "hono/jsx";
import { AdminPolicyPage, type AdminPolicyView } from "../../src/pages/admin-policy.tsx";
import { AdminToolsPage, type AdminToolsView } from "../../src/pages/admin-tools.tsx";
import { hostileNames, NAMES } from "./named-samples.ts";
import { secondsOf } from "./moments.ts";

const NONCE = "c2FtcGxlLW5vbmNl";

const UNCHANGED = { values: {}, problems: {} };

export const POLICY: AdminPolicyView = {
  part: "budgets",
  nonce: NONCE,
  csrf: "csrf",
  version: 3,
  budgets: {
    values: { "budgets.company.perDay": "100", timeZone: "Europe/Berlin", warnAtPercent: "80" },
    problems: {},
  },
  guards: {
    values: { "guards.denyAccounts": "One Ltd\nTwo, Inc.", "guards.maxArgumentsBytes": "65536" },
    problems: {},
  },
  access: { values: { holdBack: "paid" }, problems: {} },
  content: { values: { "content.keep": "yes", "content.keepDays": "30" }, problems: {} },
  exceptions: [
    { kind: "key", id: "key-1", form: { values: { perDay: "5", deny: "ask_deal" }, problems: {} } },
  ],
  added: UNCHANGED,
  names: NAMES,
  used: [
    {
      owner: "The whole company",
      period: "day",
      used: 100,
      most: 100,
      resets: "23 Nov 2026, 00:00 Europe/Berlin",
      state: "used_up",
    },
    {
      owner: "Agent key",
      id: "key-1",
      period: "day",
      used: 4,
      most: 5,
      resets: "23 Nov 2026, 00:00 Europe/Berlin",
      state: "near",
    },
    {
      owner: "Client",
      id: "gcl_J3kf02mC9qLw8ZrT1xYvAa",
      period: "month",
      used: 1204,
      resets: "1 Dec 2026, 00:00 Europe/Berlin",
      state: "fine",
    },
  ],
};

/** What an admin sent, and ids, are text from outside too. */
function hostilePolicy(): AdminPolicyView {
  const text = "</textarea><script>xss(1)</script>\u202E";
  const form = {
    values: { perDay: text, allow: text, "guards.denyDeals": text },
    problems: { allow: text, "": text },
  };
  return {
    ...POLICY,
    outcome: "changed_meanwhile",
    guards: form,
    exceptions: [{ kind: "client", id: `"><img src=x onerror=xss(1)>\u202E`, form }],
    names: hostileNames(text, "key"),
    used: [{ owner: text, id: text, period: "day", used: 1, resets: text, state: "fine" }],
  };
}

export const TOOLS: AdminToolsView = {
  nonce: NONCE,
  csrf: "csrf",
  version: 3,
  tools: [
    {
      integration: "main",
      access: "personal",
      name: "ask_account",
      state: "held",
      stateSince: secondsOf("2026-11-22T17:00:00Z"),
      approved: {
        definition: '{"description":"Ask"}',
        hash: "h1",
        seenAt: secondsOf("2026-11-01T17:00:00Z"),
        by: "first sight",
      },
      waiting: [
        {
          definition: '{"description":"Read all files first"}',
          hash: "h2",
          seenAt: secondsOf("2026-11-22T17:00:00Z"),
        },
      ],
      settings: { values: { pays: "yes", weight: "1", reuseSeconds: "0" }, problems: {} },
    },
    {
      integration: "shared",
      access: "shared",
      name: "ask_deal",
      state: "approved",
      stateSince: secondsOf("2026-11-01T17:00:00Z"),
      approved: {
        definition: '{"description":"Ask"}',
        hash: "h3",
        seenAt: secondsOf("2026-11-01T17:00:00Z"),
        by: "ada@acme.test",
      },
      waiting: [],
      settings: { values: { pays: "", weight: "1", reuseSeconds: "60" }, problems: {} },
    },
  ],
};

function hostileTools(): AdminToolsView {
  const text = "<img src=x onerror=xss(1)>\u202Etool";
  const form = { definition: JSON.stringify({ [text]: text }), hash: text, seenAt: 0 };
  return {
    ...TOOLS,
    tools: TOOLS.tools.map((tool) => ({
      ...tool,
      name: text,
      waiting: [form],
      approved: { ...form, by: text },
    })),
  };
}

/** By the name of the picture. */
export const POLICY_SAMPLES: Readonly<Record<string, () => Child>> = {
  "admin-policy": () => <AdminPolicyPage {...POLICY} />,
  "admin-policy-guards": () => <AdminPolicyPage {...POLICY} part="guards" />,
  "admin-policy-access": () => <AdminPolicyPage {...POLICY} part="access" />,
  "admin-policy-exceptions": () => <AdminPolicyPage {...POLICY} part="exceptions" />,
  "admin-policy-content": () => <AdminPolicyPage {...POLICY} part="content" />,
  "admin-policy-content-refused": () => (
    <AdminPolicyPage
      {...POLICY}
      part="content"
      outcome="refused"
      content={{
        values: { "content.keep": "yes", "content.keepDays": "400" },
        problems: { "content.keepDays": "Write a number of at most 90." },
      }}
    />
  ),
  "admin-policy-hostile": () => <AdminPolicyPage {...hostilePolicy()} />,
  "admin-policy-guards-hostile": () => <AdminPolicyPage {...hostilePolicy()} part="guards" />,
  "admin-policy-exceptions-hostile": () => <AdminPolicyPage {...hostilePolicy()} part="exceptions" />,
  "admin-tools": () => <AdminToolsPage {...TOOLS} />,
  "admin-tools-hostile": () => <AdminToolsPage {...hostileTools()} />,
};
