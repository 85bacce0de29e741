// Every revision with every form of answer and every fate of those who ask the same: answered, joined, dropped,
// cancelled, at the edge of a budget. After each, what the stand-in Gong was asked and charged is what the ledger
// explains. The Worker that is killed in the middle is in test/e2e/paid-kill.test.ts.

import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../src/mcp/policy.ts";
import type { PaidCallRow } from "../../src/storage/paid-schema.ts";
import { verifies } from "../conformance/verifies.ts";
import { requestsTo } from "../gong/ledger-questions.ts";
import { connectionOf, makeKey } from "../support/agent-key.ts";
import { gong } from "../support/gong.ts";
import type { Connected } from "../support/mcp.ts";
import {
  answerOf,
  askPaid,
  begin,
  cancelPaid,
  ledgerRows,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  type Message,
  type PaidCall,
} from "../support/paid.ts";

const REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] as const;
type Revision = (typeof REVISIONS)[number];
const FORMS = ["json", "sse"] as const;

type Client = Pick<Connected, "tokens">;

let ada: Client;
let other: Client;
/** Where Gong's ledger stood before the test. */
let since = 0;

beforeAll(async () => {
  await gong.reset();
  [ada, other] = await twoClients();
});
beforeEach(async () => {
  await gong.knobs({
    era: "both",
    protocolVersions: ["2025-11-25", "2025-06-18", "2025-03-26"],
    toolsHeld: true,
  });
  await setPolicy({});
  await begin();
  since = (await gong.ledger()).length;
});
afterEach(() => expectExplained());

/** A call as a client of `revision` sends it. */
function asked(client: Client, revision: Revision, call: PaidCall = {}): Promise<Response> {
  const era = revision === "2026-07-28" ? "modern" : "legacy";
  return askPaid(client, { ...call, era, headers: { "mcp-protocol-version": revision } });
}

const events = async (event: string): Promise<number> =>
  (await gong.ledger(since)).filter((entry) => entry.kind === "tool_call" && entry.event === event).length;

async function untilWorking(calls = 1): Promise<void> {
  for (let tries = 0; (await events("started")) < calls; tries += 1) {
    if (tries > 1000) throw new Error("Gong was never asked");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const release = () => gong.knobs({ toolsHeld: false });

const served = (how: PaidCallRow["served"], count: number) =>
  rowsWhen((all) => all.filter((row) => row.served === how).length === count);
const landed = () => rowsWhen((all) => all.every(({ outcome }) => outcome !== "running"));
const delivered = (count: number) =>
  rowsWhen((all) => all.filter((row) => row.delivered === 1).length === count);

/**
 * Each charge has its own row, each row that says so its own charge, and whoever was served for nothing names one of
 * them.
 */
async function expectExplained(): Promise<void> {
  const rows = await landed();
  const paid = rows.filter((row) => row.served === "paid");
  expect(await events("charged")).toBe(paid.length);
  const sent = requestsTo(await gong.ledger(since), "/mcp").filter(
    ({ rpcMethod }) => rpcMethod === "tools/call",
  );
  expect(sent).toHaveLength(paid.length);
  for (const row of rows.filter(({ paid_by: by }) => by !== null)) {
    const payer = paid.find(({ id }) => id === row.paid_by);
    expect(payer?.call_hash).toBe(row.call_hash);
  }
}

/** The answer, for one caller, in the form of its revision. */
async function expectAnswer(
  response: Promise<Response>,
  revision: Revision,
  expected: { readonly id: string | number; readonly how: string | undefined },
): Promise<Message> {
  const answer = await answerOf(await response);
  expect(answer.id).toBe(expected.id);
  expect(servedNote(answer)?.how).toBe(expected.how);
  expect(JSON.stringify(answer.result?.content)).toContain("CANARY-ada-7f3a90");
  expect(answer.result?.resultType).toBe(revision === "2026-07-28" ? "complete" : undefined);
  return answer;
}

/** Gone before its answer was whole: at Gong the call has begun. */
async function dropped(
  client: Client,
  revision: Revision,
  call: PaidCall = {},
): Promise<() => Promise<void>> {
  const control = new AbortController();
  const asking = asked(client, revision, { ...call, signal: control.signal }).then(
    (response) => response.text(),
    () => undefined,
  );
  await served(call.id === "joined" ? "joined" : "paid", 1);
  return async () => {
    control.abort();
    await asking.catch(() => undefined);
  };
}

const PAIRS = FORMS.flatMap((form) =>
  REVISIONS.flatMap((first) => REVISIONS.map((second) => [form, first, second] as const)),
);

describe(verifies("paid.explained", "paid.joined", "two ask the same at once"), () => {
  it.each(PAIRS)("Gong answers %s: %s pays, %s joins: one charge", async (answerAs, first, second) => {
    await gong.knobs({ answerAs });
    const paying = asked(ada, first, { id: 1 });
    await untilWorking();
    const joining = asked(other, second, { id: "two" });
    await served("joined", 1);
    await release();
    await expectAnswer(paying, first, { id: 1, how: undefined });
    await expectAnswer(joining, second, { id: "two", how: "joined" });
    await delivered(2);
    expect(await events("charged")).toBe(1);
  });
});

/** Whoever asks second is of the same era, or of the other one. */
const FATES = FORMS.flatMap((form) =>
  REVISIONS.flatMap((first) => {
    return (["2025-06-18", "2026-07-28"] as const).map((second) => [form, first, second] as const);
  }),
);

describe(verifies("paid.explained", "paid.recovered", "who pays drops the connection"), () => {
  it.each(FATES)(
    "Gong answers %s: %s leaves, %s asks again: recovered once, then paid",
    async (form, first, second) => {
      await gong.knobs({ answerAs: form });
      const drop = await dropped(ada, first);
      await untilWorking();
      await drop();
      await release();
      await landed();
      await expectAnswer(asked(other, second, { id: 2 }), second, { id: 2, how: "recovered" });
      await expectAnswer(asked(other, second, { id: 3 }), second, { id: 3, how: undefined });
      expect(await events("charged")).toBe(2);
    },
  );

  it.each(FATES)(
    "Gong answers %s: %s leaves, %s has joined and stays: one charge",
    async (form, first, second) => {
      await gong.knobs({ answerAs: form });
      const drop = await dropped(ada, first);
      await untilWorking();
      const joining = asked(other, second, { id: 2 });
      await served("joined", 1);
      await drop();
      await release();
      await expectAnswer(joining, second, { id: 2, how: "joined" });
      await expectAnswer(asked(ada, first, { id: 3 }), first, { id: 3, how: "recovered" });
      expect(await events("charged")).toBe(1);
    },
  );

  it.each(FATES)(
    "Gong answers %s: %s pays, %s has joined and leaves: one charge",
    async (form, first, second) => {
      await gong.knobs({ answerAs: form });
      const paying = asked(ada, first);
      await untilWorking();
      const drop = await dropped(other, second, { id: "joined" });
      await drop();
      await release();
      await expectAnswer(paying, first, { id: 1, how: undefined });
      await delivered(1);
      await expectAnswer(asked(other, second, { id: 3 }), second, { id: 3, how: "recovered" });
      expect(await events("charged")).toBe(1);
    },
  );

  it.each(FATES)(
    "Gong answers %s: %s leaves the answer half-way, %s asks again: recovered",
    async (form, first, second) => {
      await gong.knobs({ answerAs: form });
      await release();
      const half = await asked(ada, first);
      await landed();
      await half.body?.cancel();
      await expectAnswer(asked(other, second, { id: 2 }), second, { id: 2, how: "recovered" });
      expect(await events("charged")).toBe(1);
    },
  );
});

/** Only these have `notifications/cancelled` over Streamable HTTP: a modern client closes its stream. */
const CANCELLED = FATES.filter(([, first]) => first !== "2026-07-28");

describe(verifies("paid.explained", "paid.cancelled", "somebody cancels"), () => {
  it.each(CANCELLED)(
    "Gong answers %s: %s pays and cancels, %s has joined: one charge",
    async (form, first, second) => {
      await gong.knobs({ answerAs: form });
      const paying = asked(ada, first, { id: "p" });
      await untilWorking();
      const joining = asked(other, second, { id: 2 });
      await served("joined", 1);
      expect((await cancelPaid(ada, "p")).status).toBe(202);
      expect(await (await paying).text()).toBe("");
      await release();
      await expectAnswer(joining, second, { id: 2, how: "joined" });
      await expectAnswer(asked(ada, first, { id: 3 }), first, { id: 3, how: "recovered" });
      expect(await events("charged")).toBe(1);
    },
  );

  it.each(CANCELLED)(
    "Gong answers %s: %s has joined and cancels, %s pays: one charge",
    async (form, first, second) => {
      await gong.knobs({ answerAs: form });
      const paying = asked(ada, second, { id: 2 });
      await untilWorking();
      const joining = asked(other, first, { id: "j" });
      await served("joined", 1);
      expect((await cancelPaid(other, "j")).status).toBe(202);
      expect(await (await joining).text()).toBe("");
      await release();
      await expectAnswer(paying, second, { id: 2, how: undefined });
      expect(await events("charged")).toBe(1);
    },
  );
});

describe(verifies("paid.explained", "paid.budget", "the last place of a budget"), () => {
  it.each(FATES)(
    "Gong answers %s: %s takes it, %s joins free, and the next is refused",
    async (form, first, second) => {
      await gong.knobs({ answerAs: form });
      const { id, key } = await makeKey(await connectionOf(ada.tokens.access_token));
      const holder: Client = { tokens: { ...ada.tokens, access_token: key } };
      const budget = { each: {}, byId: { [id]: { perDay: 1 } } };
      await setPolicy({ budgets: { ...DEFAULT_POLICY.budgets, key: budget } });
      const paying = asked(holder, first, { id: 1 });
      await untilWorking();
      const joining = [asked(other, second, { id: 2 }), asked(holder, second, { id: 3 })];
      await served("joined", 2);
      const next = await answerOf(await asked(holder, second, { id: 4, question: "And then?" }));
      expect(next.result).toMatchObject({ isError: true });
      expect(next.result?.content?.[0]?.text).toContain("This agent key's budget of 1 calls a day");
      await release();
      const answer = await expectAnswer(paying, first, { id: 1, how: undefined });
      expect(answer.result?._meta?.["gong-mcp-gateway/budget"]).toMatchObject({ used: 1, limit: 1 });
      for (const [at, response] of joining.entries())
        await expectAnswer(response, second, { id: at + 2, how: "joined" });
      expect(await events("charged")).toBe(1);
      expect((await ledgerRows()).filter((row) => row.served === "refused")).toHaveLength(1);
    },
  );
});
