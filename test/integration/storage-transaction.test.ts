// The TransactionObject and the two domain files around it: taken once, by the right browser, in time.

import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { randomId } from "../../src/crypto/credential.ts";
import { openGateway } from "../../src/domain/gateway.ts";
import { newBinding, openRequest, sealRequest } from "../../src/domain/sealed-request.ts";
import { beginTransaction, readState } from "../../src/domain/transaction.ts";
import { reviveAuthorizationRequest } from "../../src/oauth/authorization-request.ts";
import type { TransactionObject } from "../../src/storage/transaction-object.ts";
import { rows } from "../support/connection.ts";
import { everythingStored, objectIds, secretsIn } from "../support/evidence.ts";
import { CLIENT_REDIRECT, PKCE, RESOURCE } from "../support/flow.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const gateway = () => openGateway(env, createExecutionContext());

const NEW = { stateHash: "state-hash", bindingHash: "binding-hash", continuationSealed: "sealed-1" };
const TAKEN = { kind: "taken", continuationSealed: "sealed-1", denied: false, answerSealed: undefined };
const refused = (reason: string) => ({ kind: "refused", reason });

async function begun(): Promise<DurableObjectStub<TransactionObject>> {
  const transaction = env.TRANSACTIONS.getByName(randomId());
  await transaction.begin(NEW);
  return transaction;
}

const take = (transaction: DurableObjectStub<TransactionObject>) =>
  transaction.take("state-hash", "binding-hash");

describe(verifies("storage.transaction", "a transaction at Gong"), () => {
  it("RFC 9700 §4.7: of fifty parallel callbacks one takes it, and the others are told to wait", async () => {
    const transaction = await begun();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => take(transaction)));
    expect(outcomes.filter(({ kind }) => kind === "taken")).toEqual([TAKEN]);
    expect(outcomes.filter(({ kind }) => kind === "busy")).toHaveLength(49);
  });

  it.each([
    ["another state", "other", "binding-hash"],
    ["another browser", "state-hash", "other"],
    ["neither", "other", "other"],
    ["the two exchanged", "binding-hash", "state-hash"],
  ])("RFC 6749 §10.12: %s does not take it, and leaves it for its own browser", async (_, state, binding) => {
    const transaction = await begun();
    expect(await transaction.take(state, binding)).toEqual(refused("other_browser"));
    expect(await take(transaction)).toEqual(TAKEN);
    await transaction.finish("sealed-url");
    expect(await transaction.take(state, binding)).toEqual(refused("other_browser"));
  });

  it("gateway: ten minutes are in time, one second more is not", async () => {
    const transaction = await begun();
    pass(600);
    expect(await take(transaction)).toEqual(refused("expired"));
    pass(-1);
    expect(await take(transaction)).toEqual(TAKEN);
  });

  it("gateway: a reload gets the same outcome for a minute, and then an honest refusal", async () => {
    const transaction = await begun();
    await take(transaction);
    await transaction.finish("sealed-url");
    const done = { kind: "done", outcomeSealed: "sealed-url" };
    expect([await take(transaction), await take(transaction)]).toEqual([done, done]);
    pass(60);
    expect(await take(transaction)).toEqual(done);
    pass(1);
    expect(await take(transaction)).toEqual(refused("used"));
  });

  it("gateway: an exchange whose answer nobody kept is given up after twenty seconds, and never repeated", async () => {
    const transaction = await begun();
    await take(transaction);
    await evictDurableObject(transaction);
    pass(20);
    expect(await take(transaction)).toEqual({ kind: "busy" });
    pass(1);
    const lost = { kind: "lost", continuationSealed: "sealed-1" };
    expect([await take(transaction), await take(transaction)]).toEqual([lost, lost]);
    await transaction.finish("late");
    expect(await take(transaction)).toEqual({ kind: "done", outcomeSealed: "late" });
  });

  it("gateway: an answer that was kept is handed on at once when its keeper died with the object", async () => {
    const transaction = await begun();
    await take(transaction);
    await transaction.keepAnswer("answer-1");
    expect(await take(transaction)).toEqual({ kind: "busy" });
    await evictDurableObject(transaction);
    const answered = { ...TAKEN, answerSealed: "answer-1" };
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => take(transaction)));
    expect(outcomes.filter(({ kind }) => kind === "taken")).toEqual([answered]);
    expect(outcomes.filter(({ kind }) => kind === "busy")).toHaveLength(49);
    await transaction.finish("sealed-url");
    const [row] = await rows<{ answer_sealed: string | null }>(transaction, "transaction_record");
    expect(row?.answer_sealed).toBeNull();
  });

  it("gateway: a keeper that died alone is waited for, and one that lets go is not, five times at most", async () => {
    const transaction = await begun();
    await take(transaction);
    await transaction.keepAnswer("answer-1");
    pass(9);
    expect(await take(transaction)).toEqual({ kind: "busy" });
    pass(1);
    const answered = { ...TAKEN, answerSealed: "answer-1" };
    expect(await take(transaction)).toEqual(answered);
    for (let again = 2; again <= 5; again += 1) {
      expect(await transaction.release()).toBe(true);
      expect(await take(transaction)).toEqual(answered);
    }
    expect(await transaction.release()).toBe(false);
  });

  it("RFC 6749 §10.12: a kept answer is handed to its own browser only", async () => {
    const transaction = await begun();
    await take(transaction);
    await transaction.keepAnswer("answer-1");
    await evictDurableObject(transaction);
    expect(await transaction.take("state-hash", "other")).toEqual(refused("other_browser"));
    expect(await transaction.take("other", "binding-hash")).toEqual(refused("other_browser"));
    expect(await transaction.takeDecided("binding-hash")).toEqual(refused("unknown"));
  });

  it("gateway: the same approval sent again continues the first one", async () => {
    const transaction = await begun();
    const again = { stateHash: "s2", bindingHash: "b2", continuationSealed: "sealed-2" };
    expect(await transaction.begin(again)).toBe("sealed-1");
    await evictDurableObject(transaction);
    expect(await transaction.begin(again)).toBe("sealed-1");
    expect(await transaction.take("s2", "b2")).toEqual(refused("other_browser"));
    expect(await take(transaction)).toEqual(TAKEN);
  });

  it("gateway: its alarm deletes everything, and then it was never there", async () => {
    const transaction = await begun();
    const alarmAt = await runInDurableObject(transaction, (_, { storage }) => storage.getAlarm());
    expect(alarmAt).toBe(Math.floor(Date.now() / 1000 + 660) * 1000);
    expect(await runDurableObjectAlarm(transaction)).toBe(true);
    expect(await take(transaction)).toEqual(TAKEN);
    pass(660);
    expect(await runDurableObjectAlarm(transaction)).toBe(true);
    await runInDurableObject(transaction, (_, { storage }) => {
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray()).toEqual(
        [],
      );
    });
    await evictDurableObject(transaction);
    expect(await take(transaction)).toEqual(refused("unknown"));
  });

  it("gateway: asking one that never was writes nothing", async () => {
    const transaction = env.TRANSACTIONS.getByName(randomId());
    expect(await take(transaction)).toEqual(refused("unknown"));
    expect(await transaction.takeDecided("b")).toEqual(refused("unknown"));
    expect(await transaction.decide("approved")).toBe(false);
    await transaction.finish("x");
    expect(await rows(transaction, "transaction_record")).toEqual([]);
  });
});

describe(verifies("storage.transaction", "a transaction that an admin decides"), () => {
  it.each([
    ["approved", false],
    ["denied", true],
  ] as const)("gateway: it waits, and once %s it is taken once by its browser", async (decision, denied) => {
    const transaction = await begun();
    const waiting = { kind: "waiting", continuationSealed: "sealed-1" };
    expect(await transaction.takeDecided("binding-hash")).toEqual(waiting);
    expect(await transaction.decide(decision)).toBe(true);
    expect(await transaction.takeDecided("other")).toEqual(refused("other_browser"));
    expect(await transaction.takeDecided("binding-hash")).toEqual({ ...TAKEN, denied });
    expect(await transaction.takeDecided("binding-hash")).toEqual({ kind: "busy" });
  });

  it("gateway: it is decided once, and not after its time", async () => {
    const transaction = await begun();
    expect(await transaction.decide("denied")).toBe(true);
    expect(await transaction.decide("approved")).toBe(false);
    expect(await transaction.takeDecided("binding-hash")).toMatchObject({ denied: true });
    const late = await begun();
    pass(600);
    expect(await late.decide("approved")).toBe(false);
  });

  it("gateway: a decided one can't be taken through the callback of Gong", async () => {
    const transaction = await begun();
    await transaction.decide("approved");
    expect(await take(transaction)).toEqual(refused("unknown"));
  });
});

const REQUEST = {
  clientId: "client-1",
  redirectUri: CLIENT_REDIRECT,
  state: "client-state",
  codeChallenge: PKCE.challenge,
  resource: RESOURCE,
  scope: ["mcp:ai-ask:read"],
};

describe(verifies("storage.transaction", "storage.gong_tokens_sealed", "what a transaction keeps"), () => {
  it("OWASP ASVS 14.2.4: state, verifier and cookie value are nowhere in storage in the clear", async () => {
    const content = {
      integration: "main",
      request: REQUEST,
      clientName: "Client",
      actor: undefined,
    } as const;
    const { state, codeVerifier, binding } = await beginTransaction(gateway(), randomId(), content);
    expect(secretsIn(await everythingStored(), { state, codeVerifier, binding })).toEqual([]);
  });

  it("RFC 6749 §10.12: 2,000 states that we did not mint name no transaction and wake none", async () => {
    const id = randomId();
    const content = {
      integration: "main",
      request: REQUEST,
      clientName: undefined,
      actor: undefined,
    } as const;
    const { state } = await beginTransaction(gateway(), id, content);
    const before = await objectIds();
    expect(await readState(gateway(), state)).toMatchObject({ id });
    const forged = Array.from({ length: 2000 }, (_, at) => {
      const place = 4 + (at % 124);
      return `${state.slice(0, place)}${state[place] === "A" ? "B" : "A"}${state.slice(place + 1)}`;
    });
    const outcomes = await Promise.all(forged.map((value) => readState(gateway(), value)));
    expect(outcomes.filter((outcome) => outcome !== undefined)).toEqual([]);
    expect(await objectIds()).toEqual(before);
    pass(600);
    expect(await readState(gateway(), state)).toBeUndefined();
  });
});

describe(
  verifies("storage.no_write_by_looking", "seal.context", "a request on its way through the form"),
  () => {
    it("gateway: it opens for its own browser, for ten minutes, and stores nothing", async () => {
      const before = await objectIds();
      const binding = newBinding();
      const sealed = await sealRequest(gateway(), reviveAuthorizationRequest(REQUEST), binding);
      expect(await openRequest(gateway(), sealed, binding)).toMatchObject({ request: REQUEST });
      expect(await openRequest(gateway(), sealed, newBinding())).toBe("other_browser");
      expect(await openRequest(gateway(), sealed, undefined)).toBe("other_browser");
      pass(599);
      expect(await openRequest(gateway(), sealed, binding)).toMatchObject({ request: REQUEST });
      pass(1);
      expect(await openRequest(gateway(), sealed, binding)).toBe("form_expired");
      expect(await objectIds()).toEqual(before);
    });

    it("OWASP ASVS 11.3.3: 2,000 changed forms, and forms of other kinds, are unreadable", async () => {
      const binding = newBinding();
      const sealed = await sealRequest(gateway(), reviveAuthorizationRequest(REQUEST), binding);
      const changed = Array.from({ length: 2000 }, (_, at) => {
        const place = Math.floor((at * sealed.length) / 2000);
        return sealed.slice(0, place) + (sealed[place] === "." ? "x" : ".") + sealed.slice(place + 1);
      });
      const others = ["", "x", sealed.slice(1), `${sealed}A`, "A".repeat(16_385), undefined];
      const outcomes = await Promise.all(
        [...changed, ...others].map((value) => openRequest(gateway(), value, binding)),
      );
      expect(new Set(outcomes)).toEqual(new Set(["form_unreadable"]));
    });
  },
);
