// Other sites and other people against a person at a real Chromium: framing, double-click-jacking, posts from another
// site, links of somebody else's sign-in, and script in a client's name.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { launchBrowser } from "../support/browser.ts";
import { XSS_CORPUS } from "../support/xss-corpus.ts";
import { SECRETS, startWorld, type World } from "./gateway.ts";
import {
  type ListeningClient,
  type OtherSite,
  serveOtherSite,
  startListeningClient,
} from "./listening-client.ts";
import { allowAtGong, approve, openRealPerson, signInAsAdmin, type RealPerson } from "./real-person.ts";
import { atGong } from "./story.ts";

let world: World;
let browser: Browser;
let client: ListeningClient;
let person: RealPerson;
const sites: OtherSite[] = [];

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});
beforeEach(async () => {
  client = await startListeningClient(world.gateway.origin);
  person = await openRealPerson(browser);
});
afterEach(async () => {
  await person.close();
  await client.close();
  await Promise.all(sites.splice(0).map((site) => site.close()));
});

async function evil(html: string): Promise<OtherSite> {
  const site = await serveOtherSite(html);
  sites.push(site);
  return site;
}

describe(verifies("browser.hijack", "other sites"), () => {
  it.each([
    ["the consent page", () => client.authorizationUrl("s")],
    ["an error page", () => `${world.gateway.origin}/authorize`],
    ["admin sign-in", () => `${world.gateway.origin}/admin`],
    ["the account page", () => `${world.gateway.origin}/account`],
    ["the front page", () => `${world.gateway.origin}/`],
  ])("RFC 9700 §4.16: %s in a frame of another site stays blank", async (_, url) => {
    const { page } = person;
    const site = await evil(
      `<iframe id="f" width="900" height="900" src="${url().replaceAll("&", "&amp;")}"></iframe>`,
    );
    const framed = page.waitForResponse((response) => response.url().startsWith(world.gateway.origin));
    await page.goto(site.origin);
    await framed;
    await page.waitForTimeout(300);
    const [, frame] = page.frames();
    expect(frame?.url()).toContain("chrome-error:");
    expect(await frame?.getByRole("button").count()).toBe(0);
    expect(person.troubles.join()).toContain("frame-ancestors");
  });

  it("gateway: Approve takes no press in the first 700 ms, so a double click begun elsewhere does not approve", async () => {
    const { page } = person;
    // As tall as the page, so that the mouse reaches Approve without scrolling.
    await page.setViewportSize({ width: 1200, height: 2400 });
    // The page's time stands still but where the test lets it run: a slow machine decides nothing.
    await page.clock.install({ time: 0 });
    await page.clock.pauseAt(1000);
    await page.goto(client.authorizationUrl("s"));
    const box = await page.getByRole("button", { name: "Approve", exact: true }).boundingBox();
    const press = (): Promise<void> => page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 20);
    await press();
    await page.clock.runFor(690);
    await press();
    await page.waitForTimeout(200);
    expect(await posts()).toBe(0);
    expect(await page.getByRole("status").textContent()).toContain("Please read this page first");

    await page.clock.runFor(20);
    await press();
    await page.waitForURL(`${world.gongAppOrigin}/**`);
    expect(await posts()).toBe(1);
  });

  it("gateway: a press that no person made does not approve, however late", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    await page.waitForTimeout(900);
    await page.evaluate(() => document.querySelector<HTMLButtonElement>("[value=approve]")?.click());
    await page.waitForTimeout(300);
    expect(await posts()).toBe(0);
    await approve(page);
    await page.waitForURL(`${world.gongAppOrigin}/**`);
  });

  it("RFC 6749 §10.12: a consent form that another site got hold of and posts is refused", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    const request = await page.locator("[name=request]").inputValue();
    const fields = `<input name="request" value="${request}"><input name="decision" value="approve">`;
    const site = await evil(
      `<form method="post" action="${world.gateway.origin}/authorize">${fields}<button>Win a prize</button></form>`,
    );
    await page.goto(site.origin);
    await page.getByRole("button").click();
    await page.getByRole("heading", { name: "This request came from another site" }).waitFor();
    expect(client.arrived).toEqual([]);
  });

  it.each([
    ["signs nobody in (login CSRF)", "/admin/sign-in", `<input name="token" value="${SECRETS.ADMIN_TOKEN}">`],
    ["connects nothing", "/admin/setup/sign-in", `<input name="csrf" value="guess">`],
    ["signs nobody out", "/admin/sign-out", `<input name="csrf" value="guess">`],
  ])("RFC 6749 §10.12: another site's post to the admin page %s", async (_, path, fields) => {
    const { page, context } = person;
    await signInAsAdmin(page, world.gateway);
    const session = await context.cookies(world.gateway.origin);
    const site = await evil(
      `<form method="post" action="${world.gateway.origin}${path}">${fields}<button>Win a prize</button></form>`,
    );
    await page.goto(site.origin);
    const answer = page.waitForResponse(`${world.gateway.origin}${path}`);
    await page.getByRole("button").click();
    expect((await answer).status()).toBe(403);
    expect(await context.cookies(world.gateway.origin)).toEqual(session);
    await page.goto(`${world.gateway.origin}/admin`);
    await page.getByRole("button", { name: "Sign out" }).waitFor();
  });

  async function posts(): Promise<number> {
    return (await person.requests()).filter(({ method }) => method === "POST").length;
  }
});

describe(verifies("browser.session_bound", "somebody else's sign-in"), () => {
  it("RFC 9700 §4.7: a link to Gong that another browser approved ends at a page, not at the client", async () => {
    const attacker = person;
    await attacker.page.goto(client.authorizationUrl("s"));
    await approve(attacker.page);
    await attacker.page.waitForURL(`${world.gongAppOrigin}/**`);
    const { signIns } = atGong(world);

    const victim = await openRealPerson(browser);
    await victim.page.goto(attacker.page.url());
    await allowAtGong(victim.page);
    await victim.page.getByRole("heading", { name: "This sign-in belongs to another browser" }).waitFor();
    await victim.close();
    expect(client.arrived).toEqual([]);
    expect(atGong(world).signIns).toBe(signIns);
  });

  it("RFC 6265bis §5.8: thirty sign-ins left halfway do not fill the cookies, and the last one goes through", async () => {
    const { page, context } = person;
    await page.goto(client.authorizationUrl("s"));
    for (let left = 0; left < 30; left += 1) {
      // A form's own sealed request begins one transaction only, so each one is asked for anew.
      const html = await (await context.request.get(client.authorizationUrl("left"))).text();
      const request = /name="request" value="([^"]+)"/.exec(html)?.[1] ?? "";
      const form = { request, decision: "approve" };
      const headers = { origin: world.gateway.origin, "sec-fetch-site": "same-origin" };
      const answer = await context.request.post(`${world.gateway.origin}/authorize`, { form, headers });
      expect(answer.status()).toBe(200);
    }
    const cookies = await context.cookies(world.gateway.origin);
    expect(cookies.filter(({ name }) => name.startsWith("__Host-txn-"))).toHaveLength(10);
    expect(cookies.map(({ name, value }) => `${name}=${value}`).join("; ").length).toBeLessThan(4096);
    await page.goto(client.authorizationUrl("last"));
    await approve(page);
    await allowAtGong(page);
    await expect.poll(() => client.arrived[0]?.searchParams.get("state"), { timeout: 30_000 }).toBe("last");
  });
});

describe(verifies("browser.scripts_inert", "script in what a client says of itself"), () => {
  it("OWASP ASVS 1.2.1: fifty names that are markup are shown as text on the consent page", async () => {
    const { page } = person;
    let shown = 0;
    for (const name of XSS_CORPUS) {
      const hostile = await startListeningClient(world.gateway.origin, { client_name: name }).catch(
        () => undefined,
      );
      // A name may be refused at registration; then it is shown nowhere.
      if (hostile === undefined) continue;
      await page.goto(hostile.authorizationUrl(name));
      expect(await page.getByRole("button").allTextContents()).toEqual(["Approve", "Deny"]);
      expect(
        await page
          .locator("main script, main img, main iframe, main svg, main style, main form form")
          .count(),
      ).toBe(0);
      shown += 1;
      await hostile.close();
    }
    expect(shown).toBeGreaterThan(40);
    expect(person.troubles).toEqual([]);
  }, 120_000);

  it("CSP3 §4.2: script that got into a page after all would not run", async () => {
    const { page } = person;
    await page.goto(client.authorizationUrl("s"));
    const ran = await page.evaluate(async () => {
      document.body.insertAdjacentHTML("beforeend", `<img src="x" onerror="window.ran=true">`);
      const script = document.createElement("script");
      script.textContent = "window.ran=true";
      document.body.appendChild(script);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return "ran" in window;
    });
    expect(ran).toBe(false);
    expect(person.troubles.join()).toContain("policy: script-src");
  });
});
