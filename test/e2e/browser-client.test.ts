// MCP clients that are web pages, in a real Chromium: the whole flow by fetch from another origin, with the preflights
// that the browser makes of it; and what a page of an origin that nobody allowed can read. Fetch, CORS protocol.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { createAgent } from "../support/agent.ts";
import { launchBrowser } from "../support/browser.ts";
import { createPerson } from "../support/person.ts";
import type { Gateway } from "../support/workerd.ts";
import { startWorld, type World } from "./gateway.ts";
import { allowAtGong, approve, openRealPerson, type RealPerson } from "./real-person.ts";
import { ADA, atGong } from "./story.ts";

/** Names that lead to this machine in the browser, and are not the loopback names that a local gateway trusts. */
const LISTED = "listed.example";
const OTHER = "other.example";

interface Site {
  readonly port: number;
  close(): Promise<void>;
}

let world: World;
let listing: Gateway;
let browser: Browser;
let site: Site;
let person: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  site = await servePage();
  listing = await world.another({ ALLOWED_ORIGINS: `http://${LISTED}:${site.port}` });
  browser = await launchBrowser([`--host-resolver-rules=MAP ${LISTED} 127.0.0.1,MAP ${OTHER} 127.0.0.1`]);
});
afterAll(async () => {
  await browser.close();
  await site.close();
  await world.stop();
});
beforeEach(async () => {
  person = await openRealPerson(browser);
});
afterEach(() => person.close());

/** Serves the page client at every path. */
async function servePage(): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: [path.join(import.meta.dirname, "page-client.ts")],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  const script = outputFiles[0]?.text ?? "";
  const server = createServer((request, response) => {
    const isScript = request.url === "/client.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    response.end(
      isScript
        ? script
        : '<!doctype html><html lang="en"><title>A client</title><link rel="icon" href="data:,"><body><script type="module" src="/client.js"></script></body></html>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What crosses into the page: plain values. */
interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly credentials?: "omit" | "include";
}

/** What a page's fetch came to: nothing when the browser kept the answer from it. */
interface Read {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Fetches from inside `page`, as its own script would. */
function fetchFrom(page: Page, url: string, init: Ask = {}): Promise<Read | "kept from the page"> {
  return page.evaluate(
    async ([url, init]) => {
      try {
        const response = await fetch(url, init);
        return { status: response.status, headers: Object.fromEntries(response.headers) };
      } catch {
        return "kept from the page" as const;
      }
    },
    [url, init] as const,
  );
}

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "page", version: "1" } },
});

/** A call with headers of MCP, each of which makes the browser ask first. */
const calling = (accessToken: string | undefined): Ask => ({
  method: "POST",
  headers: {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-06-18",
    "mcp-method": "initialize",
    "mcp-param-region": "eu",
    ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
  },
  body: INITIALIZE,
});

async function accessTokenOf(gateway: Gateway): Promise<string> {
  const agent = createAgent({ mcpUrl: `${gateway.origin}/mcp`, person: createPerson() });
  await agent.signIn();
  return agent.tokens?.access_token ?? "";
}

describe(verifies("browser.clients", "MCP clients that are web pages"), () => {
  it("Fetch §3.3: a page with the SDK goes by fetch from its own origin from the first 401 to Gong's answer", async () => {
    const { page } = person;
    const own = `http://127.0.0.1:${site.port}`;
    await page.goto(`${own}/?mcp=${encodeURIComponent(world.mcpUrl)}`);
    await approve(page);
    await allowAtGong(page);
    await page.waitForURL(`${own}/callback?*`);
    await expect.poll(() => page.textContent("body"), { timeout: 30_000 }).toContain(ADA);
    const asked = await person.requests();
    const byFetch = asked
      .filter(({ url }) => url.origin === world.gateway.origin)
      .map(({ url }) => url.pathname);
    expect(byFetch).toEqual(
      expect.arrayContaining([
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/register",
        "/token",
        "/mcp",
      ]),
    );
    expect(person.troubles).toEqual([]);
  });

  it("Fetch §3.3.5: a page of a listed origin sends MCP's headers, and reads the challenge and the session's id", async () => {
    world.gong.setKnobs({ sessions: true });
    const accessToken = await accessTokenOf(listing);
    const { page } = person;
    await page.goto(`http://${LISTED}:${site.port}/empty?mcp=`);
    const challenged = await fetchFrom(page, `${listing.origin}/mcp`, calling(undefined));
    expect(challenged).toMatchObject({ status: 401 });
    expect((challenged as Read).headers["www-authenticate"]).toContain("resource_metadata=");
    const answered = await fetchFrom(page, `${listing.origin}/mcp`, calling(accessToken));
    expect(answered).toMatchObject({ status: 200 });
    expect((answered as Read).headers["mcp-session-id"]).toMatch(/./);
    world.gong.setKnobs({ sessions: false });
  });

  it("MCP 2025-11-25, Streamable HTTP, Security: a page of an origin that is not listed reads nothing, and nothing reaches Gong", async () => {
    const accessToken = await accessTokenOf(listing);
    const { page } = person;
    await page.goto(`http://${OTHER}:${site.port}/empty?mcp=`);
    const before = atGong(world);
    const simple = { method: "POST", headers: { "content-type": "text/plain" }, body: INITIALIZE };
    expect(await fetchFrom(page, `${listing.origin}/mcp`, calling(accessToken))).toBe("kept from the page");
    expect(await fetchFrom(page, `${listing.origin}/mcp`, simple)).toBe("kept from the page");
    expect(atGong(world)).toEqual(before);
  });

  it.each([
    ["/.well-known/oauth-protected-resource/mcp", { headers: { "mcp-protocol-version": "2025-11-25" } }, 200],
    ["/.well-known/oauth-authorization-server", { headers: { "mcp-protocol-version": "2025-11-25" } }, 200],
    [
      "/register",
      { method: "POST", headers: { "content-type": "application/json" }, body: '{"redirect_uris":[]}' },
      400,
    ],
    ["/token", { method: "POST", headers: { authorization: "Basic eDp5" } }, 415],
  ] as const)("RFC 8414 §3, RFC 9728 §3: any page reads %s", async (pathname, init, status) => {
    const { page } = person;
    await page.goto(`http://${OTHER}:${site.port}/empty?mcp=`);
    expect(await fetchFrom(page, listing.origin + pathname, init)).toMatchObject({ status });
  });

  it.each(["/", "/authorize", "/callback", "/account", "/admin", "/admin/sign-in", "/health"])(
    "OWASP ASVS 5.0 3.4.2: no page of another origin reads %s, not even a listed one, with or without cookies",
    async (pathname) => {
      const { page } = person;
      await page.goto(`http://${LISTED}:${site.port}/empty?mcp=`);
      for (const credentials of ["omit", "include"] as const) {
        const read = await fetchFrom(page, listing.origin + pathname, { credentials });
        expect(read).toBe("kept from the page");
      }
    },
  );
});
