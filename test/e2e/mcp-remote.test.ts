// mcp-remote, which gives clients that only know stdio a way to remote servers: its two commands as they are installed,
// each on a machine of its own whose browser is a scripted person.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createPerson } from "../support/person.ts";
import { REPOSITORY } from "../support/tools.ts";
import { freePort, type Gateway } from "../support/workerd.ts";
import { PUBLIC_CLIENT, startWorld, type World } from "./gateway.ts";
import { createMachine, type Machine } from "./opened-urls.ts";
import { asksGong, atGong, PAST_SHORT_LIFE_MS, revoke, SHORT_LIFE } from "./story.ts";

const command = (name: string): string => path.join(REPOSITORY, "node_modules/.bin", name);

let world: World;
/** Its access tokens run out after seconds, and it sees at once that one was revoked. */
let strict: Gateway;
let machine: Machine;
const children: ChildProcess[] = [];

beforeAll(async () => {
  world = await startWorld();
  strict = await world.another(SHORT_LIFE);
});
beforeEach(() => {
  machine = createMachine();
});
afterEach(async () => {
  await endChildren();
  await machine.close();
});
afterAll(() => world.stop());

/** Ends the commands that run. */
async function endChildren(): Promise<void> {
  for (const child of children.splice(0)) {
    const ended = once(child, "exit");
    if (child.exitCode === null && child.kill()) await ended;
  }
}

/**
 * Runs `mcp-remote-client`, which signs in, lists tools and goes on; resolves with its output once `until` is in it.
 */
async function remoteClient(port: number, until: RegExp, mcpUrl = world.mcpUrl): Promise<string> {
  const child = spawn(
    process.execPath,
    [command("mcp-remote-client"), mcpUrl, String(port), "--allow-http"],
    // It ends with its standard input.
    { env: machine.environment as NodeJS.ProcessEnv, stdio: ["pipe", "pipe", "pipe"] },
  );
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  await expect.poll(() => output, { timeout: 20_000, interval: 100 }).toMatch(until);
  return output;
}

/** `mcp-remote` as a stdio server of an MCP client, which is how desktop applications run it. */
async function throughProxy(mcpUrl: string, port: number, ...flags: string[]): Promise<Client> {
  const client = new Client({ name: "Desktop application", version: "1.0.0" });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [command("mcp-remote"), mcpUrl, String(port), "--allow-http", ...flags],
    env: machine.environment,
    stderr: "ignore",
  });
  await client.connect(transport, { timeout: 30_000 });
  return client;
}

describe(verifies("device.real_client", "mcp-remote --device-code"), () => {
  it("RFC 8628: shows a code, and once a person has approved it elsewhere lists Gong's tools", async () => {
    const child = spawn(
      process.execPath,
      [command("mcp-remote-client"), world.mcpUrl, String(await freePort()), "--allow-http", "--device-code"],
      { env: machine.environment as NodeJS.ProcessEnv, stdio: ["pipe", "pipe", "pipe"] },
    );
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => (output += String(chunk)));
    await expect.poll(() => output, { timeout: 30_000 }).toMatch(/enter the code: \S+/);
    const [, address = ""] = /visit:[^h]*(https?:\S+)/.exec(output) ?? [];
    const [, userCode = ""] = /enter the code: (\S+)/.exec(output) ?? [];

    const person = createPerson();
    const asked = await person.press(await person.open(address), "Continue", { user_code: userCode });
    expect(asked.text).toContain(userCode);
    let page = await person.press(asked, "Approve", { device_checked: "yes" });
    if (page.url.origin !== world.gateway.origin) page = await person.press(page, "Allow");
    expect(page.text).toContain("Your device is connected");
    await expect.poll(() => output, { timeout: 30_000 }).toMatch(/generate_brief/);
    expect(machine.opened()).toEqual([]);
  });
});

describe(verifies("clients.mcp_remote", "mcp-remote"), () => {
  it("mcp-remote-client: registers, opens a browser, signs in and lists Gong's tools", async () => {
    const output = await remoteClient(await freePort(), /generate_brief/);
    expect(output).toContain("ask_account");
    expect(machine.opened()).toHaveLength(1);
    expect(machine.refused()).toEqual([]);
  });

  it("mcp-remote-client: an access token that has run out is refreshed without a browser; after revocation its person is asked again", async () => {
    const port = await freePort();
    const mcpUrl = `${strict.origin}/mcp`;
    await remoteClient(port, /generate_brief/, mcpUrl);
    await endChildren();
    expect(machine.opened()).toHaveLength(1);

    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));
    await remoteClient(port, /generate_brief/, mcpUrl);
    await endChildren();
    expect(machine.opened()).toHaveLength(1);

    const { client_id: clientId, refresh_token: refreshToken } = machine.kept();
    await revoke(strict, clientId ?? "", refreshToken ?? "");
    await remoteClient(port, /generate_brief/, mcpUrl);
    expect(machine.opened()).toHaveLength(2);
    expect(machine.refused()).toEqual([]);
  });

  it("mcp-remote: a stdio application gets Gong's answer, and the next start needs no browser", async () => {
    const port = await freePort();
    const first = await throughProxy(world.mcpUrl, port);
    await asksGong(first);
    await first.close();
    expect(machine.opened()).toHaveLength(1);
    const { signIns } = atGong(world);

    const second = await throughProxy(world.mcpUrl, port);
    await asksGong(second);
    await second.close();
    expect(machine.opened()).toHaveLength(1);
    expect(atGong(world).signIns).toBe(signIns);
    expect(machine.refused()).toEqual([]);
  });

  it("mcp-remote: refreshes by itself when its access token has run out", async () => {
    const client = await throughProxy(`${strict.origin}/mcp`, await freePort());
    await asksGong(client);
    const { signIns } = atGong(world);
    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));
    await asksGong(client);
    await client.close();
    expect(machine.opened()).toHaveLength(1);
    expect(atGong(world).signIns).toBe(signIns);
  });

  it("MCP 2026-07-28: mcp-remote --protocol auto speaks it to a Gong that knows nothing else", async () => {
    world.gong.setKnobs({ era: "modern" });
    const client = await throughProxy(world.mcpUrl, await freePort(), "--protocol", "auto");
    await asksGong(client);
    await client.close();
    world.gong.setKnobs({ era: "legacy" });
    expect(machine.refused()).toEqual([]);
  });

  it("RFC 7009 §2.1: after revocation mcp-remote opens the browser again, and its person is back", async () => {
    const port = await freePort();
    const first = await throughProxy(`${strict.origin}/mcp`, port);
    await asksGong(first);
    await first.close();
    const { client_id: clientId, refresh_token: refreshToken } = machine.kept();
    await revoke(strict, clientId ?? "", refreshToken ?? "");

    const second = await throughProxy(`${strict.origin}/mcp`, port);
    await asksGong(second);
    await second.close();
    expect(machine.opened()).toHaveLength(2);
    expect(machine.refused()).toEqual([]);
  });

  it("mcp-remote: with a pre-registered client it registers nothing", async () => {
    const info = JSON.stringify({ client_id: PUBLIC_CLIENT.clientId });
    const client = await throughProxy(world.mcpUrl, await freePort(), "--static-oauth-client-info", info);
    await asksGong(client);
    await client.close();
    expect(machine.opened()[0]).toContain(`client_id=${PUBLIC_CLIENT.clientId}`);
  });
});
