// Agents without a browser, as they are: unmodified SDK clients with one static header, and the line for curl that the
// page shows. Then what a deployment lives through under them: a crash, a restore, other sealing keys.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { COMPANY_CANARY } from "../gong/people.ts";
import { temporaryFolder } from "../support/leftovers.ts";
import { createPerson, type Page, type Person } from "../support/person.ts";
import { REPOSITORY } from "../support/tools.ts";
import { SECRETS, startWorld, type World } from "./gateway.ts";
import { createMachine } from "./opened-urls.ts";
import { askGong } from "./raw-call.ts";
import { ASK } from "./story.ts";

const KEY = /gak_[A-Za-z0-9_-]{124}/;
const NEW_KEY = `k2:${randomBytes(32).toString("base64url")}`;

let world: World;
let admin: Person;
let key: string;

beforeAll(async () => {
  world = await startWorld();
  await world.gateway.restart({ ACCESS_CACHE_SECONDS: "0" });
  admin = createPerson();
  const page = await openAsAdmin("/admin/setup");
  const atGong = await admin.press(page, "Connect shared access");
  await admin.press(atGong, "Allow");
  key = keyOn(await makeKey("First job"));
});
afterAll(() => world.stop());

async function openAsAdmin(where: string): Promise<Page> {
  const page = await admin.open(`${world.gateway.origin}${where}`);
  if (!page.forms.some(({ fields }) => fields.some(([name]) => name === "token"))) return page;
  await admin.press(page, "Sign in", { token: SECRETS.ADMIN_TOKEN });
  return admin.open(`${world.gateway.origin}${where}`);
}

async function makeKey(name: string): Promise<Page> {
  return admin.press(await openAsAdmin("/admin/agent-keys"), "Make the key", { name });
}

function keyOn(page: Page): string {
  const [made] = KEY.exec(page.text) ?? [];
  if (made === undefined) throw new Error(`The page shows no key: ${page.text.slice(0, 500)}`);
  return made;
}

const status = async (credential: string): Promise<number> =>
  (await askGong(world.sharedMcpUrl, credential)).status;

const headers = () => ({ authorization: `Bearer ${key}` });

describe(verifies("clients.agent_key", "clients that hold an agent key"), () => {
  it("MCP 2025-11-25: the TypeScript SDK 1 lists and calls tools, and nobody signs in", async () => {
    const client = new ClientV1({ name: "headless", version: "1" });
    await client.connect(
      new TransportV1(new URL(world.sharedMcpUrl), { requestInit: { headers: headers() } }),
    );
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain(ASK.name);
    expect(JSON.stringify(await client.callTool(ASK))).toContain(COMPANY_CANARY);
    await client.close();
  });

  it("RFC 6750 §2.1: the MCP Inspector's command line calls a tool with --header, and opens no browser", async () => {
    const machine = createMachine();
    const run = ["--cli", world.sharedMcpUrl, "--transport", "http", "--format", "json", "--quiet"];
    const call = ["--method", "tools/call", "--tool-name", ASK.name];
    const given = ["--tool-args-json", JSON.stringify(ASK.arguments)];
    const header = ["--header", `Authorization: ${headers().authorization}`];
    const inspector = path.join(REPOSITORY, "node_modules/.bin/mcp-inspector");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [inspector, ...run, ...call, ...given, ...header],
      { env: machine.environment as NodeJS.ProcessEnv, timeout: 45_000 },
    );
    expect(stdout).toContain(COMPANY_CANARY);
    expect(machine.opened()).toEqual([]);
    await machine.close();
  });

  it.each([
    ["with initialize", "legacy", undefined],
    ["2026-07-28", "modern", { mode: { pin: "2026-07-28" } }],
  ] as const)("MCP, %s: the TypeScript SDK 2 lists and calls tools", async (_, era, versionNegotiation) => {
    world.gong.setKnobs({ era });
    const client = new ClientV2(
      { name: "headless", version: "1" },
      versionNegotiation === undefined ? {} : { versionNegotiation },
    );
    await client.connect(
      new TransportV2(new URL(world.sharedMcpUrl), { requestInit: { headers: headers() } }),
    );
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain(ASK.name);
    expect(JSON.stringify(await client.callTool(ASK))).toContain(COMPANY_CANARY);
    await client.close();
    world.gong.setKnobs({ era: "legacy" });
  });

  it("gateway: the lines for curl on the page of a new key work as they stand", async () => {
    const page = await makeKey("For curl");
    const [lines = ""] = /curl -sS[\s\S]*?"tools\/list"\}'/.exec(page.text) ?? [];
    const { stdout } = await promisify(execFile)("bash", ["-c", lines.replaceAll("\\ ", "")], {
      env: { ...process.env, GONG_MCP_KEY: keyOn(page) },
    });
    expect(stdout).toContain(ASK.name);
  });

  it("gateway: what the gateway logged about all of this holds no key", () => {
    expect(world.gateway.logs().join("\n")).not.toMatch(/gak_/);
  });
});

/** Gong forgets the company's tokens, as when somebody removes the access there. */
function endAtGong(): void {
  world.gong.killTokens({ kind: "all" });
}

async function connectAgain(where: string): Promise<void> {
  const page = await admin.open(where);
  await admin.press(await admin.press(page, "Connect shared access again"), "Allow");
}

describe(verifies("keys.reconnect", "an SDK client whose connection has ended at Gong"), () => {
  it("MCP 2026-07-28, SEP-2322: the SDK 2 asks its person to open the link, and its call then succeeds", async () => {
    world.gong.setKnobs({ era: "modern" });
    const client = new ClientV2(
      { name: "headless", version: "1" },
      { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    const links: string[] = [];
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      if (!("url" in params)) return { action: "cancel" };
      links.push(params.url);
      await connectAgain(params.url);
      return { action: "accept" };
    });
    await client.connect(
      new TransportV2(new URL(world.sharedMcpUrl), { requestInit: { headers: headers() } }),
    );
    endAtGong();
    expect(JSON.stringify(await client.callTool(ASK))).toContain(COMPANY_CANARY);
    expect(links).toEqual([`${world.gateway.origin}/admin/setup`]);
    await client.close();
    world.gong.setKnobs({ era: "legacy" });
  });

  it.each([
    [
      "with URL mode",
      { elicitation: { url: {} } },
      { code: -32_042, data: { elicitations: [{ mode: "url" }] } },
    ],
    ["without it", {}, { isError: true, content: [{ type: "text" }] }],
  ] as const)(
    "MCP 2025-11-25, URL Mode: the SDK 1 %s is told where, and its next call works",
    async (_, capabilities, kind) => {
      world.gong.setKnobs({ sessions: true });
      const client = new ClientV1({ name: "headless", version: "1" }, { capabilities });
      await client.connect(
        new TransportV1(new URL(world.sharedMcpUrl), { requestInit: { headers: headers() } }),
      );
      endAtGong();
      const told: unknown = await client.callTool(ASK).catch((error: unknown) => error);
      const link = `${world.gateway.origin}/admin/setup`;
      expect(told).toMatchObject(kind);
      expect(JSON.stringify(told)).toContain(link);
      await connectAgain(link);
      expect(JSON.stringify(await client.callTool(ASK))).toContain(COMPANY_CANARY);
      await client.close();
      world.gong.setKnobs({ sessions: false });
    },
  );
});

describe(verifies("keys.lasting", "what an agent key outlives, and what not"), () => {
  it("gateway: killed and started again, the gateway takes the same key", async () => {
    await world.gateway.kill();
    await world.gateway.restart();
    expect(await status(key)).toBe(200);
  });

  it("gateway: a restore of the connections to before its revocation does not bring a key back", async () => {
    const ended = keyOn(await makeKey("To be ended"));
    const copy = temporaryFolder("keys");
    await world.gateway.kill();
    cpSync(world.gateway.stateDir, copy, { recursive: true });
    await world.gateway.restart();
    expect(await status(ended)).toBe(200);
    const found = await openAsAdmin("/admin/agent-keys?q=to+be+ended");
    await admin.press(found, "Revoke this key");
    expect(await status(ended)).toBe(401);
    await world.gateway.kill();
    for (const folder of readdirSync(world.gateway.stateDir).filter((name) => /connection/i.test(name))) {
      rmSync(path.join(world.gateway.stateDir, folder), { recursive: true });
      cpSync(path.join(copy, folder), path.join(world.gateway.stateDir, folder), { recursive: true });
    }
    await world.gateway.restart();
    expect(await status(ended)).toBe(401);
    expect(await status(key)).toBe(200);
  });

  it("NIST SP 800-57 Part 1 §5.3.4: the sweep counts the keys that an old sealing key tagged", async () => {
    await world.gateway.restart({ SEALING_KEYS: `${NEW_KEY},${SECRETS.SEALING_KEYS}` });
    expect(await status(key)).toBe(200);
    const fresh = keyOn(await makeKey("After the rotation"));
    const swept = await admin.press(await openAsAdmin("/admin/sealing-keys"), "Check the sealing keys");
    expect(swept.text).toMatch(/Key k1 0 connections, 0 refresh tokens, 2 agent keys/);
    expect(swept.text).toMatch(/Key k2 1 connections, 0 refresh tokens, 1 agent keys/);
    expect(swept.text).toContain("Agent keys don't move");
    // Without the old key its agent keys are refused; with it they work again.
    await world.gateway.restart({ SEALING_KEYS: NEW_KEY });
    expect([await status(key), await status(fresh)]).toEqual([401, 200]);
    await world.gateway.restart({ SEALING_KEYS: `${NEW_KEY},${SECRETS.SEALING_KEYS}` });
    expect([await status(key), await status(fresh)]).toEqual([200, 200]);
  });
});
