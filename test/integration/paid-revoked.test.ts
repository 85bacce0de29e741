// A credential that is revoked while its paid call runs: its holder gets an error in the form that its answer has by
// then, everybody else gets what was paid for. Asserted against what the stand-in Gong charged.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { rows } from "../support/connection.ts";
import { gong } from "../support/gong.ts";
import {
  answerOf,
  askPaid,
  begin,
  connectionUsed,
  ledgerRows,
  letGo,
  messagesOf,
  rowsWhen,
  servedNote,
  setPolicy,
  twoClients,
  untilAtGong,
} from "../support/paid.ts";
import { agentBeside } from "../support/paid-agents.ts";

beforeEach(async () => {
  await gong.reset();
  await gong.knobs({ toolsHeld: true, era: "both" });
  await setPolicy({});
  await begin();
});
afterEach(() => {
  vi.useRealTimers();
});

const CANARY = "CANARY-ada-7f3a90";

const FORMS = (["grant", "token", "key"] as const).flatMap((kind) =>
  (["json", "sse"] as const).map((answerAs) => [kind, answerAs] as const),
);

/** A stream that has begun ends with an error instead of the answer: JSON-RPC 2.0 §5.1. */
async function expectWithheld(response: Response, id: string | number): Promise<void> {
  expect(response.status).toBe(200);
  const messages = await messagesOf(response);
  expect(messages.at(-1)).toMatchObject({ id, error: { code: -32_005 } });
  expect(JSON.stringify(messages)).not.toContain(CANARY);
}

/** Refused as a credential: RFC 6750 §3.1. */
async function expectRefused(response: Response): Promise<void> {
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
  expect(await response.text()).not.toContain(CANARY);
}

describe(verifies("paid.revoked", "revoked while the call runs"), () => {
  it.each(FORMS)(
    "ASVS 7.4.1: the payer's %s is revoked before Gong answers %s: it gets an error, and the result waits for the next agent",
    async (kind, answerAs) => {
      await gong.knobs({ answerAs });
      const [other] = await twoClients();
      const agent = await agentBeside(other, kind);
      const paying = askPaid(agent.client);
      // Gong's streams begin before its answer is there.
      if (answerAs === "sse") await paying;
      await untilAtGong();
      await agent.revoke();
      await letGo();
      if (answerAs === "sse") await expectWithheld(await paying, 1);
      else await expectRefused(await paying);
      const [row] = await rowsWhen((all) => all[0]?.outcome === "ok");
      expect(row).toMatchObject({ served: "paid", delivered: 0 });
      await expectRefused(await askPaid(agent.client));
      const answer = await answerOf(await askPaid(other));
      expect(servedNote(answer)?.how).toBe("recovered");
      expect(JSON.stringify(answer)).toContain(CANARY);
      expect(await gong.credits()).toBe(1);
    },
  );

  it.each(FORMS)(
    "ASVS 7.4.1: the %s of a caller that joined is revoked before Gong answers %s: 401, and the payer is answered",
    async (kind, answerAs) => {
      await gong.knobs({ answerAs });
      const [payer] = await twoClients();
      const agent = await agentBeside(payer, kind);
      const paying = askPaid(payer);
      await untilAtGong();
      const joining = askPaid(agent.client, { id: 2, accept: "application/json" });
      await rowsWhen((all) => all.some(({ served }) => served === "joined"));
      await agent.revoke();
      await letGo();
      await expectRefused(await joining);
      expect(JSON.stringify(await answerOf(await paying))).toContain(CANARY);
      const found = await rowsWhen((all) => all.some(({ delivered }) => delivered === 1));
      expect(found.map(({ served, delivered }) => `${served} ${delivered}`)).toEqual(["joined 0", "paid 1"]);
      expect(await gong.credits()).toBe(1);
    },
  );

  it.each(["payer", "joined"] as const)(
    "JSON-RPC 2.0 §5.1: the stream of the %s has begun: it ends with an error under its own id, without the answer",
    async (role) => {
      await gong.knobs({ answerAs: "sse" });
      const [other] = await twoClients();
      const agent = await agentBeside(other, "grant");
      const first = role === "payer" ? agent.client : other;
      const paid = await askPaid(first, { id: "p", meta: { progressToken: 1 } });
      const joined = await askPaid(role === "payer" ? other : agent.client, { id: "j" });
      await agent.revoke();
      await letGo();
      const [revoked, live] = role === "payer" ? [paid, joined] : [joined, paid];
      const ended = expectWithheld(revoked, role === "payer" ? "p" : "j");
      expect(JSON.stringify(await answerOf(live))).toContain(CANARY);
      await ended;
      const found = await rowsWhen((all) => all.some(({ delivered }) => delivered === 1));
      const served = role === "payer" ? "joined 1,paid 0" : "joined 0,paid 1";
      expect(found.map((row) => `${row.served} ${row.delivered}`).join()).toBe(served);
      expect(await gong.credits()).toBe(1);
    },
  );

  it("ASVS 7.4.1: the end of the whole connection ends both, and nothing is kept", async () => {
    const [ada, other] = await twoClients();
    const paying = askPaid(ada);
    await untilAtGong();
    const joining = askPaid(other, { id: 2 });
    await rowsWhen((all) => all.some(({ served }) => served === "joined"));
    const connection = await connectionUsed();
    await connection.disconnect("ended_by_admin");
    await letGo();
    for (const response of await Promise.all([paying, joining])) await expectRefused(response);
    await rowsWhen((all) => all.every(({ outcome }) => outcome === "ok"));
    expect((await ledgerRows()).map(({ delivered }) => delivered)).toEqual([0, 0]);
    expect(await rows(connection, "kept_results")).toEqual([]);
  });

  it("gateway: an access token that only expires while its call runs still gets the answer", async () => {
    const [ada] = await twoClients();
    const paying = askPaid(ada);
    await untilAtGong();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 7200_000 });
    await letGo();
    expect(JSON.stringify(await answerOf(await paying))).toContain(CANARY);
    expect((await askPaid(ada)).status).toBe(401);
    expect((await rowsWhen((all) => all.some(({ delivered }) => delivered === 1)))[0]?.served).toBe("paid");
  });
});
