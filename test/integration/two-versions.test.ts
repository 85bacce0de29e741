// Deployments that overlap and deployments that are taken back: the Worker and its objects may be of two versions, and
// an object may have been written by a newer one than runs now.

import { evictDurableObject, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { failureOf } from "../../src/errors.ts";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser } from "../support/admin.ts";
import { recordLogs } from "../support/evidence.ts";
import { ask, ASK_ACCOUNT, askToken, call, connect } from "../support/flow.ts";
import { gong } from "../support/gong.ts";

let logs: readonly string[] = [];
beforeEach(async () => {
  await gong.reset();
  logs = recordLogs();
});
afterEach(() => void vi.restoreAllMocks());

const FUTURE = 1000;

const refresh = (clientId: string, refreshToken: string): Promise<Response> =>
  askToken({ grant_type: "refresh_token", client_id: clientId, refresh_token: refreshToken });

/** Lets every object of a class have been written by a version with this many more steps in its schema. */
async function ahead(objects: DurableObjectNamespace, steps: number): Promise<void> {
  for (const id of await listDurableObjectIds(objects)) {
    const stub = objects.get(id);
    await runInDurableObject(stub, (_, { storage }) => {
      const known = storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name = 'schema_version'")
        .toArray();
      if (known.length > 0) storage.sql.exec("UPDATE schema_version SET version = version + ?", steps);
    });
    await evictDurableObject(stub);
  }
}

const newer = (): readonly string[] => logs.filter((line) => line.includes('"schema.newer"'));

describe(verifies("storage.two_versions", "gateway: code that is older than what is stored"), () => {
  it("answers agents 503 and when to try again, says why in the log, and loses nothing", async () => {
    const { tokens, clientId } = await connect();
    await ahead(env.CONNECTIONS, FUTURE);
    const refused = await call(tokens.access_token, ASK_ACCOUNT);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    const notRefreshed = await refresh(clientId, tokens.refresh_token);
    expect(notRefreshed.status).toBe(503);
    expect(await notRefreshed.json()).toMatchObject({ error: "temporarily_unavailable" });
    expect(newer().length).toBeGreaterThan(0);
    expect(await gong.credits()).toBe(0);

    await ahead(env.CONNECTIONS, -FUTURE);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    expect((await refresh(clientId, tokens.refresh_token)).status).toBe(200);
  });
});

describe(verifies("storage.two_versions", "gateway: a Worker that is newer than its objects"), () => {
  it.each(["CONNECTIONS", "TRANSACTIONS", "ESCROWS", "REGISTRY", "ADMIN"] as const)(
    "%s: a method that the object does not know yet is a failure that passes, no bug, and writes nothing",
    async (name) => {
      const objects: DurableObjectNamespace = env[name];
      const stub = objects.getByName(`old-${name}`) as unknown as { ofTomorrow(): Promise<unknown> };
      const error: unknown = await stub.ofTomorrow().catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(Error);
      expect(failureOf(error)).toMatchObject({ code: "temporarily_unavailable", retryAfterSeconds: 1 });
      await runInDurableObject(objects.getByName(`old-${name}`), (_, { storage }) => {
        const tables = storage.sql.exec(
          "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
        );
        expect(tables.toArray()).toEqual([]);
      });
    },
  );
});

describe(verifies("storage.two_versions", "gateway: code that is older than what admins stored"), () => {
  it("answers admins 503, also at /health, and paid calls before Gong is asked; strangers see the version that runs", async () => {
    const admin = await adminBrowser();
    const { tokens } = await connect();
    await ahead(env.ADMIN, FUTURE);
    expect((await ask("/health")).status).toBe(200);
    for (const path of ["/admin", "/health"]) {
      const response = await admin.open(path);
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("1");
    }
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(503);
    expect(await gong.credits()).toBe(0);
    expect(newer().length).toBeGreaterThan(0);
  });
});
