// The other pages: what each must show, where its forms go, and what holds for every page.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { AdminPage } from "../../../src/pages/admin.tsx";
import { ConnectionPage } from "../../../src/pages/admin-connection.tsx";
import { ConnectionsPage } from "../../../src/pages/admin-connections.tsx";
import { CONNECTION, CONNECTIONS } from "../../support/admin-samples.tsx";
import { AdminSignInPage } from "../../../src/pages/admin-sign-in.tsx";
import { ErrorPage } from "../../../src/pages/error.tsx";
import { HomePage } from "../../../src/pages/home.tsx";
import { InterstitialPage } from "../../../src/pages/interstitial.tsx";
import { KeySweepPage } from "../../../src/pages/key-sweep.tsx";
import { WaitingPage } from "../../../src/pages/waiting.tsx";
import { ADMIN, ERROR, NONCE, PAGE_SAMPLES } from "../../support/page-samples.tsx";
import { elementsOf, htmlOf, readHtml, type ReadPage } from "../../support/read-html.ts";

const refreshes = (page: ReadPage) =>
  elementsOf(page, "meta").flatMap(({ attributes }) =>
    attributes["http-equiv"] === "refresh" ? [attributes["content"]] : [],
  );
const hrefs = (page: ReadPage) => elementsOf(page, "a").map(({ attributes }) => attributes["href"]);

describe(verifies("pages.states", "every page in every state"), () => {
  test.each(Object.entries(PAGE_SAMPLES))(
    "%s: one document, one heading, all inline and with the nonce",
    async (_, render) => {
      const html = htmlOf(render());
      const page = await readHtml(html);
      expect(html).toMatch(/^<!doctype html><html lang="en">/u);
      expect(elementsOf(page, "h1")).toHaveLength(1);
      expect(elementsOf(page, "main")).toHaveLength(1);
      expect(elementsOf(page, "meta").map(({ attributes }) => attributes["content"])).toContain(
        "noindex, nofollow",
      );
      for (const { attributes } of [...elementsOf(page, "script"), ...elementsOf(page, "style")])
        expect(attributes["nonce"]).toBe(NONCE);
      for (const tag of ["img", "link", "iframe", "object", "base"])
        expect(elementsOf(page, tag)).toEqual([]);
      for (const { attributes } of page.elements)
        expect(
          Object.keys(attributes).filter((name) => /^(?:on|style$|src|formaction$)/u.test(name)),
        ).toEqual([]);
      expect(new TextEncoder().encode(html).length).toBeLessThan(24 * 1024);
    },
  );

  const WAY = {
    nonce: NONCE,
    heading: "Taking you to Gong…",
    text: "Sign in there.",
    linkLabel: "Go on",
    host: "a.test",
  };

  test("the interstitial refreshes at once to the URL and links it", async () => {
    const url = "https://app.gong.test/oauth2/authorize?a=1&b='2;3'";
    const page = await readHtml(<InterstitialPage {...WAY} url={url} />);
    expect(refreshes(page)).toEqual([`0;url=${url}`]);
    expect(hrefs(page)).toEqual([url]);
    expect(elementsOf(page, "script")).toEqual([]);
  });

  test.each(["javascript:xss(1)", "http://a.test/", "/path", "cursor://x"])(
    "RFC 9700 §4.11: the interstitial neither follows nor links %s, and says so",
    async (url) => {
      const page = await readHtml(<InterstitialPage {...WAY} url={url} />);
      expect(refreshes(page)).toEqual([]);
      expect(hrefs(page)).toEqual([]);
      expect(page.text).toContain("This address can't be opened");
      expect(page.text).toContain(url);
    },
  );

  test("a refusal shows what happened, what to do, its details, a way on and the request ID", async () => {
    const details = [{ label: "Asked for", value: "https://a.test/\u202Ex" }];
    const page = await readHtml(
      <ErrorPage {...ERROR} details={details} action={{ label: "Set-up", url: "/" }} />,
    );
    for (const shown of [
      ERROR.title,
      ERROR.text,
      ERROR.hint,
      ERROR.requestId,
      "Asked for",
      "https://a.test/⟨U+202E⟩x",
    ])
      expect(page.text).toContain(shown);
    expect(hrefs(page)).toEqual(["/"]);
  });

  test("a refusal with a dangerous way on shows none", async () => {
    const page = await readHtml(<ErrorPage {...ERROR} action={{ label: "On", url: "javascript:xss(1)" }} />);
    expect(hrefs(page)).toEqual([]);
  });

  test("the wait shows the code and looks again every 3 seconds, with and without script", async () => {
    const page = await readHtml(
      <WaitingPage
        nonce={NONCE}
        clientName="Desk"
        code="KX4-9TD"
        checkUrl="/w/1"
        adminUrl="https://g.test/admin"
      />,
    );
    for (const shown of ["Desk", "KX4-9TD", "https://g.test/admin"]) expect(page.text).toContain(shown);
    expect(htmlOf(PAGE_SAMPLES["waiting"]?.())).toContain(
      '<noscript><meta http-equiv="refresh" content="3;url=',
    );
    const script = elementsOf(page, "script")[0]?.attributes;
    expect([script?.["data-url"], script?.["data-seconds"]]).toEqual(["/w/1", "3"]);
    expect(hrefs(page)).toEqual(["/w/1"]);
  });

  test("WCAG 2.2.1: the wait can be paused", async () => {
    const page = await readHtml(PAGE_SAMPLES["waiting"]?.());
    expect(elementsOf(page, "button").map(({ attributes }) => attributes["data-pause"])).toEqual(["true"]);
  });

  test("the front page has the real URL in each client's own line", async () => {
    const url = "https://gong.acme.test/mcp";
    const { text } = await readHtml(
      <HomePage nonce={NONCE} gatewayName="Gong" mcpUrl={url} sharedMcpUrl={undefined} />,
    );
    for (const line of [
      `claude mcp add --scope user --transport http gong ${url}`,
      `codex mcp add gong --url ${url}`,
      `gemini mcp add --scope user --transport http gong ${url}`,
      `"gong": { "url": "${url}" }`,
      `"gong": { "type": "http", "url": "${url}" }`,
      `"args": ["-y", "mcp-remote", "${url}"]`,
    ])
      expect(text).toContain(line);
    for (const client of ["Claude, web and desktop", "ChatGPT", "Cursor", "VS Code"])
      expect(text).toContain(client);
    expect(text).not.toContain("Shared access");
  });

  test("what the front page offers to paste into a settings file is JSON", async () => {
    const html = htmlOf(PAGE_SAMPLES["home"]?.());
    const settings = [...html.matchAll(/<code id="[^"]+">(\{[^<]+)<\/code>/gu)].map(([, text = ""]) =>
      JSON.parse(text.replaceAll("&quot;", '"')),
    );
    const headers = { Authorization: "Bearer ${GONG_MCP_KEY}" };
    expect(settings).toEqual([
      { mcp: { gong: { type: "remote", url: "https://gateway.test/mcp", enabled: true } } },
      { mcpServers: { gong: { url: "https://gateway.test/mcp" } } },
      { servers: { gong: { type: "http", url: "https://gateway.test/mcp" } } },
      { mcpServers: { gong: { command: "npx", args: ["-y", "mcp-remote", "https://gateway.test/mcp"] } } },
      { mcpServers: { gong: { type: "http", url: "https://gateway.test/mcp", headers } } },
    ]);
  });

  test("admin sign-in posts the token where password managers can fill it", async () => {
    const page = await readHtml(
      <AdminSignInPage nonce={NONCE} byToken byAccess={{ kind: "off" }} failed={false} />,
    );
    expect(elementsOf(page, "form")[0]?.attributes).toMatchObject({
      method: "post",
      action: "/admin/sign-in",
    });
    const [token, ...others] = elementsOf(page, "input").map(({ attributes }) => attributes);
    expect(token).toMatchObject({
      name: "token",
      type: "password",
      autocomplete: "current-password",
      required: "",
    });
    expect(others).toEqual([]);
    expect(page.text).not.toContain("not right");
  });

  test.each([
    [true, undefined, "That token is not right"],
    [true, 0, "That token is not right"],
    [true, 1, "Too many tries. Try again in 1 second."],
    [false, 59, "Too many tries. Try again in 59 seconds."],
    [false, 61, "Too many tries. Try again in 2 minutes."],
  ])("admin sign-in, failed %s and %s s to wait: %s", async (failed, seconds, expected) => {
    const wait = seconds === undefined ? {} : { retryAfterSeconds: seconds };
    const page = await readHtml(
      <AdminSignInPage nonce={NONCE} byToken byAccess={{ kind: "off" }} failed={failed} {...wait} />,
    );
    expect(page.text).toContain(expected);
    expect(page.elements.filter(({ attributes }) => attributes["role"] === "alert")).toHaveLength(1);
  });

  test("ASVS 3.5.1: every form of the admin page posts, and carries the CSRF token", async () => {
    const page = await readHtml(<AdminPage {...ADMIN} />);
    const forms = elementsOf(page, "form").map(({ attributes }) => attributes);
    expect(new Set(forms.map((form) => form["method"]))).toEqual(new Set(["post"]));
    expect(forms.map((form) => form["action"]).sort((a = "", b = "") => (a < b ? -1 : 1))).toEqual([
      "/admin/approvals/apr_1",
      "/admin/approvals/apr_2",
      "/admin/sign-out",
    ]);
    const csrf = elementsOf(page, "input").filter(({ attributes }) => attributes["name"] === "csrf");
    expect(csrf).toHaveLength(forms.length);
    expect(new Set(csrf.map(({ attributes }) => attributes["value"]))).toEqual(new Set([ADMIN.csrf]));
  });

  test("an id can't lead an admin form to another path", async () => {
    const [approval] = ADMIN.approvals;
    if (approval === undefined) throw new Error("the sample has no approval");
    const page = await readHtml(
      <AdminPage {...ADMIN} approvals={[{ ...approval, id: "../sign-out?x=\uD800" }]} />,
    );
    expect(elementsOf(page, "form").map(({ attributes }) => attributes["action"])).toContain(
      "/admin/approvals/..%2Fsign-out%3Fx%3D%EF%BF%BD",
    );
  });

  test("the admin page shows each code, each state and each problem", async () => {
    const page = await readHtml(<AdminPage {...ADMIN} />);
    for (const shown of [
      "KX4-9TD",
      "M2P-7QF",
      "A client that gave no name",
      "Connected",
      "Needs to be connected again",
      "Ended",
      "1,284",
      "22 Nov 2026, 17:35 UTC",
      ...ADMIN.problems.map(({ text }) => text),
    ])
      expect(page.text).toContain(shown);
  });

  test("ending a connection, an agent or a key says what happens before the button that does it", async () => {
    const html = htmlOf(<ConnectionPage {...CONNECTION} />);
    expect(html).toMatch(
      /<details><summary[\s\S]*?All 3 agents that use it stop at once[\s\S]*?End this connection<span[^>]*> ada@example\.com[^<]*<\/span><\/button>/u,
    );
    const forms = elementsOf(await readHtml(html), "form").map(({ attributes }) => attributes);
    expect(forms.map(({ method, action }) => `${method} ${action}`)).toEqual([
      "post /admin/sign-out",
      "post /admin/connections/con_1/end",
      "post /admin/connections/con_1/agents/g1/end",
      "post /admin/connections/con_1/agents/g2/end",
      "post /admin/connections/con_1/keys/k1/revoke",
    ]);
    const csrf = elementsOf(await readHtml(html), "input").map(({ attributes }) => attributes["value"]);
    expect(csrf).toEqual(forms.map(() => CONNECTION.csrf));
  });

  test("a connection that has ended can't be ended again, and its reason is in words", async () => {
    const page = await readHtml(
      <ConnectionPage {...CONNECTION} state="disconnected" reason="ended_by_admin" grants={[]} keys={[]} />,
    );
    expect(page.text).toContain("An admin ended it.");
    expect(page.text).not.toContain("End this connection");
  });

  test("the list of connections says each state, its reason, and when somebody will have to sign in", async () => {
    const page = await readHtml(<ConnectionsPage {...CONNECTIONS} />);
    for (const shown of [
      "Claude Code (gong), Codex · con_1",
      "Connection con_2",
      "Gong no longer accepts its refresh token",
      "Someone must sign in again by 29 Nov 2026",
      "Refreshing fails, and its access is about to end",
      "1,284 in all",
    ])
      expect(page.text).toContain(shown);
  });

  test("the overview says since when the set-up is well, or how much of it is open, and how each access is", async () => {
    const well = await readHtml(<AdminPage {...ADMIN} problems={[]} />);
    expect(well.text).toContain("Nothing needs your attention.");
    expect(well.text).toContain("Every check passed, the oldest 18 Nov 2026, 09:12 UTC.");
    expect(well.text).toContain("Gong no longer accepts its refresh token");
    const open = await readHtml(<AdminPage {...ADMIN} setup={{ all: 12, open: 3 }} />);
    expect(open.text).toContain("3 of 12 checks have not passed");
    expect(open.text).not.toMatch(/Every check passed|Nothing needs/);
    const [personal, shared] = ADMIN.integrations;
    const fresh = await readHtml(
      <AdminPage {...ADMIN} integrations={[personal!, { access: "shared", resource: shared!.resource }]} />,
    );
    expect(fresh.text).toContain("Not connected yet");
    expect(well.text).not.toContain("Not connected yet");
    expect(elementsOf(open, "a").map(({ attributes }) => attributes["href"])).toContain("/admin/setup");
  });

  test("the sweep says which key is still needed, what can't be read, and when an old key can go", async () => {
    const report = {
      nonce: "n",
      csrf: "c",
      sealingKid: "k2",
      resealed: 1,
      unfinished: 0,
      unreadable: [],
      unreadableCount: 0,
      looked: 3,
      left: 0,
      waitMinutes: 60,
    };
    const none = { connections: 0, refreshTokens: 0, agentKeys: 0, results: 0, resultsUntil: 0, people: 0 };
    const k2 = { ...none, kid: "k2", connections: 3, refreshTokens: 1 };
    const needed = await readHtml(
      <KeySweepPage
        {...report}
        byKid={[k2, { ...none, kid: "k1", refreshTokens: 2, agentKeys: 4 }]}
        unreadable={[{ what: "con_9", missingKid: "k0" }]}
        unreadableCount={3}
      />,
    );
    expect(needed.text).toContain("Keep the older keys that are listed");
    expect(needed.text).toContain(
      "0 connections, 2 refresh tokens, 4 agent keys, 0 people, 0 results and questions of calls",
    );
    expect(needed.text).toContain("Put key k0 back into SEALING_KEYS");
    expect(needed.text).toContain("2 more are unreadable");
    const results = { ...none, kid: "k1", results: 2, resultsUntil: Date.UTC(2026, 10, 23, 4, 5) / 1000 };
    const waiting = await readHtml(<KeySweepPage {...report} byKid={[k2, results]} />);
    expect(waiting.text).toContain("2 results and questions of calls, gone by 23 Nov 2026, 04:05 UTC");
    expect(waiting.text).not.toContain("can be taken out");
    const free = await readHtml(<KeySweepPage {...report} byKid={[k2]} />);
    expect(free.text).toContain("once key k2 has been the first for 60 minutes");
    const part = await readHtml(<KeySweepPage {...report} byKid={[k2]} left={7} next="sealed" />);
    expect(part.text).toContain("About 7 connections were not looked at yet");
    expect(part.text).not.toContain("can be taken out");
    expect(free.text).toContain("older keys can be taken out");
  });
});
