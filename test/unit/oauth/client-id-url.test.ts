// Subject: src/oauth/client-id-url.ts. Client ID Metadata Document draft §3; RFC 3986 §3.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentUrlHost, isDocumentClientId } from "../../../src/oauth/client-id-url.ts";
import { verifies } from "../../conformance/verifies.ts";
import { SEED } from "./refusal.ts";

const GATEWAY = "https://gateway.test";

const TAKEN: ReadonlyArray<readonly [url: string, host: string]> = [
  ["https://claude.ai/oauth/mcp-oauth-client-metadata", "claude.ai"],
  ["https://chatgpt.com/oauth/client.json", "chatgpt.com"],
  ["https://vscode.dev/oauth/client-metadata.json", "vscode.dev"],
  ["https://client.example/c", "client.example"],
  ["https://client.example/a/", "client.example"],
  ["https://client.example/a//b", "client.example"],
  ["https://client.example/a.b/..c/...", "client.example"],
  ["https://client.example/%C3%A9", "client.example"],
  ["https://client.example/c?v=1&w=(2)", "client.example"],
  ["https://client.example/~a!$&'()*+,;=:@", "client.example"],
  ["https://a-b.c--d.client.example/c", "a-b.c--d.client.example"],
  ["https://xn--bcher-kva.example/c", "xn--bcher-kva.example"],
  ["https://1.client.example/c", "1.client.example"],
  ["https://localhost.example/c", "localhost.example"],
  ["https://gateway.test.example/c", "gateway.test.example"],
  [`https://client.example/${"p".repeat(2_048 - 23)}`, "client.example"],
  [`https://${"a".repeat(63)}.example/c`, `${"a".repeat(63)}.example`],
];

const REFUSED: ReadonlyArray<readonly [why: string, url: string]> = [
  ["http", "http://client.example/c"],
  ["another scheme", "ftp://client.example/c"],
  ["an upper-case scheme", "HTTPS://client.example/c"],
  ["no scheme", "client.example/c"],
  ["a relative scheme", "//client.example/c"],
  ["one slash", "https:/client.example/c"],
  ["three slashes", "https:///client.example/c"],
  ["backslashes", "https:\\\\client.example\\c"],
  ["no path", "https://client.example"],
  ["the root path", "https://client.example/"],
  ["the root path with a query", "https://client.example/?c"],
  ["no path with a query", "https://client.example?c"],
  ["an empty query", "https://client.example/c?"],
  ["a fragment", "https://client.example/c#f"],
  ["an empty fragment", "https://client.example/c#"],
  ["a user name", "https://user@client.example/c"],
  ["a user name and password", "https://user:pass@client.example/c"],
  ["an empty user name", "https://@client.example/c"],
  ["an escaped at sign in the host", "https://user%40client.example/c"],
  ["a dot segment", "https://client.example/./c"],
  ["a double-dot segment", "https://client.example/a/../c"],
  ["a dot segment at the end", "https://client.example/a/."],
  ["a double-dot segment at the end", "https://client.example/a/.."],
  ["an escaped dot segment", "https://client.example/%2e/c"],
  ["an escaped double-dot segment", "https://client.example/%2E%2e/c"],
  ["a half-escaped double-dot segment", "https://client.example/.%2e/c"],
  ["an escaped slash", "https://client.example/a%2fb"],
  ["an escaped backslash", "https://client.example/a%5Cb"],
  ["an escaped NUL", "https://client.example/a%00"],
  ["an escaped newline", "https://client.example/a%0A"],
  ["an escaped DEL", "https://client.example/a%7f"],
  ["half an escape", "https://client.example/a%2"],
  ["a percent sign", "https://client.example/100%"],
  ["a backslash in the path", "https://client.example/a\\b"],
  ["a space", "https://client.example/a b"],
  ["a space in front", " https://client.example/c"],
  ["a space behind", "https://client.example/c "],
  ["a tab", "https://client.example/\tc"],
  ["a newline", "https://client.example/c\n"],
  ["a NUL", "https://client.example/c\0"],
  ["a quotation mark", 'https://client.example/"'],
  ["an angle bracket", "https://client.example/<c>"],
  ["braces", "https://client.example/{c}"],
  ["a pipe", "https://client.example/a|b"],
  ["raw Unicode in the path", "https://client.example/é"],
  ["raw Unicode in the host", "https://bücher.example/c"],
  ["a full-width full stop", "https://client。example/c"],
  ["an upper-case host", "https://Client.example/c"],
  ["an explicit default port", "https://client.example:443/c"],
  ["another port", "https://client.example:8443/c"],
  ["port 0", "https://client.example:0/c"],
  ["port 22", "https://client.example:22/c"],
  ["a port out of range", "https://client.example:65536/c"],
  ["an empty port", "https://client.example:/c"],
  ["a trailing dot", "https://client.example./c"],
  ["an empty label", "https://client..example/c"],
  ["a leading dot", "https://.client.example/c"],
  ["a leading hyphen", "https://-client.example/c"],
  ["a trailing hyphen", "https://client-.example/c"],
  ["an underscore in the host", "https://cli_ent.example/c"],
  ["a wildcard host", "https://*.example/c"],
  ["a label of 64", `https://${"a".repeat(64)}.example/c`],
  ["a host of 254", `https://${"a.".repeat(123)}example/c`.replace("a.", "aa.")],
  ["a URL of 2049", `https://client.example/${"p".repeat(2_049 - 23)}`],
  ["5 kB", `https://client.example/${"p".repeat(5_000)}`],
  ["a name of one label", "https://intranet/c"],
  ["localhost", "https://localhost/c"],
  ["below localhost", "https://app.localhost/c"],
  ["mDNS", "https://printer.local/c"],
  ["a cloud's metadata name", "https://metadata.google.internal/c"],
  ["a home network", "https://router.home.arpa/c"],
  ["a LAN name", "https://nas.lan/c"],
  ["an onion name", "https://abcdefgh.onion/c"],
  ["an IPv4 address", "https://127.0.0.1/c"],
  ["a private IPv4 address", "https://10.0.0.1/c"],
  ["a link-local IPv4 address", "https://169.254.169.254/c"],
  ["a public IPv4 address", "https://93.184.216.34/c"],
  ["a decimal IPv4 address", "https://2130706433/c"],
  ["a hexadecimal IPv4 address", "https://0x7f000001/c"],
  ["a dotted hexadecimal IPv4 address", "https://0x7f.0x0.0x0.0x1/c"],
  ["an octal IPv4 address", "https://0177.0.0.1/c"],
  ["a short IPv4 address", "https://127.1/c"],
  ["a name that ends in a number", "https://client.1/c"],
  ["an IPv6 address", "https://[::1]/c"],
  ["an IPv4-mapped IPv6 address", "https://[::ffff:127.0.0.1]/c"],
  ["an IPv6 zone", "https://[fe80::1%25eth0]/c"],
  ["the gateway itself", "https://gateway.test/mcp"],
  ["empty", ""],
];

describe(verifies("client_document.address", "client ids that are URLs"), () => {
  it.each(TAKEN)("draft §3: %s is taken, of host %s", (url, host) => {
    expect(documentUrlHost(url, GATEWAY)).toBe(host);
  });

  it.each(REFUSED)("draft §3: %s is refused: %j", (_why, url) => {
    expect(documentUrlHost(url, GATEWAY)).toBeUndefined();
  });

  it("draft §3: of 2,000 mutants none is taken that a URL parser reads in another way", () => {
    const pieces = [
      "https://",
      "client",
      ".",
      "example",
      "/",
      "c",
      "%2e",
      "%2f",
      "\\",
      "@",
      ":",
      "443",
      "#",
      "?",
      "é",
      "[",
      "]",
      " ",
      "\t",
      "A",
      "127.0.0.1",
      "xn--",
      "-",
      "_",
      "0x7f",
    ];
    const mutant = fc.array(fc.constantFrom(...pieces), { maxLength: 10 });
    fc.assert(
      fc.property(mutant, (parts) => {
        const url = `https://client.example/${parts.join("")}`;
        const other = `https://${parts.join("")}/c`;
        for (const candidate of [url, other]) {
          const host = documentUrlHost(candidate, GATEWAY);
          if (host === undefined) continue;
          const parsed = new URL(candidate);
          expect([parsed.href, parsed.host]).toEqual([candidate, host]);
          expect(parsed.username + parsed.password + parsed.hash + parsed.port).toBe("");
        }
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  }, 120_000);

  it("gateway: on workers.dev the other Workers of the account are refused, those of others are not", () => {
    const own = "https://gateway.acme.workers.dev";
    expect(documentUrlHost("https://gateway.acme.workers.dev/c", own)).toBeUndefined();
    expect(documentUrlHost("https://other.acme.workers.dev/c", own)).toBeUndefined();
    expect(documentUrlHost("https://a.b.acme.workers.dev/c", own)).toBeUndefined();
    expect(documentUrlHost("https://other.acme2.workers.dev/c", own)).toBe("other.acme2.workers.dev");
    expect(documentUrlHost("https://other.notacme.workers.dev/c", own)).toBe("other.notacme.workers.dev");
  });

  it("gateway: a port of the gateway does not hide that the host is its own", () => {
    expect(documentUrlHost("https://gateway.test/c", "https://gateway.test:8443")).toBeUndefined();
  });

  it.each([
    ["https://client.example/c", true],
    ["http://client.example/c", true],
    ["HTTPS://client.example", true],
    ["https:", true],
    ["gcl_0123456789abcdefghijkl", false],
    ["httpsclient", false],
    ["listed-client", false],
  ])("draft §3: %s is meant as a URL: %s", (clientId, meant) => {
    expect(isDocumentClientId(clientId)).toBe(meant);
  });
});
