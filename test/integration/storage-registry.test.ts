// The RegistryObject: what registered itself expires unless it is used, and never takes more than its part.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { randomId } from "../../src/crypto/credential.ts";
import type { Client } from "../../src/oauth/client.ts";
import type { RegistryObject } from "../../src/storage/registry-object.ts";
import { DAY, HOUR, rows } from "../support/connection.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const shard = (): DurableObjectStub<RegistryObject> => env.REGISTRY.getByName(randomId());

function clientNamed(clientId: string, changes: Partial<Client> = {}): Client {
  return {
    clientId,
    registration: "dynamic",
    clientName: "Client",
    redirectUris: ["https://client.test/cb", "http://127.0.0.1/cb"],
    tokenEndpointAuthMethod: "none",
    clientSecretHash: undefined,
    grantTypes: ["authorization_code", "refresh_token"],
    ...changes,
  };
}

const register = (registry: DurableObjectStub<RegistryObject>, id: string, limit = 100): Promise<boolean> =>
  registry.register(clientNamed(id), DAY, limit);

describe(verifies("storage.registry", "registrations"), () => {
  it.each([
    ["a public client", {}],
    ["a confidential one", { tokenEndpointAuthMethod: "client_secret_basic", clientSecretHash: "hash" }],
    ["one without a name", { clientName: undefined }],
    ["one with a name of odd characters", { clientName: `"'; DROP TABLE clients; -- \u202e😀` }],
    ["one that only redeems codes", { grantTypes: ["authorization_code"] }],
  ] as const)("RFC 7591 §3.2.1: %s is found as it was registered", async (_, changes) => {
    const registry = shard();
    const client = clientNamed("c", changes);
    await registry.register(client, DAY, 100);
    await evictDurableObject(registry);
    expect(await registry.find("c")).toEqual(client);
    expect(await registry.find("C")).toBeUndefined();
  });

  it("gateway: one that is never used ends when it was to, and its row goes with the alarm", async () => {
    const registry = shard();
    await register(registry, "c");
    pass(DAY - 1);
    expect(await registry.find("c")).toBeDefined();
    pass(1);
    expect(await registry.find("c")).toBeUndefined();
    await runInDurableObject(registry, (object: RegistryObject) => object.alarm());
    expect(await rows(registry, "clients")).toEqual([]);
  });

  it("gateway: use renews it for ninety days, written at most once a day", async () => {
    const registry = shard();
    await register(registry, "c");
    await registry.renew("c");
    pass(DAY - 1);
    const before = await rows(registry, "clients");
    await registry.renew("c");
    expect(await rows(registry, "clients")).toEqual(before);
    pass(1);
    await registry.renew("c");
    pass(90 * DAY - 1);
    expect(await registry.find("c")).toBeDefined();
    pass(1);
    expect(await registry.find("c")).toBeUndefined();
  });

  it("RFC 7591 §5: a full shard refuses, and takes the oldest unused one's place after an hour", async () => {
    const registry = shard();
    for (const id of ["a", "b", "c"]) {
      expect(await register(registry, id, 3)).toBe(true);
      pass(60);
    }
    await registry.renew("a");
    expect(await register(registry, "d", 3)).toBe(false);
    pass(HOUR);
    expect(await register(registry, "d", 3)).toBe(true);
    const found = await Promise.all(["a", "b", "c", "d"].map((id) => registry.find(id)));
    expect(found.map((client) => client?.clientId)).toEqual(["a", undefined, "c", "d"]);
  });

  it("RFC 7591 §5: a shard full of clients in use refuses, however long it waits", async () => {
    const registry = shard();
    for (const id of ["a", "b"]) {
      await register(registry, id, 2);
      await registry.renew(id);
    }
    pass(30 * DAY);
    expect(await register(registry, "c", 2)).toBe(false);
    expect(await registry.find("a")).toBeDefined();
  });

  it("RFC 7591 §5: expired ones make room at once, and a hundred at a time keep to the limit", async () => {
    const registry = shard();
    const ids = Array.from({ length: 100 }, (_, at) => `c${at}`);
    const kept = await Promise.all(ids.map((id) => register(registry, id, 10)));
    expect(kept.filter(Boolean)).toHaveLength(10);
    pass(DAY);
    expect(await register(registry, "late", 10)).toBe(true);
    expect(await rows(registry, "clients")).toHaveLength(1);
  });

  it("gateway: asking a shard that never was writes nothing", async () => {
    const registry = shard();
    expect(await registry.find("c")).toBeUndefined();
    await registry.renew("c");
    await runInDurableObject(registry, async (object: RegistryObject, { storage }) => {
      await object.alarm();
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray()).toEqual(
        [],
      );
    });
  });
});

describe(verifies("storage.registry", "used assertions"), () => {
  it("RFC 7523 §3: of fifty equal ones the first counts, until it could not be used any more", async () => {
    const registry = shard();
    const assertion = { client: "c", tokenId: "t", usableUntil: Math.floor(Date.now() / 1000) + 60 };
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => registry.useAssertion(assertion)));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await registry.useAssertion({ ...assertion, client: "other" })).toBe(true);
    expect(await registry.useAssertion({ ...assertion, tokenId: "other" })).toBe(true);
    await evictDurableObject(registry);
    pass(60);
    expect(await registry.useAssertion(assertion)).toBe(false);
    pass(1);
    await runInDurableObject(registry, (object: RegistryObject) => object.alarm());
    expect(await rows(registry, "used_assertions")).toEqual([]);
  });
});
