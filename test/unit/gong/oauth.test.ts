// src/gong/oauth.ts: the authorization URL, the callback and the two token requests, as they are on the wire.
import { describe, expect, test, vi } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import type { GongEndpoints } from "../../../src/gong/discovery.ts";
import type { Integration } from "../../../src/gong/integration.ts";
import {
  gongAuthorizationUrl,
  type GongTokenAnswer,
  requestTokensByCode,
  requestTokensByRefresh,
  validateGongCallback,
} from "../../../src/gong/oauth.ts";
import { kindOf, playingGong } from "./playing-gong.ts";

const ENDPOINTS: GongEndpoints = {
  issuer: "https://mcp.gong.test",
  authorizationEndpoint: new URL("https://app.gong.test/oauth2/authorize"),
  tokenEndpoint: new URL("https://app.gong.test/oauth2/generate-mcp-token"),
  tokenEndpointAuthMethods: ["client_secret_basic", "client_secret_post"],
  issuesIss: false,
  scopes: [],
  source: "discovered",
};

const INTEGRATION: Integration = {
  access: "personal",
  clientId: "gong-client_1.a",
  clientSecret: "se:cret+/%",
  mcpUrl: new URL("https://mcp.gong.test/mcp"),
  redirectUri: "https://gateway.test/callback",
};

const VERIFIER = "v".repeat(43);
const CALLBACK = "code=c-1&state=s-1";

async function redeem(
  options: {
    endpoints?: GongEndpoints;
    callback?: string;
    expectedState?: string;
    fetcher?: typeof fetch;
  } = {},
): Promise<GongTokenAnswer> {
  return await requestTokensByCode(options.endpoints ?? ENDPOINTS, INTEGRATION, {
    callback: new URLSearchParams(options.callback ?? CALLBACK),
    expectedState: options.expectedState ?? "s-1",
    codeVerifier: VERIFIER,
    fetcher: options.fetcher ?? playingGong(() => Response.json({})).fetcher,
  });
}

describe(
  verifies("gong.authorization_url", "gong.callback", "gong.token_request", "the gateway as Gong's client"),
  () => {
    test("RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2: the authorization URL has each parameter once", () => {
      const url = gongAuthorizationUrl(ENDPOINTS, INTEGRATION, {
        state: "st+/=&%",
        codeChallenge: "challenge",
        scope: ["mcp:ai-ask:read", "mcp:ai-briefer:read"],
      });
      expect(url.origin + url.pathname).toBe("https://app.gong.test/oauth2/authorize");
      expect([...url.searchParams]).toEqual([
        ["response_type", "code"],
        ["client_id", "gong-client_1.a"],
        ["redirect_uri", "https://gateway.test/callback"],
        ["scope", "mcp:ai-ask:read mcp:ai-briefer:read"],
        ["state", "st+/=&%"],
        ["code_challenge", "challenge"],
        ["code_challenge_method", "S256"],
        ["resource", "https://mcp.gong.test/mcp"],
      ]);
      expect(url.search).toContain("read%20mcp");
      expect(ENDPOINTS.authorizationEndpoint.search).toBe("");
    });

    test("RFC 6749 §3.1: the authorization endpoint keeps its own query, and no scope means no parameter", () => {
      const endpoints = { ...ENDPOINTS, authorizationEndpoint: new URL("https://app.gong.test/a?tenant=1") };
      const url = gongAuthorizationUrl(endpoints, INTEGRATION, { state: "s", codeChallenge: "c", scope: [] });
      expect(url.searchParams.get("tenant")).toBe("1");
      expect(url.searchParams.has("scope")).toBe(false);
    });

    test("RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 8707 §2.2: the code goes to Gong in a form, with Basic", async () => {
      const { fetcher, asked } = playingGong(() => Response.json({}));
      await redeem({ fetcher });
      const [request] = asked;
      expect(asked).toHaveLength(1);
      expect(request).toMatchObject({
        url: "https://app.gong.test/oauth2/generate-mcp-token",
        method: "POST",
        redirect: "manual",
      });
      expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
        grant_type: "authorization_code",
        code: "c-1",
        redirect_uri: "https://gateway.test/callback",
        code_verifier: VERIFIER,
        client_id: "gong-client_1.a",
        resource: "https://mcp.gong.test/mcp",
      });
      expect(request?.headers.get("content-type")).toBe("application/x-www-form-urlencoded;charset=UTF-8");
      expect(request?.headers.get("accept")).toBe("application/json");
      expect(request?.headers.get("user-agent")).toBe("gong-mcp-gateway");
    });

    test("RFC 6749 §2.3.1: Basic escapes what it must and leaves hyphens, dots and underscores alone", async () => {
      const { fetcher, asked } = playingGong(() => Response.json({}));
      await redeem({ fetcher });
      const credentials = atob(asked[0]?.headers.get("authorization")?.replace(/^Basic /, "") ?? "");
      expect(credentials).toBe("gong-client_1.a:se%3Acret%2B%2F%25");
    });

    test("RFC 6749 §2.3.1: without Basic on offer the secret is in the form, and nowhere else", async () => {
      const { fetcher, asked } = playingGong(() => Response.json({}));
      await redeem({
        fetcher,
        endpoints: { ...ENDPOINTS, tokenEndpointAuthMethods: ["client_secret_post"] },
      });
      const form = new URLSearchParams(asked[0]?.body);
      expect([form.getAll("client_id"), form.getAll("client_secret")]).toEqual([
        ["gong-client_1.a"],
        ["se:cret+/%"],
      ]);
      expect(asked[0]?.headers.has("authorization")).toBe(false);
    });

    test("RFC 6749 §6: a refresh sends the refresh token and the resource", async () => {
      const { fetcher, asked } = playingGong(() => Response.json({}));
      await requestTokensByRefresh(ENDPOINTS, INTEGRATION, { refreshToken: "r+1", fetcher });
      expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
        grant_type: "refresh_token",
        refresh_token: "r+1",
        resource: "https://mcp.gong.test/mcp",
      });
    });

    test("an answer comes back raw, whatever it is", async () => {
      const { fetcher } = playingGong(
        () =>
          new Response("<html>", {
            status: 503,
            headers: {
              "content-type": "text/html",
              "retry-after": "7",
              "www-authenticate": "Basic",
              "set-cookie": "a=b",
            },
          }),
      );
      expect(await redeem({ fetcher })).toEqual({
        status: 503,
        contentType: "text/html",
        retryAfter: "7",
        wwwAuthenticate: "Basic",
        body: new TextEncoder().encode("<html>"),
      });
    });

    test("an answer survives structuredClone, as sealing and RPC need it", async () => {
      const answer = await redeem({
        fetcher: playingGong(() => new Response(null, { status: 204 })).fetcher,
      });
      expect(structuredClone(answer)).toEqual(answer);
      expect(answer).toMatchObject({ status: 204, contentType: "", retryAfter: undefined });
    });

    test("RFC 9700 §4.12: a redirect from the token endpoint is an answer, and is not followed", async () => {
      const location = "https://evil.test/";
      const { fetcher, asked } = playingGong(
        () => new Response(null, { status: 307, headers: { location } }),
      );
      expect((await redeem({ fetcher })).status).toBe(307);
      expect(asked).toHaveLength(1);
    });

    test("256 KiB of answer are read, and one byte more is refused", async () => {
      const answering = (length: number): typeof fetch =>
        playingGong(() => new Response("x".repeat(length))).fetcher;
      expect((await redeem({ fetcher: answering(262_144) })).body.byteLength).toBe(262_144);
      expect(await kindOf(() => redeem({ fetcher: answering(262_145) }))).toBe("malformed");
    });

    test("no answer, and one that breaks off, are Gong being unavailable", async () => {
      const lost = playingGong(() => Promise.reject(new TypeError("Network connection lost."))).fetcher;
      expect(await kindOf(() => redeem({ fetcher: lost }))).toBe("unavailable");
      const broken = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"access_'));
          controller.error(new Error("Network connection lost."));
        },
      });
      expect(await kindOf(() => redeem({ fetcher: playingGong(() => new Response(broken)).fetcher }))).toBe(
        "unavailable",
      );
    });

    test("a token endpoint that stalls, before or within its answer, is given up", async () => {
      const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(new Error("timeout")), 20);
        return controller.signal;
      });
      const silent = playingGong(() => new Promise<Response>(() => undefined)).fetcher;
      expect(await kindOf(() => redeem({ fetcher: silent }))).toBe("unavailable");
      const stalled = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('{"access_')),
      });
      expect(await kindOf(() => redeem({ fetcher: playingGong(() => new Response(stalled)).fetcher }))).toBe(
        "unavailable",
      );
      expect(timeout.mock.calls).toEqual([[12_000], [12_000]]);
      timeout.mockRestore();
    });

    test.each([
      ["another state", "code=c-1&state=s-2"],
      ["no state", "code=c-1"],
      ["no code", "state=s-1"],
      ["an empty code", "code=&state=s-1"],
      ["two codes", "code=c-1&code=c-2&state=s-1"],
      ["two states", "code=c-1&state=s-1&state=s-1"],
      ["another issuer", "code=c-1&state=s-1&iss=https%3A%2F%2Fevil.test"],
      ["a token", "code=c-1&state=s-1&token=t"],
    ])(
      "RFC 6749 §4.1.2, RFC 9207 §2.4: a callback with %s is refused, and Gong is not asked",
      async (_, callback) => {
        const { fetcher, asked } = playingGong(() => Response.json({}));
        expect(await kindOf(() => redeem({ callback, fetcher }))).toBe("malformed");
        expect(asked).toHaveLength(0);
        expect(await kindOf(() => redeem({ fetcher }))).toBe("none");
      },
    );

    test("RFC 9207 §2.4: iss is compared byte for byte, and is demanded when Gong announces it", async () => {
      const endpoints = { ...ENDPOINTS, issuesIss: true };
      const withIss = `${CALLBACK}&iss=https%3A%2F%2Fmcp.gong.test`;
      expect(await kindOf(() => redeem({ endpoints, callback: withIss }))).toBe("none");
      expect(await kindOf(() => redeem({ endpoints, callback: `${withIss}%2F` }))).toBe("malformed");
      expect(await kindOf(() => redeem({ endpoints }))).toBe("malformed");
      expect(await kindOf(() => redeem({ callback: withIss }))).toBe("none");
    });

    test.each([
      ["access_denied", "denied"],
      ["consent_required", "denied"],
      ["toString", "denied"],
      ["unauthorized_client", "misconfigured"],
      ["invalid_scope", "misconfigured"],
      ["server_error", "unavailable"],
      ["temporarily_unavailable", "unavailable"],
    ])("RFC 6749 §4.1.2.1: a callback with error=%s is %s", async (error, kind) => {
      const callback = new URLSearchParams({ error, error_description: "x", state: "s-1" });
      expect(await kindOf(() => validateGongCallback(ENDPOINTS, INTEGRATION, callback, "s-1"))).toBe(kind);
    });

    test("RFC 6749 §4.1.2.1: an error for another state is no refusal by the person", async () => {
      const callback = new URLSearchParams({ error: "access_denied", state: "s-2" });
      expect(await kindOf(() => validateGongCallback(ENDPOINTS, INTEGRATION, callback, "s-1"))).toBe(
        "malformed",
      );
    });

    test("no failure carries text or tokens from Gong", async () => {
      const { fetcher } = playingGong(() => Promise.reject(new Error("canary-1")));
      const failure: unknown = await redeem({ fetcher }).catch((error: unknown) => error);
      const denial: unknown = await redeem({
        callback: "error=access_denied&error_description=canary-2&state=s-1",
      }).catch((error: unknown) => error);
      for (const error of [failure, denial] as Error[]) {
        const cause = error.cause as Error;
        expect([error.message, error.stack, cause.message, cause.stack, cause.cause].join(" ")).not.toContain(
          "canary",
        );
      }
    });
  },
);
