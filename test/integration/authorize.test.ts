// GET /authorize from outside: which requests reach the consent page, and where the errors of the others go.

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, authorizationQuery, CLIENT_REDIRECT, PKCE, register, RESOURCE } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readHeading } from "../support/html.ts";
import { expectRefusalPage } from "../support/refusals.ts";
import { gatewayWithClient, PREREGISTERED } from "../support/settings.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());

const authorize = (changes: Record<string, string | undefined> = {}): Promise<Response> =>
  ask(`/authorize?${authorizationQuery(clientId, changes)}`);

const SPOILED: readonly [problem: string, changes: Record<string, string | undefined>, error: string][] = [
  ["RFC 7636 §4.3: no challenge", { code_challenge: undefined }, "invalid_request"],
  ["RFC 7636 §4.3: no method means plain", { code_challenge_method: undefined }, "invalid_request"],
  ["RFC 7636 §4.3: plain", { code_challenge_method: "plain" }, "invalid_request"],
  ["the method in lower case", { code_challenge_method: "s256" }, "invalid_request"],
  ["the method with a space", { code_challenge_method: "S256 " }, "invalid_request"],
  ["an unknown method", { code_challenge_method: "S512" }, "invalid_request"],
  ["RFC 7636 §4.2: a short challenge", { code_challenge: PKCE.challenge.slice(1) }, "invalid_request"],
  ["a long challenge", { code_challenge: `${PKCE.challenge}A` }, "invalid_request"],
  ["a padded challenge", { code_challenge: `${PKCE.challenge.slice(1)}=` }, "invalid_request"],
  ["a challenge in plain base64", { code_challenge: `+/${PKCE.challenge.slice(2)}` }, "invalid_request"],
  ["no response type", { response_type: undefined }, "invalid_request"],
  ["OAuth 2.1: the implicit flow", { response_type: "token" }, "unsupported_response_type"],
  ["an ID token", { response_type: "id_token" }, "unsupported_response_type"],
  ["a hybrid flow", { response_type: "code token" }, "unsupported_response_type"],
  ["nothing", { response_type: "none" }, "unsupported_response_type"],
  ["an answer in the fragment", { response_mode: "fragment" }, "invalid_request"],
  ["an answer by post", { response_mode: "form_post" }, "invalid_request"],
  ["an answer as a JWT", { response_mode: "query.jwt" }, "invalid_request"],
  ["RFC 9101: a request object", { request: "eyJhbGciOiJub25lIn0.e30." }, "request_not_supported"],
  ["a request URI", { request_uri: "https://169.254.169.254/" }, "request_uri_not_supported"],
  ["RFC 6749 §3.3: an unknown scope", { scope: "mcp:ai-ask:read admin" }, "invalid_scope"],
  ["RFC 8707 §2: a foreign resource", { resource: "https://evil.test/mcp" }, "invalid_target"],
  ["a resource with a fragment", { resource: `${RESOURCE}#x` }, "invalid_target"],
  ["a relative resource", { resource: "/mcp" }, "invalid_target"],
  ["a resource that ours begins", { resource: `${RESOURCE}-evil` }, "invalid_target"],
  ["a resource below ours", { resource: `${RESOURCE}/x` }, "invalid_target"],
  ["a resource with dot segments", { resource: `${RESOURCE}/../admin` }, "invalid_target"],
  ["a resource with escaped dots", { resource: `${RESOURCE}/%2e%2e/admin` }, "invalid_target"],
  ["a resource with a query", { resource: `${RESOURCE}?x=1` }, "invalid_target"],
  ["a resource with another port", { resource: "https://gateway.test:8443/mcp" }, "invalid_target"],
  ["a resource with user information", { resource: "https://gateway.test@evil.test/mcp" }, "invalid_target"],
  ["a resource over plain http", { resource: "http://gateway.test/mcp" }, "invalid_target"],
];

describe(
  verifies(
    "authorize.request",
    "pkce.required",
    "resource.indicators",
    "authorize.no_open_redirector",
    "a request that is not in order",
  ),
  () => {
    it("RFC 6749 §4.1.1: the same request with nothing wrong is put to the person", async () => {
      const page = await authorize();
      expect(page.status).toBe(200);
      expect(readHeading(await page.text())).toBe("Let this client use Gong?");
    });

    it.each(SPOILED)(
      "RFC 9700 §4.11.2: %s stays on a page for a client nobody vouched for",
      async (_, changes, error) => {
        expect(await expectRefusalPage(await authorize(changes))).toContain(error);
        expect(await gong.requests()).toEqual([]);
      },
    );

    it.each(SPOILED)(
      "RFC 6749 §4.1.2.1: %s is reported to a pre-registered client",
      async (_, changes, error) => {
        const gateway = gatewayWithClient();
        const answer = await gateway(`/authorize?${authorizationQuery(PREREGISTERED.client_id, changes)}`);
        expect(answer.status).toBe(303);
        const location = new URL(answer.headers.get("location") ?? "");
        expect(location.origin + location.pathname).toBe(CLIENT_REDIRECT);
        expect(Object.fromEntries(location.searchParams)).toMatchObject({
          error,
          state: "client-state",
          iss: "https://gateway.test",
        });
        expect(location.searchParams.has("code")).toBe(false);
        expect(answer.headers.getSetCookie()).toEqual([]);
      },
    );
  },
);

describe(verifies("resource.indicators", "the resource of an authorization request"), () => {
  it.each([
    ["none", undefined],
    ["the endpoint", RESOURCE],
    ["a slash at the end", `${RESOURCE}/`],
    ["only the origin", "https://gateway.test"],
    ["the origin with a slash", "https://gateway.test/"],
    ["upper case in the host", "https://GATEWAY.test/mcp"],
    ["the default port", "https://gateway.test:443/mcp"],
  ])("MCP authorization, Resource Parameter: %s means the one endpoint", async (_, resource) => {
    const page = await authorize({ resource });
    expect(await page.text()).toContain(`<code>${RESOURCE}</code>`);
  });

  it("RFC 8707 §2: several spellings of one resource are one", async () => {
    expect((await ask(`/authorize?${authorizationQuery(clientId)}&resource=${RESOURCE}/`)).status).toBe(200);
  });

  it("RFC 8707 §2: two different resources are refused", async () => {
    const answer = await ask(`/authorize?${authorizationQuery(clientId)}&resource=https://evil.test/mcp`);
    expect(await expectRefusalPage(answer)).toContain("invalid_target");
  });
});

describe(verifies("authorize.no_repeats", "parameter pollution at the authorization endpoint"), () => {
  const good = (): Record<string, string> =>
    Object.fromEntries(new URLSearchParams(authorizationQuery(clientId)));
  const NAMES = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "scope",
  ];

  it.each(NAMES)("RFC 6749 §3.1: %s twice is refused, whichever comes first", async (name) => {
    const value = good()[name] ?? "mcp:ai-ask:read";
    for (const pair of [
      [value, "https://evil.test/"],
      ["https://evil.test/", value],
      [value, value],
      [value, ""],
    ]) {
      const query = new URLSearchParams(good());
      query.delete(name);
      for (const each of pair) query.append(name, each);
      await expectRefusalPage(await ask(`/authorize?${query}`));
    }
  });

  it("RFC 6749 §3.1: a parameter in brackets is another, unknown parameter and decides nothing", async () => {
    const page = await ask(`/authorize?${authorizationQuery(clientId)}&redirect_uri[]=https://evil.test/`);
    expect(await page.text()).not.toContain("evil.test");
  });
});

describe(verifies("authorize.client_known", "clients that are not known"), () => {
  it.each([
    ["a property of objects", "__proto__"],
    ["10 kB", "x".repeat(10_000)],
    ["a NUL", "gcl_\u0000"],
    ["a line end", "gcl_\r\nset-cookie: x=1"],
    ["markup", "<script>xss(1)</script>"],
    ["unknown", "gcl_AAAAAAAAAAAAAAAAAAAAAA"],
    ["Gong's own client id", "gong-client-personal"],
  ])("RFC 6749 §4.1.2.1: client_id %s gets a page, no redirect and no echo", async (_, id) => {
    const answer = await ask(`/authorize?${authorizationQuery(clientId, { client_id: id })}`);
    const text = await expectRefusalPage(answer);
    expect(text).not.toContain(id);
    expect(await gong.requests()).toEqual([]);
  });

  it.each([undefined, ""])("RFC 6749 §4.1.1: without a client_id (%j) there is a page", async (id) => {
    await expectRefusalPage(await authorize({ client_id: id }));
  });
});

describe(verifies("authorize.parameters", "the bounds of an authorization request"), () => {
  it.each([
    ["a state of 2,048 characters is taken", { state: "s".repeat(2048) }, 200],
    ["a state of 2,049 is refused", { state: "s".repeat(2049) }, 400],
    [
      "a query of more than 8,192 characters is refused",
      { a: "x".repeat(2000), b: "x".repeat(2000), c: "x".repeat(2000), d: "x".repeat(2000) },
      400,
    ],
    ["10 kB in one unknown parameter are refused", { a: "x".repeat(10_000) }, 400],
  ])("gateway: %s", async (_, changes, status) => {
    expect((await authorize(changes)).status).toBe(status);
  });

  it("gateway: a thousand parameters are refused", async () => {
    const more = Array.from({ length: 1000 }, (_, n) => `p${n}=`).join("&");
    await expectRefusalPage(await ask(`/authorize?${authorizationQuery(clientId)}&${more}`));
  });

  it.each(["%", "%zz", "%e0%a4%a", "%ff%fe", "%ed%a0%80"])(
    "RFC 6749 Appendix B: %j is no state",
    async (state) => {
      const query = authorizationQuery(clientId, { state: undefined });
      await expectRefusalPage(await ask(`/authorize?${query}&state=${state}`));
    },
  );
});
