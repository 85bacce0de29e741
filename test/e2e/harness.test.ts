// The ground that every end-to-end test stands on: the built Worker starts behind a real socket, keeps its state over a
// restart and over a SIGKILL, says what it logged, and is gone afterwards.

import { afterEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { findBrowser } from "../support/browser.ts";
import { buildWorker, type Gateway, startGateway } from "../support/workerd.ts";

const SETTINGS = {
  GONG_MCP_URL: "http://127.0.0.1:9/mcp",
  GONG_CLIENT_ID: "gong-client",
  GONG_CLIENT_SECRET: "gong-secret",
  SEALING_KEYS: `k1:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`,
};

const running: Gateway[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
});

async function start(settings: Readonly<Record<string, string>> = SETTINGS): Promise<Gateway> {
  const gateway = await startGateway({ build: await buildWorker(), settings });
  running.push(gateway);
  return gateway;
}

async function register(gateway: Gateway): Promise<string> {
  const response = await fetch(`${gateway.origin}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_name: "Harness", redirect_uris: ["http://127.0.0.1:1/callback"] }),
  });
  expect(response.status).toBe(201);
  const { client_id: clientId } = (await response.json()) as { client_id: string };
  return clientId;
}

/** 200 with a consent page for a client that the gateway knows; anything else for one that it does not. */
async function authorizeStatus(gateway: Gateway, clientId: string): Promise<number> {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: "http://127.0.0.1:1/callback",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    state: "state",
  });
  const response = await fetch(`${gateway.origin}/authorize?${query}`, { redirect: "manual" });
  await response.body?.cancel();
  return response.status;
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe(verifies("operations.runs_outside_wrangler", "the built Worker in workerd"), () => {
  it("starts on an origin where its own settings say it is", async () => {
    const build = await buildWorker();
    const gateway = await start();
    const health = await fetch(`${gateway.origin}/health`);
    expect(health.status).toBe(200);
    const metadata = await fetch(`${gateway.origin}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({ issuer: gateway.origin });
    expect(build.gzipBytes).toBeLessThan(build.bytes);
  });

  it("keeps what its objects stored when it is restarted, and when it is killed", async () => {
    const gateway = await start();
    const clientId = await register(gateway);
    const [letters = ""] = clientId;
    const foreign = clientId.slice(0, -1) + (clientId.endsWith(letters) ? "x" : letters);
    for (const end of [() => Promise.resolve(), () => gateway.kill()]) {
      const before = gateway.pid;
      await end();
      await gateway.restart();
      expect(gateway.pid).not.toBe(before);
      expect(isAlive(before)).toBe(false);
      expect(await authorizeStatus(gateway, clientId)).toBe(200);
      expect(await authorizeStatus(gateway, foreign)).not.toBe(200);
    }
  });

  it("leaves no process behind when it is stopped", async () => {
    const gateway = await start();
    const { pid } = gateway;
    expect(isAlive(pid)).toBe(true);
    await gateway.stop();
    expect(isAlive(pid)).toBe(false);
    expect(gateway.pid).toBeUndefined();
    await expect(fetch(`${gateway.origin}/health`)).rejects.toThrow("fetch failed");
  });

  it("restarts with changed settings", async () => {
    const gateway = await start();
    await gateway.restart({ SEALING_KEYS: "broken" });
    const metadata = await fetch(`${gateway.origin}/.well-known/oauth-authorization-server`);
    expect(metadata.status).toBe(503);
    expect(await metadata.text()).toContain("SEALING_KEYS");
  });

  it("says why when it cannot start", async () => {
    const build = await buildWorker();
    const future = { ...build, compatibilityDate: "2099-01-01" };
    await expect(startGateway({ build: future, settings: SETTINGS })).rejects.toThrow("2099-01-01");
  });
});

describe(verifies("operations.browser_required", "the browser of the tests"), () => {
  it("is there, or says how to get one: browser tests never skip in silence", () => {
    expect(findBrowser()).toMatch(/chrom/i);
    expect(() => findBrowser({ CHROME_PATH: "/nowhere/chrome" })).toThrow(
      "/nowhere/chrome, which cannot be run",
    );
  });
});
