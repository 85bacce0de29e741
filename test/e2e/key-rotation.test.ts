// Changing what the deployment is made of, under connections that live: sealing keys, Gong's client secret, the
// integration, the public URL. Each has one defined outcome.

import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { PERSONAL_CLIENT_ID } from "../gong/integrations.ts";
import { createPerson, type Person } from "../support/person.ts";
import { SECRETS, startWorld, type World } from "./gateway.ts";
import { askGong, refresh, signIn, type SignedIn } from "./raw-call.ts";
import { ADA } from "./story.ts";

const NEW_KEY = `k2:${randomBytes(32).toString("base64url")}`;
const OLD_KEY = SECRETS.SEALING_KEYS;

let world: World;
let agent: SignedIn;
let admin: Person;

beforeAll(async () => {
  world = await startWorld();
  agent = await signIn(world.mcpUrl);
  admin = createPerson();
});

afterAll(() => world.stop());

/** Signs the admin in if needed and presses the button that sweeps. */
async function sweep(): Promise<string> {
  const page = await admin.open(`${world.gateway.origin}/admin`);
  if (page.forms.some(({ fields }) => fields.some(([name]) => name === "token"))) {
    await admin.press(page, "Sign in", { token: SECRETS.ADMIN_TOKEN });
  }
  const keys = await admin.open(`${world.gateway.origin}/admin/sealing-keys`);
  return (await admin.press(keys, "Check the sealing keys")).text;
}

async function answer(): Promise<{ status: number; text: string }> {
  const response = await askGong(world.mcpUrl, agent.accessToken);
  return { status: response.status, text: await response.text() };
}

/** The sealed Gong tokens of every connection, read from the disk of a gateway that does not run. */
function sealedOnDisk(): readonly unknown[] {
  const { stateDir } = world.gateway;
  return readdirSync(stateDir, { recursive: true, encoding: "utf8" })
    .filter((file) => /connection/i.test(file) && /[0-9a-f]{64}\.sqlite$/.test(file))
    .flatMap((file) => {
      const database = new DatabaseSync(path.join(stateDir, file));
      try {
        const tables = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'connection'").all();
        if (tables.length === 0) return [];
        const sealed = "SELECT gong_access_token_sealed, gong_refresh_token_sealed FROM connection";
        return database.prepare(sealed).all();
      } finally {
        database.close();
      }
    });
}

describe(
  verifies("keys.rotation", "NIST SP 800-57 part 1 §5.3: sealing keys rotate with nothing lost"),
  () => {
    it("a new key that only opens changes nothing", async () => {
      await world.gateway.restart({ SEALING_KEYS: `${OLD_KEY},${NEW_KEY}` });
      expect(await answer()).toMatchObject({ status: 200, text: expect.stringContaining(ADA) });
    });

    it("promoted to the first place it seals, and what the old key sealed still opens", async () => {
      await world.gateway.restart({ SEALING_KEYS: `${NEW_KEY},${OLD_KEY}` });
      expect(await answer()).toMatchObject({ status: 200, text: expect.stringContaining(ADA) });
    });

    it("the sweep seals every connection with it and says that the old key is still needed for a refresh token", async () => {
      const report = await sweep();
      expect(report).toContain("1 connection was sealed again");
      expect(report).toMatch(/Key k1 0 connections, 1 refresh tokens/);
      expect(report).toMatch(/Key k2 1 connections, 0 refresh tokens/);
    });

    it("once the client has refreshed, the sweep says that the old key can go, and without it all works", async () => {
      const refreshed = await refresh(world.gateway.origin, agent);
      expect(refreshed.status).toBe(200);
      agent = { ...agent, ...refreshed };
      expect(await sweep()).toContain("older keys can be taken out");
      await world.gateway.restart({ SEALING_KEYS: NEW_KEY });
      expect(await answer()).toMatchObject({ status: 200, text: expect.stringContaining(ADA) });
      // A new sign-in by the same person finds the same connection: the key that names it survived the rotation.
      await signIn(world.mcpUrl);
      const connected = await admin.open(`${world.gateway.origin}/admin/connections?state=connected`);
      expect(connected.text).toContain("1 matches");
    });
  },
);

describe(verifies("keys.missing", "a missing key makes records unreadable and never overwrites them"), () => {
  it("calls answer 503, the record stays as it is, the log names the missing kid, and putting the key back heals", async () => {
    const other = `k9:${randomBytes(32).toString("base64url")}`;
    await world.gateway.restart({ SEALING_KEYS: `${other},${NEW_KEY}` });
    const refreshed = await refresh(world.gateway.origin, agent);
    agent = { ...agent, ...refreshed };
    await world.gateway.kill();
    const before = sealedOnDisk();
    await world.gateway.restart({ SEALING_KEYS: other });
    expect((await answer()).status).toBe(503);
    expect(world.gateway.logs().join("\n")).toContain('"missingKid":"k2"');
    expect(await sweep()).toContain("Put key k2 back");
    await world.gateway.kill();
    expect(before).toHaveLength(1);
    expect(sealedOnDisk()).toEqual(before);
    await world.gateway.restart({ SEALING_KEYS: `${NEW_KEY},${other}` });
    expect(await answer()).toMatchObject({ status: 200, text: expect.stringContaining(ADA) });
  });
});

describe(verifies("gong.secret_changed", "a changed client secret at Gong ends no connection"), () => {
  it("while the secret is wrong refreshes fail and nothing is lost; with the new one they work again", async () => {
    world.gong.editIntegration(PERSONAL_CLIENT_ID, { clientSecret: "another/secret+of%Gong" });
    world.gong.killTokens({ kind: "access" });
    expect((await answer()).status).toBe(503);
    await world.gateway.restart({ GONG_CLIENT_SECRET: "another/secret+of%Gong" });
    await expect.poll(async () => (await answer()).status, { timeout: 20_000, interval: 500 }).toBe(200);
  });
});

describe(verifies("deployment.moved", "a new public URL makes everybody sign in once, and heals"), () => {
  it("tokens of the old address are refused there, and a new sign-in works", async () => {
    const { origin } = world.gateway;
    const newOrigin = origin.replace("localhost", "127.0.0.1");
    await world.gateway.restart({ PUBLIC_URL: newOrigin });
    expect((await askGong(`${newOrigin}/mcp`, agent.accessToken)).status).toBe(401);
    await world.gateway.restart({ PUBLIC_URL: origin });
    // Back at the old address everything that was sealed there opens again.
    expect(await answer()).toMatchObject({ status: 200, text: expect.stringContaining(ADA) });

    world.gong.editIntegration(PERSONAL_CLIENT_ID, { redirectUris: [`${newOrigin}/callback`] });
    await world.gateway.restart({ PUBLIC_URL: newOrigin });
    const moved = await signIn(`${newOrigin}/mcp`);
    expect((await askGong(`${newOrigin}/mcp`, moved.accessToken)).status).toBe(200);
  });
});
