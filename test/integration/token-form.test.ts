// The form of token requests: content types, encodings, repeated and missing parameters, grant types. RFC 6749 §3.2.

import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ask, askToken, connect, PKCE, redeem, register, signIn } from "../support/flow.ts";
import { everythingStored } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError } from "../support/refusals.ts";

let clientId = "";
beforeAll(async () => {
  clientId = (await register()).client_id;
});
beforeEach(() => gong.reset());

const FORM = "application/x-www-form-urlencoded";

/** A body with this content type; "" leaves the type out. */
const send = (body: BodyInit, type: string = FORM): Promise<Response> =>
  ask("/token", {
    method: "POST",
    headers: type === "" ? {} : { "content-type": type },
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
  });

const good = (code: string): Record<string, string> => ({
  grant_type: "authorization_code",
  client_id: clientId,
  code,
  code_verifier: PKCE.verifier,
});
const goodForm = (code: string): string => new URLSearchParams(good(code)).toString();
const freshCode = async (): Promise<string> => (await signIn(clientId)).searchParams.get("code") ?? "";

describe(verifies("token.form_only", "what a token request must look like"), () => {
  it.each([FORM, `${FORM}; charset=UTF-8`, `${FORM};charset="utf-8"`, FORM.toUpperCase()])(
    "RFC 6749 §4.1.3: %s is taken",
    async (type) => {
      expect((await send(goodForm(await freshCode()), type)).status).toBe(200);
    },
  );

  it.each([
    ["", 415],
    ["text/plain", 415],
    ["application/json", 415],
    ["multipart/form-data; boundary=x", 415],
    [`${FORM}; charset=utf-16`, 415],
    [`${FORM}; charset=iso-8859-1`, 415],
    [`${FORM}, application/json`, 415],
  ])(
    "RFC 6749 §4.1.3: the same form as %j is refused with JSON, and the code stays good",
    async (type, status) => {
      const code = await freshCode();
      await expectOAuthError(await send(goodForm(code), type), "invalid_request", status);
      await redeem(clientId, code);
    },
  );

  it.each<[string, (form: string) => BodyInit, string, number]>([
    ["JSON in a form's clothes", () => JSON.stringify(good("x")), "invalid_client", 401],
    [
      "UTF-16",
      (form) => new Uint8Array(Uint16Array.from(Array.from(form, (c) => c.charCodeAt(0))).buffer),
      "invalid_request",
      400,
    ],
    ["bytes that are not UTF-8", () => new Uint8Array([0x61, 0x3d, 0xff, 0xfe]), "invalid_request", 400],
    ["a byte order mark", (form) => `\uFEFF${form}`, "invalid_request", 400],
    ["a broken percent escape", (form) => `${form}&x=%zz`, "invalid_request", 400],
    ["a raw space", (form) => `${form}&x=é`, "invalid_request", 400],
    ["ten thousand pairs", (form) => `${form}${"&a=b".repeat(10_000)}`, "invalid_request", 400],
    [
      "41 pairs",
      (form) => `${form}${Array.from({ length: 37 }, (_, n) => `&p${n}=`).join("")}`,
      "invalid_request",
      400,
    ],
    ["70 kB", (form) => `${form}&x=${"x".repeat(70_000)}`, "invalid_request", 413],
    ["nothing", () => "", "invalid_client", 401],
  ])("RFC 6749 §3.2: %s is refused, and the code stays good", async (_, spoil, error, status) => {
    const code = await freshCode();
    await expectOAuthError(await send(spoil(goodForm(code))), error, status);
    await redeem(clientId, code);
  });

  it("RFC 9110 §8.4: a compressed body is refused", async () => {
    const answer = await ask("/token", {
      method: "POST",
      headers: { "content-type": FORM, "content-encoding": "gzip" },
      body: new Uint8Array([0x1f, 0x8b]),
    });
    await expectOAuthError(answer, "invalid_request", 415);
  });

  it.each(["grant_type", "client_id", "code", "code_verifier", "redirect_uri", "scope"])(
    "RFC 6749 §3.2: %s twice is refused, whichever comes first, and the code stays good",
    async (name) => {
      const code = await freshCode();
      const value = good(code)[name] ?? "x";
      for (const pair of [
        [value, "evil"],
        ["evil", value],
        [value, value],
      ]) {
        const form = new URLSearchParams(good(code));
        form.delete(name);
        for (const each of pair) form.append(name, each);
        await expectOAuthError(await send(form.toString()), "invalid_request");
      }
      await redeem(clientId, code);
    },
  );

  it("OWASP ASVS 15.3.6: names of object properties are names like any other", async () => {
    const code = await freshCode();
    const form = `${goodForm(code)}&__proto__=polluted&constructor=x&toString=y&__proto__.polluted=1`;
    expect((await send(form)).status).toBe(200);
    expect("polluted" in {}).toBe(false);
  });
});

describe(verifies("http.methods", "methods and URLs of the machine endpoints"), () => {
  const PATHS = ["/token", "/revoke", "/register"];
  const pairs = PATHS.flatMap((path) =>
    ["GET", "HEAD", "PUT", "PATCH", "DELETE"].map((method) => [method, path]),
  );

  it.each(pairs)("RFC 9110 §15.5.6: %s %s is 405 and says what is allowed", async (method, path) => {
    const answer = await ask(path ?? "", { method: method ?? "" });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("POST");
  });

  it("RFC 9700 §4.3.2: credentials in the URL are refused, with and without a body", async () => {
    const code = await freshCode();
    expect((await ask(`/token?${goodForm(code)}`)).status).toBe(405);
    for (const body of ["", goodForm(code)]) {
      const answer = await ask(`/token?${goodForm(code)}`, {
        method: "POST",
        headers: { "content-type": FORM },
        body,
      });
      await expectOAuthError(answer, "invalid_request");
    }
    await redeem(clientId, code);
  });

  it.each(["/callback", "/authorize"])(
    "RFC 9110 §15.5.6: %s refuses methods it does not serve",
    async (path) => {
      for (const method of ["PUT", "PATCH", "DELETE", ...(path === "/callback" ? ["POST"] : [])]) {
        const answer = await ask(path, { method });
        expect([method, answer.status]).toEqual([method, 405]);
        expect(answer.headers.get("allow")).toMatch(/^GET/);
      }
    },
  );
});

describe(verifies("token.grant_types", "grant types"), () => {
  it.each([
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:device_code ",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "authorization_code ",
    "AUTHORIZATION_CODE",
    "authorization_code refresh_token",
    "__proto__",
  ])("RFC 6749 §5.2: %j is not supported", async (grantType) => {
    const before = await everythingStored();
    const answer = await askToken({ ...good("x"), username: "u", password: "p", grant_type: grantType });
    await expectOAuthError(answer, "unsupported_grant_type");
    expect(await everythingStored()).toBe(before);
  });

  it("RFC 6749 §5.2: client credentials are served, and not for a public client", async () => {
    const before = await everythingStored();
    const answer = await askToken({ ...good("x"), grant_type: "client_credentials" });
    await expectOAuthError(answer, "unauthorized_client");
    expect(await everythingStored()).toBe(before);
  });

  it.each(["grant_type", "code"])("RFC 6749 §5.2: without %s the request is invalid", async (name) => {
    const { [name]: _, ...rest } = good("x");
    await expectOAuthError(await askToken(rest), "invalid_request");
  });

  it("RFC 7591 §2: a client not registered for refresh tokens gets none and can use none", async () => {
    const { client_id: id } = await register({ grant_types: ["authorization_code"] });
    const code = (await signIn(id)).searchParams.get("code") ?? "";
    expect(await redeem(id, code)).not.toHaveProperty("refresh_token");
    const { tokens } = await connect();
    const answer = await askToken({
      grant_type: "refresh_token",
      client_id: id,
      refresh_token: tokens.refresh_token,
    });
    await expectOAuthError(answer, "unauthorized_client");
  });
});
