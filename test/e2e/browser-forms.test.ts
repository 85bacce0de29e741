// Forms in the hands of real people in a real Chromium: pressed twice, sent again by reload and Back, opened before the
// sign-out and sent after it, in two tabs with two sign-ins; and clients that ask from a pop-up, in a private window
// that blocks other sites' cookies.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { startWorld, type World } from "./gateway.ts";
import {
  type ListeningClient,
  type OtherSite,
  PKCE,
  serveOtherSite,
  startListeningClient,
} from "./listening-client.ts";
import { holdInterstitial } from "./looks.ts";
import { allowAtGong, approve, openRealPerson, signInAsAdmin, type RealPerson } from "./real-person.ts";
import { atGong } from "./story.ts";

let world: World;
let browser: Browser;
let client: ListeningClient;
let person: RealPerson;

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser(["--test-third-party-cookie-phaseout"]);
  client = await startListeningClient(world.gateway.origin, { client_name: "Quarterly report" });
});
afterAll(async () => {
  await client.close();
  await browser.close();
  await world.stop();
});
beforeEach(async () => {
  person = await openRealPerson(browser);
});
afterEach(() => person.close());

const at = (path: string): string => `${world.gateway.origin}${path}`;

async function signInToAccount(page: Page): Promise<void> {
  await page.goto(at("/account"));
  await page.getByRole("button", { name: "Sign in at Gong" }).click();
  await allowAtGong(page);
  await page.getByRole("button", { name: "Sign out", exact: true }).waitFor();
}

async function posts(path: string): Promise<number> {
  const all = await person.requests();
  return all.filter(({ method, url }) => method === "POST" && url.pathname === path).length;
}

const stateIn = (url: string | null): string | null => new URL(url ?? "").searchParams.get("state");

describe(verifies("browser.history", "forms that are sent again"), () => {
  it("gateway: two slow presses on Approve, while the gateway takes its time, send one approval", async () => {
    const { page } = person;
    let answer: () => void = () => undefined;
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    await page.setViewportSize({ width: 1200, height: 2400 });
    await page.goto(client.authorizationUrl("slow"));
    await page.route("**/authorize", async (route) => {
      await mayAnswer;
      await route.continue();
    });
    const box = await page.getByRole("button", { name: "Approve", exact: true }).boundingBox();
    const press = (): Promise<void> => page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 20);
    await page.waitForFunction(() => document.querySelector("[value=approve]:not([aria-disabled])") !== null);
    await press();
    await page.waitForTimeout(1200);
    await press();
    answer();
    await page.waitForURL(`${world.gongAppOrigin}/**`);
    expect(await posts("/authorize")).toBe(1);
  });

  it("gateway: an approval that is sent again by a reload begins no second sign-in, and the first goes on", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("reloaded"));
    await holdInterstitial(page);
    await approve(page);
    const link = page.getByRole("link", { name: "Continue" });
    const state = stateIn(await link.getAttribute("href"));
    await page.reload();
    expect(await posts("/authorize")).toBe(2);
    expect(stateIn(await link.getAttribute("href"))).toBe(state);
    const before = client.arrived.length;
    await link.click();
    await allowAtGong(page);
    await expect.poll(() => client.arrived.length, { timeout: 30_000 }).toBe(before + 1);
    expect(await client.redeem(client.arrived.at(-1))).toBeDefined();
  });

  it("gateway: a denial that is sent again by a reload denies once more, and nothing else", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("denied"));
    await holdInterstitial(page);
    await page.getByRole("button", { name: "Deny", exact: true }).click();
    await page.getByRole("heading", { name: "You denied access" }).waitFor();
    await page.reload();
    const link = page.getByRole("link", { name: "Continue" });
    expect(await link.getAttribute("href")).toContain("error=access_denied");
    expect(await link.getAttribute("href")).not.toContain("code=");
  });

  it("gateway: an account's forms sent again by reload make one key, one sign-in at Gong, and end nothing twice", async () => {
    const { page } = person;
    await signInToAccount(page);
    await page.locator("summary", { hasText: "Make an agent key" }).click();
    await page.getByLabel("Name").fill("Only once");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.locator("#key").waitFor();
    await page.reload();
    await page.getByRole("alert").waitFor();
    expect(await page.locator("#key").count()).toBe(0);
    expect(await page.getByRole("heading", { level: 3, name: "Only once" }).count()).toBe(1);
    await page.goto(at("/account"));
    await page.locator("summary", { hasText: "Only once" }).click();
    await page.getByRole("button", { name: "Revoke this key" }).click();
    await page.getByRole("status").filter({ hasText: "was revoked" }).waitFor();
    // The answer to the post was a redirect: a reload posts nothing.
    const sent = (await person.requests()).filter(({ method }) => method === "POST").length;
    await page.reload();
    await page.goBack();
    await page.goForward();
    expect((await person.requests()).filter(({ method }) => method === "POST")).toHaveLength(sent);
    expect(person.troubles).toEqual([]);
  });

  it("gateway: an admin's forms sent again by reload make no second machine client, and lead on", async () => {
    const { page } = person;
    await signInAsAdmin(page, world.gateway);
    await page.goto(at("/admin/setup"));
    await page.getByRole("button", { name: "Connect shared access" }).click();
    await allowAtGong(page);
    await page.getByRole("button", { name: "Connect shared access again" }).waitFor();
    await page.goto(at("/admin/machine-clients"));
    await page.getByLabel("Name", { exact: true }).fill("Only once");
    await page.getByRole("button", { name: "Make the machine client" }).click();
    await page.getByText("The secret is shown this once").waitFor();
    await page.reload();
    expect(await page.getByRole("alert").textContent()).toContain("has this name already");
    await page.goto(at("/admin/machine-clients"));
    expect(await page.getByRole("rowheader").filter({ hasText: "Only once" }).count()).toBe(1);
    expect(person.troubles).toEqual([]);
  });
});

describe(verifies("browser.history", "forms from before"), () => {
  it("ASVS 7.4.1: forms that were opened before the sign-out change nothing after it, and say what to do", async () => {
    const { page, context } = person;
    await signInAsAdmin(page, world.gateway);
    await page.goto(at("/admin/policy"));
    const other = await context.newPage();
    await other.goto(at("/admin"));
    await other.getByRole("button", { name: "Sign out" }).click();
    await other.getByRole("heading", { name: "Admin sign-in" }).waitFor();
    await page.getByRole("group", { name: "The whole company" }).getByLabel("Calls a day").fill("7");
    await page.getByRole("button", { name: "Save the budgets" }).click();
    await page.getByRole("heading", { name: "This admin page is out of date" }).waitFor();
    await signInAsAdmin(page, world.gateway);
    await page.goto(at("/admin/policy"));
    expect(
      await page.getByRole("group", { name: "The whole company" }).getByLabel("Calls a day").inputValue(),
    ).toBe("");

    await signInToAccount(other);
    const third = await context.newPage();
    await third.goto(at("/account"));
    await third.getByRole("button", { name: "Sign out", exact: true }).click();
    await third.getByRole("button", { name: "Sign in at Gong" }).waitFor();
    await other.locator("summary", { hasText: "End my connection" }).click();
    await other.getByRole("button", { name: "End my connection" }).click();
    await other.getByRole("heading", { name: "This account page is out of date" }).waitFor();
    expect(person.troubles).toEqual([]);
  });

  it("gateway: of two tabs with two sign-ins of an admin the newer one holds, and the older one's forms say so", async () => {
    const { page, context } = person;
    await signInAsAdmin(page, world.gateway);
    await page.goto(at("/admin/policy"));
    const newer = await context.newPage();
    // As in a tab that was open before the other one signed in.
    const [session] = (await context.cookies(at("/"))).filter(({ name }) => name === "__Host-admin");
    await context.clearCookies({ name: "__Host-admin" });
    await signInAsAdmin(newer, world.gateway);
    expect((await context.cookies(at("/"))).map(({ value }) => value)).not.toContain(session?.value);
    await page.getByRole("button", { name: "Save the budgets" }).click();
    await page.getByRole("heading", { name: "This admin page is out of date" }).waitFor();
    await newer.reload();
    await newer.getByRole("button", { name: "Sign out" }).waitFor();
  });

  it("RFC 6749 §3.1.2.5: two consents of two clients in two tabs, answered in the other order, stay apart", async () => {
    const other = await startListeningClient(world.gateway.origin, { client_name: "Another" });
    const second = await person.context.newPage();
    await person.page.goto(client.authorizationUrl("first"));
    await second.goto(other.authorizationUrl("second"));
    const before = client.arrived.length;
    await second.getByRole("button", { name: "Deny", exact: true }).click();
    await expect.poll(() => other.arrived.length, { timeout: 30_000 }).toBe(1);
    expect(other.arrived[0]?.searchParams.get("error")).toBe("access_denied");
    await approve(person.page);
    await allowAtGong(person.page);
    await expect.poll(() => client.arrived.length, { timeout: 30_000 }).toBe(before + 1);
    expect(client.arrived.at(-1)?.searchParams.get("state")).toBe("first");
    expect(client.arrived.at(-1)?.searchParams.has("code")).toBe(true);
    await other.close();
  });
});

/** A page that opens `window.name` in a pop-up, and keeps what the pop-up tells it. */
const OPENER = `<!doctype html><html lang="en"><title>Client</title><link rel="icon" href="data:,">
<script>
if(opener){opener.postMessage(location.search,"*")}
var popup,told=[];addEventListener("message",({data})=>told.push(data));
function go(url){popup=open(url,"popup","width=500,height=700")}
</script><h1>A client</h1>`;

describe(
  verifies("browser.sign_in", "browser.hijack", "a client that asks from a pop-up, in a private window"),
  () => {
    let site: OtherSite;
    beforeAll(async () => {
      site = await serveOtherSite(OPENER);
    });
    afterAll(() => site.close());

    /** Opens `url` in a pop-up from the site's page. */
    async function popUp(url: string): Promise<Page> {
      const opened = person.page.waitForEvent("popup");
      await person.page.evaluate(
        (target) => (window as unknown as { go(url: string): void }).go(target),
        url,
      );
      return opened;
    }

    it("HTML, Cross-origin opener policies: the pop-up goes through Gong, and its opener gets the code", async () => {
      const { page } = person;
      const redirectUri = `${site.origin}/callback`;
      const clientId = await registered(redirectUri);
      await page.goto(site.origin);
      const query = new URLSearchParams({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        state: "from a pop-up",
        code_challenge: PKCE.challenge,
        code_challenge_method: "S256",
      });
      const popup = await popUp(at(`/authorize?${query}`));
      await approve(popup);
      await allowAtGong(popup);
      await expect
        .poll(() => page.evaluate("told.join()"), { timeout: 30_000 })
        .toMatch(/^\?(?=.*code=gac_)(?=.*state=from)/);
      expect(person.troubles).toEqual([]);
    });

    it("HTML, Cross-origin opener policies: no opener holds on to an admin's pages", async () => {
      const { page, context } = person;
      await signInAsAdmin(page, world.gateway);
      await page.goto(site.origin);
      const popup = await popUp(at("/admin/setup"));
      await popup
        .getByRole("button", { name: "Sign out" })
        .or(popup.getByLabel("Admin token"))
        .first()
        .waitFor();
      expect(await popup.evaluate("opener === null")).toBe(true);
      expect(await page.evaluate("popup.closed")).toBe(true);
      expect(context.pages()).toHaveLength(2);
    });

    it("RFC 6265bis §5.8.3: a window that keeps no cookie between two visits signs in from the start each time", async () => {
      const { page, context } = person;
      await page.goto(client.authorizationUrl("private"));
      await approve(page);
      await allowAtGong(page);
      await expect
        .poll(() => client.arrived.at(-1)?.searchParams.get("state"), { timeout: 30_000 })
        .toBe("private");
      await context.clearCookies();
      const { signIns } = atGong(world);
      await page.goto(client.authorizationUrl("private again"));
      await approve(page);
      await allowAtGong(page);
      await expect
        .poll(() => client.arrived.at(-1)?.searchParams.get("state"), { timeout: 30_000 })
        .toBe("private again");
      expect(atGong(world).signIns).toBe(signIns + 1);
      expect(await client.redeem(client.arrived.at(-1))).toBeDefined();
    });
  },
);

async function registered(redirectUri: string): Promise<string> {
  const response = await fetch(at("/register"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Pop-up",
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id: clientId } = (await response.json()) as { client_id: string };
  return clientId;
}
