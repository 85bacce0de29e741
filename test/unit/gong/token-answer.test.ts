// src/gong/token-answer.ts: what is read from Gong's token answers, and what each failure says about a connection.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { GongError } from "../../../src/errors.ts";
import { type GongTokenAnswer, type GongTokens, interpretTokenAnswer } from "../../../src/gong/oauth.ts";
import { kindOf } from "./playing-gong.ts";

function answer(body: string | object, changes: Partial<GongTokenAnswer> = {}): GongTokenAnswer {
  return {
    status: 200,
    contentType: "application/json",
    retryAfter: undefined,
    wwwAuthenticate: undefined,
    body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
    ...changes,
  };
}

async function read(given: GongTokenAnswer): Promise<GongTokens> {
  return interpretTokenAnswer(given, "gong-client");
}

async function failureOf(given: GongTokenAnswer): Promise<string> {
  return await kindOf(() => read(given));
}

const GOOD = {
  access_token: "opaque-1",
  token_type: "bearer",
  expires_in: 86_400,
  refresh_token: "refresh-1",
  scope: "mcp:ai-ask:read mcp:ai-briefer:read",
};

/** The shape of a JWT, unsigned. */
function jwtWith(claims: object): string {
  const part = (value: object): string =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.c2ln`;
}

describe(
  verifies("gong.token_answer", "gong.only_invalid_grant_ends", "reading Gong's token answers"),
  () => {
    test("RFC 6749 §5.1: tokens are read from an answer", async () => {
      expect(await read(answer(GOOD))).toEqual({
        accessToken: "opaque-1",
        refreshToken: "refresh-1",
        expiresInSeconds: 86_400,
        scope: ["mcp:ai-ask:read", "mcp:ai-briefer:read"],
        userId: undefined,
      });
    });

    test.each([
      ["Bearer in capitals", { token_type: "Bearer" }, {}],
      [
        "members that nobody asked for",
        { api_base_url_for_customer: "https://c.test", id_token: "no.jwt", x: null },
        {},
      ],
      ["no expires_in", { expires_in: undefined }, { expiresInSeconds: 3600 }],
      ["expires_in of null", { expires_in: null }, { expiresInSeconds: 3600 }],
      ["expires_in in words", { expires_in: "soon" }, { expiresInSeconds: 3600 }],
      ["expires_in below nothing", { expires_in: -1 }, { expiresInSeconds: 3600 }],
      ["expires_in as text", { expires_in: "7200" }, { expiresInSeconds: 7200 }],
      ["expires_in with a fraction", { expires_in: 90.9 }, { expiresInSeconds: 90 }],
      ["a life of one second", { expires_in: 1 }, { expiresInSeconds: 1 }],
      ["a life of a year", { expires_in: 31_536_000 }, { expiresInSeconds: 604_800 }],
      ["no scope", { scope: undefined }, { scope: undefined }],
      ["scope of null", { scope: null }, { scope: undefined }],
      ["an empty scope", { scope: " " }, { scope: undefined }],
      ["a scope with other characters", { scope: 'a "b"' }, { scope: undefined }],
      ["no refresh token", { refresh_token: undefined }, { refreshToken: undefined }],
      ["a refresh token of null", { refresh_token: null }, { refreshToken: undefined }],
      ["an empty refresh token", { refresh_token: "" }, { refreshToken: undefined }],
      ["an access token of 4 KB", { access_token: "a".repeat(4096) }, { accessToken: "a".repeat(4096) }],
    ])("an answer with %s is read", async (_, change, expected) => {
      expect(await read(answer({ ...GOOD, ...change }))).toMatchObject({
        accessToken: "opaque-1",
        ...expected,
      });
    });

    test("an answer without a JSON content type is read: the tokens in it can't be had again", async () => {
      expect(await read(answer(GOOD, { contentType: "text/plain" }))).toMatchObject({
        accessToken: "opaque-1",
      });
    });

    test.each([
      ["no access token", { ...GOOD, access_token: undefined }],
      ["an empty access token", { ...GOOD, access_token: "" }],
      ["an access token that is a number", { ...GOOD, access_token: 1 }],
      ["an access token with a line break", { ...GOOD, access_token: "a\r\nx-evil: 1" }],
      ["an access token with a space", { ...GOOD, access_token: "a b" }],
      ["an access token beyond ASCII", { ...GOOD, access_token: "tökén" }],
      ["a refresh token with a line break", { ...GOOD, refresh_token: "r\n" }],
      ["a refresh token that is a number", { ...GOOD, refresh_token: 1 }],
      ["no token type", { ...GOOD, token_type: undefined }],
      ["a token type that is not bearer", { ...GOOD, token_type: "dpop" }],
      ["a token type nobody knows", { ...GOOD, token_type: "mac" }],
      ["an error", { error: "invalid_grant" }],
      ["an array", [GOOD]],
      ["null", "null"],
      ["a repeated key", JSON.stringify(GOOD).replace("{", '{"access_token":"other",')],
      ["HTML", "<!doctype html>"],
      ["nothing", ""],
      ["half of the answer", JSON.stringify(GOOD).slice(0, 40)],
    ])("RFC 6749 §5.1: 200 with %s is malformed", async (_, body) => {
      expect(await failureOf(answer(body))).toBe("malformed");
    });

    const REFUSED = { status: 400 };
    const INVALID_GRANT = { error: "invalid_grant", error_description: "x" };

    test("RFC 6749 §5.2: 400 with invalid_grant ends the connection, and nothing that looks like it does", async () => {
      expect(await failureOf(answer(INVALID_GRANT, REFUSED))).toBe("expired");
      expect(
        await failureOf(
          answer(INVALID_GRANT, { ...REFUSED, contentType: "Application/JSON; charset=UTF-8" }),
        ),
      ).toBe("expired");
      expect(await failureOf(answer(INVALID_GRANT, { status: 403 }))).toBe("malformed");
      expect(await failureOf(answer(INVALID_GRANT, { status: 401 }))).toBe("misconfigured");
      expect(await failureOf(answer(INVALID_GRANT, { status: 500 }))).toBe("unavailable");
      expect(await failureOf(answer(INVALID_GRANT, { status: 201 }))).toBe("malformed");
      expect(await failureOf(answer(INVALID_GRANT, { ...REFUSED, contentType: "text/html" }))).toBe(
        "malformed",
      );
      expect(await failureOf(answer(INVALID_GRANT, { ...REFUSED, contentType: "" }))).toBe("malformed");
      expect(await failureOf(answer([INVALID_GRANT], REFUSED))).toBe("malformed");
      expect(await failureOf(answer({ error: ["invalid_grant"] }, REFUSED))).toBe("malformed");
      expect(await failureOf(answer('{"error":"x","error":"invalid_grant"}', REFUSED))).toBe("malformed");
      expect(await failureOf(answer({ error: "Invalid_Grant" }, REFUSED))).toBe("malformed");
    });

    test.each([
      [401, { error: "invalid_client" }, "misconfigured"],
      [401, "", "misconfigured"],
      [400, { error: "invalid_client" }, "misconfigured"],
      [400, { error: "unauthorized_client" }, "misconfigured"],
      [400, { error: "invalid_request" }, "misconfigured"],
      [400, { error: "redirect_uri_mismatch" }, "misconfigured"],
      [400, { error: "invalid_target" }, "misconfigured"],
      [403, { error: "access_denied" }, "denied"],
      [429, "", "rate_limited"],
      [408, "", "unavailable"],
      [500, { error: "invalid_client" }, "unavailable"],
      [502, "<html>", "unavailable"],
      [503, "", "unavailable"],
      [302, "", "unavailable"],
      [307, "", "unavailable"],
      [204, "", "malformed"],
      [400, { requestId: "1", errors: ["x"] }, "malformed"],
      [400, { error: "toString" }, "malformed"],
      [403, "<html>", "malformed"],
      [404, "", "malformed"],
    ])("RFC 6749 §5.2: status %i with %j is %s", async (status, body, kind) => {
      expect(await failureOf(answer(body, { status }))).toBe(kind);
    });

    test.each([
      ["7", 7],
      ["0", 0],
      ["86400", 3600],
      ["9".repeat(400), 3600],
      ["-1", undefined],
      ["1.5", undefined],
      ["soon", undefined],
      ["Tue, 01 Jan 2019 00:00:00 GMT", 0],
      ["Tue, 01 Jan 2999 00:00:00 GMT", 3600],
      // RFC 9110 §5.6.7: the obsolete forms of a date must be accepted, too.
      ["Tuesday, 01-Jan-19 00:00:00 GMT", 0],
      ["Tuesday, 01-Jan-48 00:00:00 GMT", 3600],
      ["Tue Jan  1 00:00:00 2019", 0],
      ["Wed Jan  1 00:00:00 2048", 3600],
      ["Tue, 99 Foo 2999 00:00:00 GMT", undefined],
      ["7, 9", undefined],
      ["Tue, 01 Jan 2999 00:00:00 GMT, 7", undefined],
      ["", undefined],
      ["+7", undefined],
      ["0x10", undefined],
      ["1 Jan 2999", undefined],
      [undefined, undefined],
    ])("RFC 9110 §10.2.3: Retry-After of %s is %s seconds", async (retryAfter, seconds) => {
      const failure: unknown = await read(answer("", { status: 429, retryAfter })).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(GongError);
      expect(failure).toMatchObject({ kind: "rate_limited", status: 429, retryAfterSeconds: seconds });
    });

    test.each([
      ["uid in the answer", { uid: "u-1" }, "opaque", "u-1"],
      ["user_id in the answer", { user_id: "u-2" }, "opaque", "u-2"],
      ["sub in the answer", { sub: "u-3" }, "opaque", "u-3"],
      ["a number", { uid: 8_123_456_789 }, "opaque", "8123456789"],
      ["uid in a JWT", {}, jwtWith({ uid: "u-4" }), "u-4"],
      ["sub in a JWT", {}, jwtWith({ sub: "u-5" }), "u-5"],
      ["uid before sub, wherever it is", { sub: "company" }, jwtWith({ uid: "u-6" }), "u-6"],
      ["the answer before the token", { uid: "u-7" }, jwtWith({ uid: "u-8" }), "u-7"],
      ["nothing", {}, "opaque", undefined],
      ["the client itself", {}, jwtWith({ sub: "gong-client" }), undefined],
      ["an object", { uid: {} }, "opaque", undefined],
      ["an empty text", { uid: "" }, "opaque", undefined],
      ["text beyond ASCII", { uid: "ü" }, "opaque", undefined],
      ["an endless text", { uid: "u".repeat(129) }, "opaque", undefined],
      ["something with two dots", {}, "a.b.c", undefined],
    ])("the person at Gong is named by %s", async (_, members, accessToken, userId) => {
      const tokens = await read(answer({ ...GOOD, ...members, access_token: accessToken }));
      expect(tokens).toMatchObject({ accessToken, userId });
    });

    test("no failure carries text or tokens from Gong", async () => {
      const canary = {
        access_token: "canary",
        token_type: "canary",
        error: "canary",
        error_description: "canary",
      };
      for (const status of [200, 400, 401, 500]) {
        const failure = (await read(answer(canary, { status })).catch((error: unknown) => error)) as Error;
        const cause = failure.cause as Error;
        expect(failure).toBeInstanceOf(GongError);
        expect(
          [failure.message, failure.stack, cause.message, cause.stack, cause.cause].join(" "),
        ).not.toContain("canary");
      }
    });
  },
);
