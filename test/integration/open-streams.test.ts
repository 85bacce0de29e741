// Streams of /mcp that stay open past the credential they were opened with. The gateway's timer of 20 s runs after 30
// ms here.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PresentedCredential } from "../../src/storage/presented-credential.ts";
import { verifies } from "../conformance/verifies.ts";
import type { LedgerEntry } from "../gong/ledger.ts";
import { accountAct, accountBrowser } from "../support/account.ts";
import { ask, call, connect, type Tokens } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { ledgerWhen, PING, request } from "../support/mcp.ts";
import { gatewayWith, type Ask } from "../support/settings.ts";

/** How often the gateway looks at the credential of an open stream. */
const CHECK_MS = 20_000;

/** Longer than any loaded machine takes. */
const PATIENT = { timeout: 20_000 };

let checks = 0;

beforeEach(async () => {
  await gong.reset();
  checks = 0;
  const { setTimeout: set } = globalThis;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, after: number) => {
    if (after === CHECK_MS) checks += 1;
    return set(run, after === CHECK_MS ? 30 : after);
  }) as typeof setTimeout);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A stream at Gong that never ends by itself. */
async function listen(credential: string): Promise<Response> {
  await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 20 } });
  const response = await request(credential, "GET", { accept: "text/event-stream" });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  return response;
}

const isLeft = (entries: LedgerEntry[]): boolean =>
  entries.some((entry) => entry.kind === "answer" && entry.outcome === "client_gone");

/**
 * The stream ends at the client, whole or, when the end came in the middle of an event, broken off; and Gong sees it
 * left.
 */
async function expectEnded(response: Response): Promise<void> {
  await response.text().catch(() => undefined);
  expect(isLeft(await ledgerWhen(isLeft))).toBe(true);
}

/** A gateway that asks its connections through `look` whether a credential is live. */
function lookingUp(look: (ask: () => Promise<unknown>) => Promise<unknown>): Ask {
  const getByName = (id: string): unknown =>
    new Proxy(env.CONNECTIONS.getByName(id), {
      get: (stub, name) =>
        name === "authorize"
          ? (presented: PresentedCredential) => look(async () => stub.authorize(presented))
          : Reflect.get(stub, name),
    });
  return gatewayWith({}, { CONNECTIONS: { getByName } as typeof env.CONNECTIONS });
}

/** `listen` through another gateway. */
async function listenThrough(gateway: Ask, credential: string): Promise<Response> {
  await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 20 } });
  return gateway("/mcp", {
    headers: { accept: "text/event-stream", authorization: `Bearer ${credential}` },
  });
}

const revoke = (clientId: string, token: string): Promise<Response> =>
  ask("/revoke", { method: "POST", body: new URLSearchParams({ client_id: clientId, token }) });

async function connected(): Promise<{ readonly clientId: string; readonly tokens: Tokens }> {
  await gong.signIn("ada");
  return connect();
}

describe(verifies("proxy.stream_ends", "an open stream and its credential"), () => {
  it("RFC 7009 §2.1: a listening stream goes on check after check, and ends once its access token is revoked", async () => {
    const { clientId, tokens } = await connected();
    const response = await listen(tokens.access_token);
    await expect.poll(() => checks, PATIENT).toBeGreaterThan(3);
    expect(isLeft(await gong.ledger())).toBe(false);
    await revoke(clientId, tokens.access_token);
    await expectEnded(response);
    expect((await call(tokens.access_token, PING)).status).toBe(401);
  });

  it("RFC 7009 §2.1: the answer to a POST that is not a paid call ends too, with the refresh token's grant", async () => {
    const { clientId, tokens } = await connected();
    await gong.fault({ endpoint: "mcp", fault: { kind: "endless_stream", everyMs: 20 } });
    const response = await call(tokens.access_token, PING);
    await revoke(clientId, tokens.refresh_token);
    await expectEnded(response);
  });

  it("RFC 6749 §1.5: it ends when the access token runs out", async () => {
    const { tokens } = await connected();
    const response = await listen(tokens.access_token);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + tokens.expires_in * 1000 });
    await expectEnded(response);
  });

  it("gateway: it ends when the person disconnects from Gong", async () => {
    const { tokens } = await connected();
    const response = await listen(tokens.access_token);
    const browser = await accountBrowser("ada");
    await accountAct(browser, /\/account\/disconnect$/);
    await expectEnded(response);
  });

  it("gateway: somebody else's revocation ends nothing, and an answer that ends leaves no timer", async () => {
    const { clientId, tokens } = await connected();
    const other = await connected();
    const response = await listen(tokens.access_token);
    await revoke(other.clientId, other.tokens.refresh_token);
    await revoke(other.clientId, tokens.access_token);
    const before = checks;
    await expect.poll(() => checks, PATIENT).toBeGreaterThan(before + 3);
    expect(isLeft(await gong.ledger())).toBe(false);
    await response.body?.cancel();
    expect(isLeft(await ledgerWhen(isLeft))).toBe(true);
    await expect
      .poll(async () => {
        const seen = checks;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return checks - seen;
      }, PATIENT)
      .toBe(0);
    expect(clientId).not.toBe(other.clientId);
  });

  it("gateway: a connection that can't be asked three times in a row ends it, and each time is logged", async () => {
    const { tokens } = await connected();
    const warnings = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    let asked = 0;
    const gateway = lookingUp(async (ask) => {
      asked += 1;
      // The request itself, and a check between failures, find the connection.
      if (asked === 1 || asked === 3) return ask();
      throw new Error("No such machine");
    });
    await expectEnded(await listenThrough(gateway, tokens.access_token));
    expect(asked).toBe(6);
    const lines = warnings.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => line.includes('"mcp.stream_unchecked"'))).toHaveLength(4);
    expect(lines.join()).not.toContain("No such machine");
  });

  it("gateway: a check under way when the stream ends is the last", async () => {
    const { tokens } = await connected();
    const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let asked = 0;
    const gateway = lookingUp(async (ask) => {
      asked += 1;
      if (asked > 1) {
        begun.resolve();
        await released.promise;
      }
      return ask();
    });
    const response = await listenThrough(gateway, tokens.access_token);
    await begun.promise;
    await response.body?.cancel();
    expect(isLeft(await ledgerWhen(isLeft))).toBe(true);
    const before = checks;
    released.resolve();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([checks, asked]).toEqual([before, 2]);
  });
});
