// A machine's grant over time: one row however often it asks, its end at once, shared access that is not there, and
// revocation in a race with issuing. RFC 6749 §4.4, RFC 7009 §2.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { randomId } from "../../src/crypto/credential.ts";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, connectSharedAs } from "../support/admin.ts";
import { connectionAt, DAY, HOUR, rows, tamper, type Connection } from "../support/connection.ts";
import { rowsOf } from "../support/evidence.ts";
import { ASK_ACCOUNT, call, SHARED_RESOURCE, type TestBrowser } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import {
  accessTokenOf,
  askAsMachine,
  basic,
  gatewayWithClients,
  MACHINE_ID,
  machineWithSecret,
} from "../support/machine.ts";
import { expectOAuthError } from "../support/refusals.ts";
import type { Ask } from "../support/settings.ts";

const SHARED = { path: "/shared/mcp" };

let admin: TestBrowser;
let gateway: Ask;
let shared: Connection;

beforeAll(async () => {
  await gong.reset();
  admin = await adminBrowser();
  gateway = gatewayWithClients(
    await machineWithSecret(),
    await machineWithSecret({ client_id: "second" }),
    await machineWithSecret({ client_id: "third" }),
  );
});

beforeEach(() => gong.reset());
afterEach(() => {
  vi.useRealTimers();
});

const machineGrants = async (clientId = MACHINE_ID) =>
  (await rowsOf("CONNECTIONS", "grants")).filter((row) => row["client_id"] === clientId);

/** The text in a field that always has one. */
function text(row: Readonly<Record<string, SqlStorageValue>> | undefined, field: string): string {
  const value = row?.[field];
  if (typeof value !== "string") throw new Error(`${field} is no text`);
  return value;
}

const barring = (clientId: string) =>
  ({ id: randomId(), clientId, grantType: "client_credentials", resource: SHARED_RESOURCE }) as const;

async function connectShared(): Promise<void> {
  await connectSharedAs(admin);
  const [row] = (await rowsOf("ADMIN", "connections")).filter((each) => each["integration"] === "shared");
  shared = connectionAt(text(row, "id"));
}

describe(verifies("machine.not_connected", "shared access that can't be used"), () => {
  it("gateway: before an admin has connected it: 503 and who can mend it, and nothing is written", async () => {
    const response = await askAsMachine(gateway);
    expect(response.headers.get("retry-after")).toBe("60");
    const description = await expectOAuthError(response, "temporarily_unavailable", 503);
    expect(description).toBe("Shared access is not connected yet. An admin connects it at /admin.");
    expect(await rowsOf("CONNECTIONS", "connection")).toEqual([]);
  });

  it("gateway: when Gong has ended it: good as long as Gong's access token is, then 503", async () => {
    await connectShared();
    await tamper(shared, "UPDATE connection SET state = 'needs_reconnect', reason = 'ended_by_gong'");
    expect((await askAsMachine(gateway)).status).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 25 * HOUR * 1000 });
    const description = await expectOAuthError(await askAsMachine(gateway), "temporarily_unavailable", 503);
    expect(description).toBe("Shared access at Gong has ended. An admin connects it again at /admin.");
  });
});

describe(verifies("machine.one_grant", "many requests of one machine"), () => {
  beforeEach(connectShared);

  it("gateway: 50 at once give 50 tokens that work, one grant and one row in the admin's index", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => askAsMachine(gateway)));
    const tokens = await Promise.all(answers.map(accessTokenOf));
    expect(new Set(tokens).size).toBe(50);
    expect(await machineGrants()).toHaveLength(1);
    expect(
      (await rowsOf("ADMIN", "client_connections")).filter((row) => row["client_id"] === MACHINE_ID),
    ).toHaveLength(1);
    for (const token of [tokens.at(0), tokens.at(-1)]) {
      expect((await call(token ?? "", ASK_ACCOUNT, SHARED)).status).toBe(200);
    }
  });

  it("gateway: of more than 1000 tokens that live, the oldest make room", async () => {
    const oldest = await accessTokenOf(await askAsMachine(gateway));
    const [grant] = await machineGrants();
    await tamper(
      shared,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
       INSERT INTO access_tokens (hash, grant_id, generation, scope, expires_at)
       SELECT 'filler-' || i, ?, 1, '', ? FROM n`,
      text(grant, "id"),
      Math.floor(Date.now() / 1000) + 2 * HOUR,
    );
    const later = await rows(shared, "access_tokens");
    expect(later.length).toBeGreaterThanOrEqual(1000);
    expect((await askAsMachine(gateway)).status).toBe(200);
    expect(await rows(shared, "access_tokens")).toHaveLength(1000);
    expect((await call(oldest, ASK_ACCOUNT, SHARED)).status).toBe(401);
  });

  it("gateway: a grant that nobody asks for goes after thirty days, and asking makes it anew", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    await askAsMachine(gateway);
    const [before] = await machineGrants();
    vi.setSystemTime(start + 29 * DAY * 1000);
    await askAsMachine(gateway);
    expect((await machineGrants()).map((row) => row["id"])).toEqual([before?.["id"]]);
    vi.setSystemTime(start + 60 * DAY * 1000);
    await runDurableObjectAlarm(shared);
    expect(await machineGrants()).toEqual([]);
    expect((await askAsMachine(gateway)).status).toBe(200);
  });
});

describe(verifies("machine.ended", "ending a machine's access"), () => {
  beforeEach(connectShared);

  it("gateway: its tokens end at once, it gets no new one, and others go on", async () => {
    const token = await accessTokenOf(await askAsMachine(gateway, {}, basic("second")));
    const other = await accessTokenOf(await askAsMachine(gateway));
    const [grant] = await machineGrants("second");
    expect(await shared.endGrant(text(grant, "id"), "ended_by_admin")).toBe(true);
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(401);
    expect((await call(other, ASK_ACCOUNT, SHARED)).status).toBe(200);
    await expectOAuthError(await askAsMachine(gateway, {}, basic("second")), "invalid_grant");
  });

  it("gateway: it stays ended when its row would long have been forgotten, and the alarm does not spin", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 400 * DAY * 1000 });
    await runDurableObjectAlarm(shared);
    const alarm = await runInDurableObject(shared, (_, { storage }) => storage.getAlarm());
    expect(alarm ?? Infinity).toBeGreaterThan(Date.now());
    expect(await machineGrants("second")).toHaveLength(1);
    await expectOAuthError(await askAsMachine(gateway, {}, basic("second")), "invalid_grant");
  });

  it("gateway: one that has nothing yet can be barred too, and barring twice is one row", async () => {
    await shared.barClient(barring("third"), "ended_by_admin");
    await shared.barClient(barring("third"), "ended_by_admin");
    expect(await machineGrants("third")).toHaveLength(1);
    await expectOAuthError(await askAsMachine(gateway, {}, basic("third")), "invalid_grant");
  });

  it("gateway: when the whole connection was ended and connected again, its machines go on", async () => {
    const token = await accessTokenOf(await askAsMachine(gateway));
    expect(await shared.disconnect("ended_by_admin")).toBe(true);
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(401);
    await expectOAuthError(await askAsMachine(gateway), "temporarily_unavailable", 503);
    await connectShared();
    expect((await call(token, ASK_ACCOUNT, SHARED)).status).toBe(401);
    expect((await askAsMachine(gateway)).status).toBe(200);
  });

  it("gateway: whichever comes first in a race of issuing and ending, no token works afterwards", async () => {
    for (let round = 0; round < 20; round += 1) {
      const clientId = `racer-${round}`;
      const racing = gatewayWithClients(await machineWithSecret({ client_id: clientId }));
      const asked = Array.from({ length: 4 }, () => askAsMachine(racing, {}, basic(clientId)));
      const ended = shared.barClient(barring(clientId), "ended_by_admin");
      const answers = await Promise.all(asked);
      await ended;
      // A refusal, or a token that is dead by now: both end in 400 or 401, and in nothing else.
      const ends = answers.map(async (answer) =>
        answer.status === 200
          ? (await call(await accessTokenOf(answer), ASK_ACCOUNT, SHARED)).status
          : answer.status,
      );
      expect((await Promise.all(ends)).every((status) => status === 400 || status === 401)).toBe(true);
      await expectOAuthError(await askAsMachine(racing, {}, basic(clientId)), "invalid_grant");
      const grants = await machineGrants(clientId);
      expect(grants.filter((row) => row["revoked_at"] === null)).toEqual([]);
    }
  });
});
