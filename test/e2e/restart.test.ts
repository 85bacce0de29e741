// The gateway is killed in the middle of its work and started again on what it stored. Nobody has to sign in again,
// and nothing that is stored or logged opens anything.

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createAgent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import {
  CONFIDENTIAL_CLIENT,
  LOOPBACK_REDIRECT,
  PUBLIC_CLIENT,
  SECRETS,
  startWorld,
  type World,
} from "./gateway.ts";
import { PKCE } from "./listening-client.ts";
import { asksGong, atGong } from "./story.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

async function killAndRestart(): Promise<void> {
  await world.gateway.kill();
  await world.gateway.restart();
}

describe(verifies("operations.durable_over_kill", "after SIGKILL"), () => {
  it("gateway: a signed-in client gets its answers, and later refreshes, without a new sign-in", async () => {
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson() });
    const client = await agent.connect();
    await asksGong(client);
    const { signIns } = atGong(world);
    await killAndRestart();

    await asksGong(client);
    await client.close();
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      client_id: agent.registration?.client_id ?? "",
      refresh_token: agent.tokens?.refresh_token ?? "",
    });
    const refreshed = await fetch(`${world.gateway.origin}/token`, { method: "POST", body });
    expect(refreshed.status).toBe(200);
    expect(atGong(world).signIns).toBe(signIns);
  });

  it("gateway: killed the moment after its answer, it still knows the code it gave", async () => {
    const person = createPerson();
    const query = new URLSearchParams({
      response_type: "code",
      client_id: PUBLIC_CLIENT.clientId,
      redirect_uri: LOOPBACK_REDIRECT,
      code_challenge: PKCE.challenge,
      code_challenge_method: "S256",
    });
    const callback = await person.authorize(`${world.gateway.origin}/authorize?${query}`);
    await killAndRestart();
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      client_id: PUBLIC_CLIENT.clientId,
      code: callback.searchParams.get("code") ?? "",
      code_verifier: PKCE.verifier,
      redirect_uri: LOOPBACK_REDIRECT,
    });
    const redeemed = await fetch(`${world.gateway.origin}/token`, { method: "POST", body });
    expect(redeemed.status).toBe(200);
  });

  it("gateway: a consent form, and then a visit to Gong, that were open all the while still work", async () => {
    const person = createPerson();
    const query = new URLSearchParams({
      response_type: "code",
      client_id: PUBLIC_CLIENT.clientId,
      redirect_uri: "http://localhost:43110/oauth/callback",
      code_challenge: PKCE.challenge,
      code_challenge_method: "S256",
    });
    const consent = await person.open(`${world.gateway.origin}/authorize?${query}`);
    await killAndRestart();
    const gong = await person.press(consent, "Approve");
    expect(gong.url.origin).toBe(world.gongAppOrigin);
    await killAndRestart();
    // Nobody listens at the client's port: the browser gets as far as being sent there.
    const { signIns } = atGong(world);
    await expect(person.press(gong, "Allow")).rejects.toThrow("43110");
    expect(atGong(world).signIns).toBe(signIns + 1);
  });
});

describe(verifies("operations.no_secret_leaves", "secrets"), () => {
  it("OWASP ASVS 14.2: nothing on disk, in the log or on a page opens Gong, a client or the gateway", async () => {
    const pages: string[] = [];
    const person = createPerson(({ html }) => void pages.push(html));
    const answers: string[] = [];
    const agent = createAgent({
      mcpUrl: world.mcpUrl,
      person,
      preregistered: CONFIDENTIAL_CLIENT,
      observe: (_, response) => answers.push([...response.headers].join()),
    });
    await asksGong(await agent.connect());
    await person.open(`${world.gateway.origin}/admin`);

    const gongs = world.gong.ledger().flatMap((entry) => {
      if (entry.kind === "tokens_issued") return [entry.accessToken, entry.refreshToken ?? ""];
      return entry.kind === "code_issued" ? [entry.code] : [];
    });
    const ours = [
      agent.tokens?.access_token ?? "",
      agent.tokens?.refresh_token ?? "",
      agent.callback?.searchParams.get("code") ?? "",
    ];
    const held = { ...SECRETS, client: CONFIDENTIAL_CLIENT.clientSecret };
    const keys = SECRETS.SEALING_KEYS.slice("k1:".length);
    const secrets = [...gongs, ...ours, ...Object.values(held), keys].filter((secret) => secret !== "");
    expect(secrets.length).toBeGreaterThan(10);

    await world.gateway.kill();
    const disk = readdirSync(world.gateway.stateDir, {
      recursive: true,
      encoding: "utf8",
      withFileTypes: true,
    })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name)).toString("latin1"))
      .join("\n");
    const log = world.gateway.logs().join("\n");
    // The search finds what is there: the client's name on disk, an event in the log, the client id on a page.
    expect(disk).toContain(CONFIDENTIAL_CLIENT.clientId);
    expect(log).toContain("token.issued");
    expect(pages.join()).toContain(CONFIDENTIAL_CLIENT.clientId);
    for (const form of secrets.flatMap(written)) {
      expect(disk.includes(form), `on disk: ${form}`).toBe(false);
      expect(log.includes(form), `in the log: ${form}`).toBe(false);
      expect(
        pages.some((html) => html.includes(form)),
        `on a page: ${form}`,
      ).toBe(false);
      expect(
        answers.some((headers) => headers.includes(form)),
        `in a header: ${form}`,
      ).toBe(false);
    }
    await world.gateway.restart();
  });
});

/** A secret as it is and as it would look encoded. */
function written(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    Buffer.from(secret, "utf16le").toString("latin1"),
  ];
}
