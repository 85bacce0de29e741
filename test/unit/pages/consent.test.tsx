// src/pages/consent.tsx: everything a person must see before they answer, and the form that carries the answer.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { ConsentPage, type ConsentView } from "../../../src/pages/consent.tsx";
import {
  CONSENT,
  DOCUMENT_CONSENT,
  HOSTILE_CONSENT,
  LOOPBACK_CONSENT,
  SHARED_CONSENT,
} from "../../support/page-samples.tsx";
import { elementsOf, htmlOf, readHtml } from "../../support/read-html.ts";

const read = (view: ConsentView) => readHtml(<ConsentPage {...view} />);

describe(verifies("pages.consent", "the consent page"), () => {
  test("MCP confused deputy: the form posts the sealed request and one of two answers to /authorize", async () => {
    const page = await read(SHARED_CONSENT);
    const [form, ...otherForms] = elementsOf(page, "form");
    expect(otherForms).toEqual([]);
    expect(form?.attributes).toMatchObject({ method: "post", action: "/authorize" });
    expect(elementsOf(page, "input").map(({ attributes }) => attributes)).toEqual([
      { type: "hidden", name: "request", value: SHARED_CONSENT.sealedRequest },
    ]);
    expect(
      elementsOf(page, "button").map(({ attributes }) => [attributes["name"], attributes["value"]]),
    ).toEqual([
      ["decision", "approve"],
      ["decision", "deny"],
    ]);
    expect(htmlOf(<ConsentPage {...SHARED_CONSENT} />)).toMatch(
      />Approve<\/button><button[^>]*>Deny<\/button>/u,
    );
  });

  test("both answers work without script: neither button is disabled in the markup", async () => {
    for (const { attributes } of elementsOf(await read(CONSENT), "button")) {
      expect(attributes).not.toHaveProperty("disabled");
      expect(attributes).not.toHaveProperty("aria-disabled");
    }
  });

  test("MCP confused deputy: a client that registered itself is named in quotes as not verified", async () => {
    const { text } = await read(CONSENT);
    expect(text).toContain("“Claude”");
    expect(text).toContain("Not verified: this client registered itself");
  });

  test(
    verifies(
      "client_document.consent",
      "MCP authorization: a client with a metadata document is vouched for by its host, not beyond it",
    ),
    async () => {
      const { text } = await read(DOCUMENT_CONSENT);
      expect(text).toContain("“ChatGPT”");
      expect(text).toContain("Web address verified");
      expect(text).toContain("Verified by its web address: chatgpt.com");
      expect(text).toContain("https://chatgpt.com/oauth/client.json");
      const loopback = await read({ ...LOOPBACK_CONSENT, client: DOCUMENT_CONSENT.client });
      expect(loopback.text).toContain("The name is the one published at chatgpt.com.");
      expect(loopback.text).toContain("Any program on this computer can claim to be this client.");
      expect(loopback.text).not.toContain("Verified by");
    },
  );

  test("a pre-registered client is named as the admin's", async () => {
    const { text } = await read(SHARED_CONSENT);
    expect(text).toContain("Pre-registered by your admin");
    expect(text).not.toContain("Not verified");
    expect(text).not.toContain("“");
  });

  test.each([undefined, "", "\u200B\u202E"])(
    "a client that calls itself %j is said to have no name",
    async (name) => {
      const { text } = await read({ ...CONSENT, client: { ...CONSENT.client, name } });
      expect(text).toContain("A client that gave no name");
    },
  );

  test("TR36 §3: a hostile name is cut and cleaned, and its look-alike host stays in punycode", async () => {
    const { text } = await read(HOSTILE_CONSENT);
    expect(text).toContain("“Gong (verified)noitacilppa");
    expect(text).not.toMatch(/[\u200B\u202E\u2066]/u);
    expect(text).not.toContain("very ".repeat(20));
    expect(text).toContain("xn--gng-5qa.io.evil.test");
  });

  test("MCP confused deputy: the full redirect URI and its host are shown", async () => {
    const { text } = await read(CONSENT);
    expect(text).toContain("https://claude.ai/api/mcp/auth_callback");
    expect(htmlOf(<ConsentPage {...CONSENT} />)).toContain("<strong>claude.ai</strong>");
    expect(text).not.toContain("on this computer");
  });

  test("RFC 8252 §8.3: access to a loopback address is explained and warned about", async () => {
    const { text } = await read(LOOPBACK_CONSENT);
    expect(text).toContain("A program on this computer: localhost:49152");
    expect(text).toContain("The gateway can't tell which program is listening");
  });

  test("MCP confused deputy: each of Gong's scopes is shown in words and as it is", async () => {
    const { text } = await read(CONSENT);
    for (const shown of [...CONSENT.scopes, "ask_account", "ask_deal", "generate_brief"])
      expect(text).toContain(shown);
    expect(text).toContain("spends your company's Gong credits");
  });

  test("a scope that was not asked for is not shown", async () => {
    const { text } = await read({ ...CONSENT, scopes: ["mcp:ai-ask:read"] });
    expect(text).toContain("ask_account");
    expect(text).not.toContain("generate_brief");
    expect(text).not.toContain("ask_deal");
  });

  test("personal and shared access say whose data it is, and what comes next", async () => {
    const personal = (await read(CONSENT)).text;
    expect(personal).toContain("Only what you can see in Gong");
    expect(personal).toContain("Gong asks you to sign in");
    const shared = (await read({ ...CONSENT, access: "shared" })).text;
    expect(shared).toContain("All of your company's Gong data");
    expect(shared).toContain("An admin of this gateway must approve it too");
  });

  test("how long it lasts and how to stop it are said", async () => {
    const { text } = await read(CONSENT);
    expect(text).toContain("Until you stop it");
    expect(text).toContain("30 days");
    expect(text).toContain("To stop it sooner, open gateway.test/account in your browser");
  });

  test("that nothing can be changed is said only when every scope is a read scope", async () => {
    const scopes = ["mcp:ai-ask:read", "mcp:ai-briefer:read"];
    expect((await read({ ...CONSENT, scopes })).text).toContain("It can't change anything in Gong");
    const withWrite = ["mcp:ai-ask:read", "mcp:ai-briefer:write"];
    expect((await read({ ...CONSENT, scopes: withWrite })).text).not.toContain("can't change anything");
  });
});
