// Subject: src/oauth/redirect-uri.ts. RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §4.1.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { assertRegistrable, redirectUriKind } from "../../../src/oauth/redirect-uri.ts";
import { HTTPS, LOOPBACK, PRIVATE_USE } from "./redirect-uris.ts";
import { expectRefused, refusalOf, SEED } from "./refusal.ts";

const VALID = "https://client.test/callback";

const REFUSED: ReadonlyArray<readonly [why: string, uri: unknown]> = [
  ["not a string", 7],
  ["null", null],
  ["an array", [VALID]],
  ["empty", ""],
  ["a relative path", "/callback"],
  ["a relative host", "//client.test/callback"],
  ["no scheme", "client.test/callback"],
  ["a fragment", `${VALID}#done`],
  ["an empty fragment", `${VALID}#`],
  ["a user name", "https://user@client.test/callback"],
  ["a user name and password", "https://user:secret@client.test/callback"],
  ["an escaped at sign in the host", "https://user%40client.test/callback"],
  ["a user name on loopback", "http://user@127.0.0.1:1111/cb"],
  ["a user name in a private-use URI", "cursor://user@anysphere.cursor-mcp/oauth/callback"],
  ["a wildcard host", "https://*.client.test/callback"],
  ["a wildcard path", "https://client.test/*"],
  ["a wildcard port", "http://localhost:*/callback"],
  ["a space", "https://client.test/call back"],
  ["a leading space", ` ${VALID}`],
  ["a trailing newline", `${VALID}\n`],
  ["a tab", "https://client.test/call\tback"],
  ["a NUL", `${VALID}\0`],
  ["an escaped newline", `${VALID}%0a`],
  ["an escaped NUL", `${VALID}%00`],
  ["an escaped DEL", `${VALID}%7F`],
  ["a broken escape", `${VALID}%2`],
  ["a backslash", "https://client.test\\@evil.test/callback"],
  ["a host that is not ASCII", "https://bücher.example/cb"],
  ["a full-width dot", "https://client\uff0etest/callback"],
  ["a dot segment", "https://client.test/../callback"],
  ["an escaped dot segment", "https://client.test/a/%2e%2E/callback"],
  ["a dot segment with parameters", "https://client.test/a/..;/callback"],
  ["a dot segment at the end", "https://client.test/callback/."],
  ["a host with a dot at the end", "https://client.test./callback"],
  ["an empty label", "https://client..test/callback"],
  ["no host", "https:///callback"],
  ["https without slashes", "https:client.test/callback"],
  ["https with one slash", "https:/client.test/callback"],
  ["an IPv4 address", "https://10.0.0.5/callback"],
  ["an IPv6 address", "https://[fe80::1]/callback"],
  ["a decimal IPv4 address", "https://2130706433/callback"],
  ["a hexadecimal IPv4 address", "https://0x7f000001/callback"],
  ["an empty port", "https://client.test:/callback"],
  ["port 0", "http://localhost:0/callback"],
  ["a port above 65535", "http://localhost:65536/callback"],
  ["a port with a leading zero", "http://localhost:08080/callback"],
  ["plain http", "http://client.test/callback"],
  ["a host that begins like loopback", "http://127.0.0.1.evil.test/cb"],
  ["a host that begins like localhost", "http://localhost.evil.test/cb"],
  ["a subdomain of localhost", "http://app.localhost/cb"],
  ["a short spelling of loopback", "http://127.1/cb"],
  ["a hexadecimal spelling of loopback", "http://0x7f000001/cb"],
  ["another loopback address", "http://127.0.0.2/cb"],
  ["a mapped loopback address", "http://[::ffff:127.0.0.1]/cb"],
  ["the unspecified address", "http://0.0.0.0/cb"],
  ["upper case https", "HTTPS://client.test/callback"],
  ["upper case loopback", "http://LOCALHOST/callback"],
  ["a Windows drive", "c:/callback"],
  ["a bare scheme", "myapp:"],
  ["2049 characters", `${VALID}/`.padEnd(2049, "a")],
];

const DANGEROUS_SCHEMES = (
  "javascript data vbscript livescript blob file filesystem about view-source jar ws wss ftp mailto tel sms " +
  "intent android-app ms-settings ms-word ms-msdt microsoft-edge search-ms chrome chrome-extension web+evil urn"
).split(" ");

describe(verifies("registration.redirect_uris", "registering redirect URIs"), () => {
  it.each([...HTTPS, ...LOOPBACK, ...PRIVATE_USE])(
    "RFC 7591 §2, RFC 8252 §7: %s may be registered",
    (uri) => {
      expect(assertRegistrable(uri)).toBe(uri);
    },
  );

  it("RFC 7591 §2: a URI of 2048 characters may be registered", () => {
    const longest = `${VALID}/`.padEnd(2048, "a");
    expect(assertRegistrable(longest)).toBe(longest);
  });

  it.each(REFUSED)("RFC 6749 §3.1.2, RFC 9700 §4.1: refused: %s", (_why, uri) => {
    expectRefused(() => assertRegistrable(uri), "invalid_redirect_uri");
  });

  it.each(DANGEROUS_SCHEMES)("RFC 7591 §5: the scheme %s is refused in every disguise", (scheme) => {
    const disguises = [
      scheme,
      scheme.toUpperCase(),
      scheme.charAt(0).toUpperCase() + scheme.slice(1),
      ` ${scheme}`,
      `\t${scheme}`,
      `\n${scheme}`,
      `\u0001${scheme}`,
      `\u200b${scheme}`,
      `${scheme.slice(0, 2)}\t${scheme.slice(2)}`,
      `${scheme.slice(0, 2)}\n${scheme.slice(2)}`,
      `%20${scheme}`,
      `${scheme} `,
    ];
    for (const disguise of disguises) {
      for (const rest of [":alert(1)", "://client.test/callback", ":/callback"]) {
        expectRefused(() => assertRegistrable(disguise + rest), "invalid_redirect_uri");
      }
    }
  });

  it("no input makes it fail in another way than a refusal, and what it accepts is a URI as it was sent", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.string()),
        (uri) => {
          const refusal = refusalOf(() => assertRegistrable(uri));
          const looksLikeUri = /^[a-z][a-z0-9+.-]+:[\x21-\x7e]+$/.test(uri);
          expect(refusal?.code ?? looksLikeUri).toBe(refusal === undefined ? true : "invalid_redirect_uri");
        },
      ),
      { seed: SEED, numRuns: 5_000 },
    );
  });
});

describe(verifies("registration.redirect_uris", "kinds of redirect URIs"), () => {
  it.each(HTTPS)("%s is https", (uri) => expect(redirectUriKind(uri)).toBe("https"));
  it.each(LOOPBACK)("RFC 8252 §7.3: %s is loopback", (uri) => expect(redirectUriKind(uri)).toBe("loopback"));
  it.each(PRIVATE_USE)("RFC 8252 §7.1: %s is private-use", (uri) => {
    expect(redirectUriKind(uri)).toBe("private-use");
  });

  it.each([
    "javascript:alert(1)",
    "http://evil.test/cb",
    "https://user@client.test/cb",
    "HTTPS://client.test/cb",
  ])("%s, which can't be registered, never counts as https or loopback", (uri) =>
    expect(redirectUriKind(uri)).toBe("private-use"),
  );
});
