// Subject: src/oauth/client-authentication.ts. RFC 6749 §2.3 and §5.2.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { ASSERTION_TYPE } from "../../../src/oauth/client-assertion.ts";
import { REGISTRABLE_AUTH_METHODS } from "../../../src/oauth/client.ts";
import {
  assertClientAuthenticated,
  hashClientSecret,
  presentedCredentials,
} from "../../../src/oauth/client-authentication.ts";
import { parseForm } from "../../../src/oauth/form.ts";
import { aClient, expectRefused, refusalOf } from "./refusal.ts";

const SECRET = "pass:%+ é/word";

/** HTTP Basic as RFC 6749 §2.3.1 wants it: each part form-encoded, then joined and encoded. */
function basic(clientId: string, secret: string): string {
  const encode = (text: string) => encodeURIComponent(text).replaceAll("%20", "+");
  return `Basic ${btoa(`${encode(clientId)}:${encode(secret)}`)}`;
}

function form(parameters: Record<string, string> = {}) {
  return parseForm(new URLSearchParams(parameters).toString());
}

describe(verifies("client_authentication.one_method", "reading credentials"), () => {
  it("RFC 6749 §3.2.1: a client id alone is a public client", () => {
    expect(presentedCredentials(undefined, form({ client_id: "client-1" }))).toEqual({
      method: "none",
      clientId: "client-1",
      clientSecret: undefined,
    });
  });

  it("RFC 6749 §2.3.1: client id and secret in the form", () => {
    expect(presentedCredentials(undefined, form({ client_id: "client-1", client_secret: SECRET }))).toEqual({
      method: "client_secret_post",
      clientId: "client-1",
      clientSecret: SECRET,
    });
  });

  it.each(["Basic ", "basic ", "BASIC ", "Basic  "])(
    "RFC 7617 §2: %j, parts form-decoded (RFC 6749 §2.3.1)",
    (scheme) => {
      const header = basic("client:1", SECRET).replace("Basic ", scheme);
      expect(presentedCredentials(header, form())).toEqual({
        method: "client_secret_basic",
        clientId: "client:1",
        clientSecret: SECRET,
      });
    },
  );

  it("RFC 6749 §2.3.1: a secret may contain a raw colon, the id may not", () => {
    const presented = presentedCredentials(`Basic ${btoa("client-1:a:b")}`, form());
    expect(presented).toMatchObject({ clientId: "client-1", clientSecret: "a:b" });
  });

  it("RFC 6749 §3.2.1: Basic with an equal client_id in the form is accepted, with another refused", () => {
    const header = basic("client-1", SECRET);
    expect(presentedCredentials(header, form({ client_id: "client-1" }))).toMatchObject({
      clientId: "client-1",
    });
    expectRefused(
      () => presentedCredentials(header, form({ client_id: "client-2" })),
      "invalid_client",
      "client_id_mismatch",
    );
  });

  it("RFC 6749 §2.3, §5.2: a secret in both places is refused, also when equal", () => {
    const both = () => presentedCredentials(basic("client-1", SECRET), form({ client_secret: SECRET }));
    expectRefused(both, "invalid_request", "several_mechanisms");
  });

  it("RFC 7521 §4.2: an assertion is handed on unread, with the client_id when there is one", () => {
    const assertion = { client_assertion: "a.b.c", client_assertion_type: ASSERTION_TYPE };
    const presented = { method: "private_key_jwt", assertion: "a.b.c" };
    expect(presentedCredentials(undefined, form(assertion))).toEqual({ ...presented, clientId: undefined });
    const named = form({ ...assertion, client_id: "client-1" });
    expect(presentedCredentials(undefined, named)).toEqual({ ...presented, clientId: "client-1" });
  });

  it("RFC 6749 §2.3: an assertion beside a secret is refused", () => {
    const assertion = { client_assertion: "a.b.c", client_assertion_type: ASSERTION_TYPE };
    const inForm = form({ ...assertion, client_secret: SECRET });
    expectRefused(() => presentedCredentials(undefined, inForm), "invalid_request", "several_mechanisms");
    const header = basic("client-1", SECRET);
    const inHeader = () => presentedCredentials(header, form(assertion));
    expectRefused(inHeader, "invalid_request", "several_mechanisms");
  });

  it.each(["client_assertion", "client_assertion_type"])(
    "RFC 7521 §4.2: %s alone is refused, not ignored",
    (name) => {
      const fields = { client_id: "client-1", [name]: "x" };
      expectRefused(
        () => presentedCredentials(undefined, form(fields)),
        "invalid_client",
        "assertion_unsupported",
      );
    },
  );

  it.each(["", "client\0", "client\n", "clïent", "a".repeat(2_049)])(
    "RFC 6749 A.1: client_id %j is refused",
    (clientId) => {
      expectRefused(() => presentedCredentials(undefined, form({ client_id: clientId })), "invalid_client");
    },
  );

  it("RFC 6749 §5.2: no credentials at all are refused", () => {
    expectRefused(() => presentedCredentials(undefined, form()), "invalid_client", "client_id_malformed");
  });

  it.each([
    ["empty", ""],
    ["the scheme alone", "Basic"],
    ["the scheme and a space", "Basic "],
    ["another scheme", `Bearer ${btoa("client-1:secret")}`],
    ["no scheme", btoa("client-1:secret")],
    ["no colon", `Basic ${btoa("client-1")}`],
    ["an empty id", `Basic ${btoa(":secret")}`],
    ["an empty secret", `Basic ${btoa("client-1:")}`],
    ["only a colon", `Basic ${btoa(":")}`],
    ["not base64", "Basic !!!!"],
    ["base64 of impossible length", "Basic YWJjO"],
    ["padding in the middle", "Basic YQ==YQ=="],
    ["three padding characters", "Basic YQ==="],
    ["base64url", `Basic ${btoa("client-1:\u00ff\u00fe\u00fd").replaceAll("/", "_")}`],
    ["not UTF-8", `Basic ${btoa("client-1:\u00ff")}`],
    ["truncated UTF-8", `Basic ${btoa("client-1:\u00c3")}`],
    ["a byte order mark", `Basic ${btoa("\u00ef\u00bb\u00bfclient-1:secret")}`],
    ["a broken percent sign in the secret", `Basic ${btoa("client-1:100%")}`],
    ["a broken percent sign in the id", `Basic ${btoa("client%1:secret")}`],
    ["escaped bytes that are not UTF-8", `Basic ${btoa("client-1:%ff")}`],
    ["a NUL in the secret", `Basic ${btoa("client-1:sec\0ret")}`],
    ["an escaped NUL in the secret", `Basic ${btoa("client-1:sec%00ret")}`],
    ["a newline in the id", `Basic ${btoa("client%0a1:secret")}`],
    ["an id that is not ASCII", `Basic ${btoa("cl%C3%AFent:secret")}`],
    ["a second header value", `${basic("client-1", "secret")}, ${basic("client-2", "secret")}`],
    ["space at the end", `${basic("client-1", "secret")} `],
    ["a tab after the scheme", `Basic\t${btoa("client-1:secret")}`],
    ["a newline at the end", `${basic("client-1", "secret")}\n`],
    ["9 kB", basic("client-1", "s".repeat(9_000))],
    ["parameters", `Basic realm="x"`],
  ])("RFC 6749 §5.2, RFC 7617: Basic that is %s is invalid_client and nothing worse", (_why, header) => {
    const refusal = refusalOf(() => presentedCredentials(header, form({ client_id: "client-1" })));
    expect(refusal).toMatchObject({ code: "invalid_client", reason: "basic_malformed", status: 401 });
  });
});

describe(verifies("client_authentication.registered_method", "proving a client"), () => {
  const matrix = [...REGISTRABLE_AUTH_METHODS, "private_key_jwt" as const].flatMap((registered) =>
    REGISTRABLE_AUTH_METHODS.map((presented) => [registered, presented] as const),
  );

  it.each(matrix)("RFC 7591 §2: registered %s, presented %s", async (registered, presented) => {
    const hash = await hashClientSecret(SECRET);
    const client = aClient({
      tokenEndpointAuthMethod: registered,
      clientSecretHash: registered === "none" ? undefined : hash,
    });
    const clientSecret = presented === "none" ? undefined : SECRET;
    const credentials = { method: presented, clientId: "client-1", clientSecret };
    const presentedHash = clientSecret === undefined ? undefined : hash;
    const refusal = refusalOf(() => assertClientAuthenticated(client, credentials, presentedHash));
    expect(refusal?.reason).toBe(registered === presented ? undefined : "wrong_method");
  });

  it.each(["client_secret_basic", "client_secret_post"] as const)(
    "RFC 6749 §2.3.1: %s with a wrong secret",
    async (method) => {
      const client = aClient({
        tokenEndpointAuthMethod: method,
        clientSecretHash: await hashClientSecret(SECRET),
      });
      const prove = async (clientSecret: string) => {
        const hash = await hashClientSecret(clientSecret);
        return refusalOf(() =>
          assertClientAuthenticated(client, { method, clientId: "client-1", clientSecret }, hash),
        );
      };
      expect(await prove(SECRET)).toBeUndefined();
      expect(await prove(`${SECRET} `)).toMatchObject({ code: "invalid_client", reason: "wrong_secret" });
    },
  );

  it("a missing hash, kept or presented, is never equal to another missing one", async () => {
    const credentials = { method: "client_secret_post", clientId: "client-1", clientSecret: SECRET } as const;
    const hash = await hashClientSecret(SECRET);
    const without = aClient({ tokenEndpointAuthMethod: "client_secret_post" });
    const withHash = aClient({ tokenEndpointAuthMethod: "client_secret_post", clientSecretHash: hash });
    expectRefused(
      () => assertClientAuthenticated(without, credentials, undefined),
      "invalid_client",
      "secret_missing",
    );
    expectRefused(
      () => assertClientAuthenticated(without, credentials, hash),
      "invalid_client",
      "secret_missing",
    );
    expectRefused(
      () => assertClientAuthenticated(withHash, credentials, undefined),
      "invalid_client",
      "secret_missing",
    );
  });

  it("RFC 6749 §2.3: the record of another client proves nothing", () => {
    const credentials = { method: "none", clientId: "client-2", clientSecret: undefined } as const;
    expectRefused(
      () => assertClientAuthenticated(aClient(), credentials, undefined),
      "invalid_client",
      "wrong_client_id",
    );
  });

  it("every refusal of credentials has the same description", () => {
    const client = aClient({ tokenEndpointAuthMethod: "client_secret_post", clientSecretHash: "x" });
    const post = { method: "client_secret_post", clientId: "client-1", clientSecret: "y" } as const;
    const refusals = [
      refusalOf(() => presentedCredentials("Basic !", form())),
      refusalOf(() => presentedCredentials(undefined, form())),
      refusalOf(() => assertClientAuthenticated(client, post, "y")),
      refusalOf(() => assertClientAuthenticated(client, { ...post, method: "client_secret_basic" }, "x")),
    ];
    expect(refusals.map((refusal) => refusal?.code)).toEqual(Array(4).fill("invalid_client"));
    expect(new Set(refusals.map((refusal) => refusal?.description)).size).toBe(1);
  });
});
