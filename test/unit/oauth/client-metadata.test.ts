// Subject: src/oauth/client-metadata.ts. RFC 7591 §2, §3.1 and §3.2.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import {
  displayName,
  parseClientMetadata,
  registrationResponse,
} from "../../../src/oauth/client-metadata.ts";
import { aClient, expectRefused, refusalOf } from "./refusal.ts";

const GOOD = { redirect_uris: ["https://client.test/callback"] };

describe(verifies("registration.metadata", "what a client may register"), () => {
  it("RFC 7591 §2: redirect URIs alone are enough; the rest has defaults", () => {
    expect(parseClientMetadata(GOOD)).toEqual({
      redirectUris: ["https://client.test/callback"],
      tokenEndpointAuthMethod: "client_secret_basic",
      grantTypes: ["authorization_code", "refresh_token"],
      clientName: undefined,
      applicationType: undefined,
    });
  });

  it("RFC 7591 §2: a member that is null counts as omitted", () => {
    const nulls = {
      token_endpoint_auth_method: null,
      grant_types: null,
      response_types: null,
      client_name: null,
      software_statement: null,
    };
    expect(parseClientMetadata({ ...GOOD, ...nulls })).toEqual(parseClientMetadata(GOOD));
  });

  it("RFC 7591 §2: Cursor's three redirect URIs, one with a private-use scheme, are all stored", () => {
    const uris = [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "http://localhost:8787/callback",
    ];
    expect(parseClientMetadata({ redirect_uris: uris }).redirectUris).toEqual(uris);
  });

  it.each(["none", "client_secret_basic", "client_secret_post"])(
    "RFC 7591 §2: method %s is kept",
    (method) => {
      const metadata = parseClientMetadata({ ...GOOD, token_endpoint_auth_method: method });
      expect(metadata.tokenEndpointAuthMethod).toBe(method);
    },
  );

  it.each([
    [["authorization_code"], ["authorization_code"]],
    [
      ["refresh_token", "authorization_code"],
      ["authorization_code", "refresh_token"],
    ],
    [["authorization_code", "implicit", "password", "client_credentials"], ["authorization_code"]],
  ])("RFC 7591 §3.2.1: grant types %j become %j", (asked, kept) => {
    expect(parseClientMetadata({ ...GOOD, grant_types: asked }).grantTypes).toEqual(kept);
  });

  it("RFC 7591 §3.2.1: response types are narrowed to code", () => {
    expect(parseClientMetadata({ ...GOOD, response_types: ["token", "code"] })).toEqual(
      parseClientMetadata(GOOD),
    );
  });

  it.each(["native", "web"] as const)("OpenID Registration §2: application_type %s is kept", (type) => {
    expect(parseClientMetadata({ ...GOOD, application_type: type }).applicationType).toBe(type);
  });

  it("RFC 7591 §2: everything else is dropped: URLs, keys, contacts, and what only the server may set", () => {
    const extra = {
      application_type: "toaster",
      client_id: "chosen",
      client_secret: "chosen",
      client_id_issued_at: 1,
      registration: "preregistered",
      trusted: true,
      is_admin: true,
      scope: "admin",
      contacts: ["a@client.test"],
      logo_uri: "javascript:alert(1)",
      client_uri: "http://169.254.169.254/",
      jwks_uri: "http://169.254.169.254/",
      jwks: { keys: [] },
      redirectUris: ["https://evil.test"],
      "client_name#de": "Anders",
    };
    expect(parseClientMetadata({ ...GOOD, ...extra })).toEqual(parseClientMetadata(GOOD));
  });

  it("a body that is hostile to prototypes changes none", () => {
    const body: unknown = JSON.parse(
      `{"redirect_uris":["https://client.test/callback"],"__proto__":{"client_name":"x"}}`,
    );
    expect(parseClientMetadata(body)).toEqual(parseClientMetadata(GOOD));
    expect(Object.hasOwn(Object.prototype, "client_name")).toBe(false);
  });

  it("a name of 200 characters is kept raw, and an empty one counts as omitted", () => {
    const name = "\u202e" + "n".repeat(199);
    expect(parseClientMetadata({ ...GOOD, client_name: name }).clientName).toBe(name);
    expect(parseClientMetadata({ ...GOOD, client_name: "" }).clientName).toBeUndefined();
  });

  it("RFC 7591 §2: 10 redirect URIs are stored, and one sent twice is stored once", () => {
    const ten = Array.from({ length: 10 }, (_, at) => `https://client.test/${at}`);
    expect(parseClientMetadata({ redirect_uris: ten }).redirectUris).toEqual(ten);
    expect(parseClientMetadata({ redirect_uris: [ten[0], ten[0]] }).redirectUris).toEqual([ten[0]]);
  });
});

describe(verifies("registration.refused", "what is refused"), () => {
  it.each([undefined, null, "text", 7, true, [], [GOOD]])("RFC 7591 §3.1: the body %j", (body) => {
    expectRefused(() => parseClientMetadata(body), "invalid_client_metadata", "not_an_object");
  });

  it.each([
    ["absent", undefined],
    ["null", null],
    ["a string", "https://client.test/callback"],
    ["an object", { 0: "https://client.test/callback" }],
    ["empty", []],
    ["eleven", Array.from({ length: 11 }, (_, at) => `https://client.test/${at}`)],
  ])("RFC 7591 §3.2.2: redirect_uris that are %s", (_why, uris) => {
    expectRefused(
      () => parseClientMetadata({ redirect_uris: uris }),
      "invalid_redirect_uri",
      "redirect_uris_count",
    );
  });

  it.each(["javascript:alert(1)", "http://client.test/cb", "https://client.test/#x", 7, null])(
    "RFC 7591 §3.2.2: one bad redirect URI, %j, refuses them all",
    (uri) => {
      const body = { redirect_uris: ["https://client.test/callback", uri] };
      expectRefused(() => parseClientMetadata(body), "invalid_redirect_uri");
    },
  );

  it.each(["private_key_jwt", "client_secret_jwt", "tls_client_auth", "NONE", "", 7, ["none"], {}])(
    "RFC 7591 §3.2.2: token_endpoint_auth_method %j",
    (method) => {
      const body = { ...GOOD, token_endpoint_auth_method: method };
      expectRefused(() => parseClientMetadata(body), "invalid_client_metadata", "auth_method_unsupported");
    },
  );

  it.each([[[]], [["refresh_token"]], [["implicit"]], [["password", "client_credentials"]]])(
    "RFC 7591 §3.2.2: grant_types %j, of which nothing usable remains",
    (grantTypes) => {
      const body = { ...GOOD, grant_types: grantTypes };
      expectRefused(() => parseClientMetadata(body), "invalid_client_metadata", "grant_types_unsupported");
    },
  );

  it.each([[[]], [["token"]], [["id_token", "code token"]]])(
    "RFC 7591 §3.2.2: response_types %j, of which nothing remains",
    (responseTypes) => {
      const body = { ...GOOD, response_types: responseTypes };
      expectRefused(() => parseClientMetadata(body), "invalid_client_metadata", "response_types_unsupported");
    },
  );

  it.each(["grant_types", "response_types"])("RFC 7591 §2: %s that is not an array of strings", (name) => {
    for (const value of ["authorization_code", {}, 7, ["authorization_code", 7], [["code"]]]) {
      const body = { ...GOOD, [name]: value };
      expectRefused(() => parseClientMetadata(body), "invalid_client_metadata", "not_a_string_array");
    }
  });

  it.each(["n".repeat(201), 7, ["name"], {}, "lone \ud800 surrogate"])(
    "RFC 7591 §2: client_name %j",
    (name) => {
      const body = { ...GOOD, client_name: name };
      expectRefused(() => parseClientMetadata(body), "invalid_client_metadata", "client_name_malformed");
    },
  );

  it.each(["eyJhbGciOiJub25lIn0.e30.", "", {}, 7])("RFC 7591 §2.3: software_statement %j", (statement) => {
    expectRefused(
      () => parseClientMetadata({ ...GOOD, software_statement: statement }),
      "invalid_software_statement",
    );
  });

  it("no refusal repeats what the body said", () => {
    const marker = "zzmarkerzz";
    const names = ["redirect_uris", "grant_types", "token_endpoint_auth_method", "software_statement"];
    for (const name of names) {
      const refusal = refusalOf(() => parseClientMetadata({ ...GOOD, [name]: marker }));
      expect(refusal?.message).toBeTypeOf("string");
      expect(refusal?.message).not.toContain(marker);
    }
  });
});

describe(verifies("registration.answer", "the answer"), () => {
  const SECRETS = { clientSecret: "s3cret", issuedAt: 1_700_000_000, clientSecretExpiresAt: 0 } as const;

  it("RFC 7591 §3.2.1: a confidential client is told its secret and what was registered", () => {
    const metadata = parseClientMetadata({ ...GOOD, client_name: "An agent", application_type: "web" });
    const client = aClient({ tokenEndpointAuthMethod: "client_secret_basic" });
    expect(registrationResponse(client, SECRETS, metadata)).toEqual({
      client_id: "client-1",
      client_id_issued_at: 1_700_000_000,
      client_secret: "s3cret",
      client_secret_expires_at: 0,
      redirect_uris: ["https://client.test/callback"],
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      client_name: "An agent",
      application_type: "web",
    });
  });

  it("RFC 7591 §3.2.1: a client registered with none is told no secret, even if one was made", () => {
    const document = registrationResponse(
      aClient({ clientName: undefined }),
      SECRETS,
      parseClientMetadata(GOOD),
    );
    expect(Object.keys(document)).toEqual([
      "client_id",
      "client_id_issued_at",
      "redirect_uris",
      "token_endpoint_auth_method",
      "grant_types",
      "response_types",
    ]);
  });
});

describe(verifies("registration.display_name", "names as pages show them"), () => {
  it.each([
    ["Claude Code", "Claude Code"],
    ["  Claude \t Code\n", "Claude Code"],
    ["Gong\nverified", "Gong verified"],
    ["\u202eevil\u202c", "evil"],
    ["\u2066a\u2069", "a"],
    ["G\u200bo\u200dn\u2060g\ufeff", "Gong"],
    ["a\u00adb", "ab"],
    ["a\0b\u001b[31m", "ab[31m"],
    ["tag\u{e0041}", "tag"],
    ["a\u3164b", "ab"],
    ["a\u2028b\u2029c\u0085d", "a b c d"],
    ["a\u2800\u2003\u00a0b", "a b"],
    ["\ue000private", "private"],
    ["Bücher 図書 🦊", "Bücher 図書 🦊"],
    ["<b>bold</b>", "<b>bold</b>"],
  ])("OWASP, Unicode TR36: %j is shown as %j", (name, shown) => {
    expect(displayName(name)).toBe(shown);
  });

  it.each([undefined, "", " ", "\u200b", "\u202e\u2800 ", "\n\t"])("%j shows nothing", (name) => {
    expect(displayName(name)).toBeUndefined();
  });

  it("is cut at 64 code points, never inside one", () => {
    expect(displayName("🦊".repeat(65))).toBe("🦊".repeat(64));
    expect(displayName("n".repeat(5_000))).toBe("n".repeat(64));
    expect(displayName(`${"n".repeat(63)} tail`)).toBe("n".repeat(63));
  });
});
