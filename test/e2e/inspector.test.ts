// The MCP Inspector's command line, as it is installed, on a machine of its own whose browser is a scripted person.
// Each run is a process that calls one method; between runs there is only what it wrote into its storage folder.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createAgent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import { REPOSITORY } from "../support/tools.ts";
import { freePort, type Gateway } from "../support/workerd.ts";
import { PUBLIC_CLIENT, startWorld, type World } from "./gateway.ts";
import { createMachine, type Machine } from "./opened-urls.ts";
import { ASK, asksGong, atGong, PAST_SHORT_LIFE_MS, revoke, SHORT_LIFE } from "./story.ts";

const INSPECTOR = path.join(REPOSITORY, "node_modules/.bin/mcp-inspector");
/** Its own exit code for "sign in first". */
const SIGN_IN_NEEDED = 3;

let world: World;
/** Its access tokens run out after seconds, and it sees at once that one was revoked. */
let strict: Gateway;
let machine: Machine;
/** `--callback-url` of each run, because its default port may be taken on this machine. */
let callbackUrl: string;

beforeAll(async () => {
  world = await startWorld();
  strict = await world.another(SHORT_LIFE);
});
beforeEach(async () => {
  machine = createMachine();
  callbackUrl = `http://127.0.0.1:${await freePort()}/callback`;
});
afterEach(() => machine.close());
afterAll(() => world.stop());

interface Ended {
  readonly status: number;
  readonly stdout: string;
}

/** Runs the command to its end. */
async function inspect(mcpUrl: string, ...options: readonly string[]): Promise<Ended> {
  const target = ["--cli", mcpUrl, "--transport", "http", "--format", "json", "--quiet"];
  const env: Record<string, string> = {
    ...machine.environment,
    // Without it the command prints the sign-in's address and waits for somebody to open it.
    MCP_AUTO_OPEN_ENABLED: "true",
    MCP_STORAGE_DIR: storage(),
    // No desktop's key ring here.
    MCP_INSPECTOR_SECRET_STORE: "file",
  };
  try {
    const args = [INSPECTOR, ...target, "--callback-url", callbackUrl, ...options];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: env as NodeJS.ProcessEnv,
      timeout: 45_000,
    });
    return { status: 0, stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout: stdout + stderr };
  }
}

/** Asks Gong the question that all clients ask; fails the test when the answer is not Ada's. */
async function asks(mcpUrl: string, ...options: readonly string[]): Promise<void> {
  await asksGong({
    async callTool({ name, arguments: given }) {
      const call = ["--method", "tools/call", "--tool-name", name, "--tool-args-json", JSON.stringify(given)];
      const { status, stdout } = await inspect(mcpUrl, ...call, ...options);
      expect(stdout, `exit code ${status}`).toContain('"result"');
      return (JSON.parse(stdout) as { result: unknown }).result;
    },
  });
}

const storage = (): string => path.join(machine.environment["HOME"] ?? "", "inspector");

/** What it kept of its sign-in: the tokens are a JSON text in its file of secrets. */
function kept(mcpUrl: string): { readonly clientId: string; readonly refreshToken: string } {
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(storage(), name), "utf8"));
  const { servers } = read("oauth.json") as {
    servers: Record<
      string,
      { byIssuer: Record<string, { clientInformation: { client_id: string } }> } | undefined
    >;
  };
  const { secrets } = read("secrets.json") as { secrets: Record<string, string> };
  const [, tokens = "{}"] = Object.entries(secrets).find(([name]) => name.includes(":tokens:")) ?? [];
  return {
    clientId: servers[mcpUrl]?.byIssuer[new URL(mcpUrl).origin]?.clientInformation.client_id ?? "",
    refreshToken: (JSON.parse(tokens) as { refresh_token?: string }).refresh_token ?? "",
  };
}

describe(verifies("clients.inspector", "MCP Inspector, command line"), () => {
  it("MCP 2025-11-25, authorization flow: from a URL alone to Gong's answer, and the next run needs no browser", async () => {
    await asks(world.mcpUrl);
    expect(machine.opened()).toHaveLength(1);
    const { signIns } = atGong(world);
    await asks(world.mcpUrl);
    expect(machine.opened()).toHaveLength(1);
    expect(atGong(world).signIns).toBe(signIns);
    expect(machine.refused()).toEqual([]);
  });

  it("MCP 2026-07-28: --protocol-era modern signs in and calls a tool without initialize", async () => {
    world.gong.setKnobs({ era: "modern" });
    await asks(world.mcpUrl, "--protocol-era", "modern");
    world.gong.setKnobs({ era: "legacy" });
    expect(machine.opened()).toHaveLength(1);
  });

  it("RFC 6749 §6: a run after the access token's end refreshes by itself, also when it may not open a browser", async () => {
    const url = `${strict.origin}/mcp`;
    await asks(url);
    const before = kept(url).refreshToken;
    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));
    await asks(url, "--stored-auth-only");
    expect(machine.opened()).toHaveLength(1);
    expect(kept(url).refreshToken).toMatch(/^grt_/);
    expect(kept(url).refreshToken).not.toBe(before);
  });

  it("RFC 7009 §2.1: after revocation no call reaches Gong without a browser, and with one its person is back", async () => {
    const url = `${strict.origin}/mcp`;
    await asks(url);
    const { clientId, refreshToken } = kept(url);
    await revoke(strict, clientId, refreshToken);
    const { calls } = atGong(world);

    const call = ["--method", "tools/call", "--tool-name", ASK.name];
    expect((await inspect(url, ...call, "--stored-auth-only")).status).toBe(SIGN_IN_NEEDED);
    expect(atGong(world).calls).toBe(calls);
    expect(machine.opened()).toHaveLength(1);
    await asks(url);
    expect(machine.opened()).toHaveLength(2);
  });

  it("gateway: --relogin forgets what it held and signs in anew, which ends no sign-in of others", async () => {
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson() });
    const other = await agent.connect();
    await asks(world.mcpUrl);
    const first = kept(world.mcpUrl);
    await asks(world.mcpUrl, "--relogin");
    expect(machine.opened()).toHaveLength(2);
    expect(kept(world.mcpUrl).clientId).not.toBe(first.clientId);
    await asksGong(other);
    await other.close();
  });

  it("RFC 6749 §2.1: with --client-id it registers nothing", async () => {
    await asks(world.mcpUrl, "--client-id", PUBLIC_CLIENT.clientId);
    expect(machine.opened()[0]).toContain(`client_id=${PUBLIC_CLIENT.clientId}`);
  });

  it("RFC 6750 §2.1: with --header and somebody's access token it asks without a sign-in of its own", async () => {
    const agent = createAgent({ mcpUrl: world.mcpUrl, person: createPerson() });
    await agent.signIn();
    await asks(world.mcpUrl, "--header", `Authorization: Bearer ${agent.tokens?.access_token}`);
    expect(machine.opened()).toEqual([]);
  });

  it("MCP authorization: with nothing stored and no browser allowed it says that a sign-in is needed", async () => {
    const ended = await inspect(world.mcpUrl, "--method", "tools/list", "--stored-auth-only");
    expect(ended.status).toBe(SIGN_IN_NEEDED);
    expect(machine.opened()).toEqual([]);
  });
});
