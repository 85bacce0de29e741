// Subject: the matching of src/oauth/redirect-uri.ts. RFC 8252 §7.3 and §8.3, RFC 9700 §2.1 and §4.1.3.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { redirectUriMatches } from "../../../src/oauth/redirect-uri.ts";
import { HTTPS, LOOPBACK, PRIVATE_USE } from "./redirect-uris.ts";
import { SEED } from "./refusal.ts";

const VALID = "https://client.test/callback";

describe(verifies("authorize.redirect_uri", "matching redirect URIs"), () => {
  it.each([
    "http://127.0.0.1:1/cb",
    "http://127.0.0.1:2222/cb",
    "http://127.0.0.1:65535/cb",
    "http://127.0.0.1/cb",
  ])("RFC 8252 §7.3: %s matches a registered loopback URI with another port", (requested) =>
    expect(redirectUriMatches(["http://127.0.0.1:1111/cb"], requested)).toBe(true),
  );

  it.each([
    ["http://localhost/callback", "http://localhost:50123/callback"],
    ["http://[::1]:19876/cb?x=1", "http://[::1]:2/cb?x=1"],
  ])("RFC 8252 §7.3: registered %s, requested %s", (registered, requested) => {
    expect(redirectUriMatches([registered], requested)).toBe(true);
  });

  it.each([
    "http://127.0.0.1:2222/cb/",
    "http://127.0.0.1:2222/cb?x=1",
    "http://127.0.0.1:2222/CB",
    "http://127.0.0.1:2222/",
    "http://127.0.0.1:2222",
    "http://localhost:2222/cb",
    "http://[::1]:2222/cb",
    "https://127.0.0.1:2222/cb",
    "http://u@127.0.0.1:2222/cb",
    "http://127.0.0.1:2222@evil.test/cb",
    "http://127.0.0.1.evil.test:2222/cb",
    "http://127.1:2222/cb",
    "http://0x7f000001:2222/cb",
    "http://[::ffff:127.0.0.1]:2222/cb",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:02222/cb",
    "http://127.0.0.1:/cb",
    "http://127.0.0.1:2222/cb\n",
    "HTTP://127.0.0.1:2222/cb",
  ])("RFC 8252 §8.3: %s does not match http://127.0.0.1:1111/cb", (requested) => {
    expect(redirectUriMatches(["http://127.0.0.1:1111/cb"], requested)).toBe(false);
  });

  it.each([
    ["https://client.test:8443/cb", "https://client.test:8444/cb"],
    ["https://127.0.0.1:8443/cb", "https://127.0.0.1:8444/cb"],
    ["cursor://localhost:1/cb", "cursor://localhost:2/cb"],
  ])("RFC 9700 §2.1: the port is free for http on loopback only: %s, %s", (registered, requested) => {
    expect(redirectUriMatches([registered], requested)).toBe(false);
  });

  it("matches any of several registered URIs, and nothing when none is registered", () => {
    expect(redirectUriMatches([...HTTPS, ...LOOPBACK], HTTPS[2] ?? "")).toBe(true);
    expect(redirectUriMatches([], VALID)).toBe(false);
  });

  it.each([...HTTPS, ...LOOPBACK, ...PRIVATE_USE])(
    "RFC 9700 §4.1.3: of 5,000 mutants of %s only the registered string is accepted",
    (registered) => {
      const isPortVariant = portVariantsOf(registered);
      fc.assert(
        fc.property(mutantsOf(registered), (mutant) => {
          const expected = mutant === registered || isPortVariant(mutant);
          expect(redirectUriMatches([registered], mutant)).toBe(expected);
        }),
        { seed: SEED, numRuns: 5_000 },
      );
    },
  );
});

/** Whether a URI is `registered` with another port, by cutting strings: not the way the subject does it. */
function portVariantsOf(registered: string): (uri: string) => boolean {
  const host = ["http://127.0.0.1", "http://localhost", "http://[::1]"].find((host) =>
    registered.startsWith(host),
  );
  if (host === undefined) return () => false;
  const afterPort = (uri: string) => uri.slice(host.length).replace(/^:\d+/, "");
  return (uri) => {
    if (!uri.startsWith(host) || afterPort(uri) !== afterPort(registered)) return false;
    const written = uri.slice(host.length, uri.length - afterPort(uri).length);
    const port = Number(written.slice(1));
    return written === "" || (port > 0 && port < 65_536 && written === `:${port}`);
  };
}

const INSERTED: readonly string[] = [
  ..."./ \\ @ # ? % & = : ; * ~ _ - \t \r \n \0 a A 1".split(" "),
  ..." %2e %2f %5c %40 %25@ %23 %00 %0d%0a ..;/ /../ /./ // .evil.test @evil.test evil.test/ #evil".split(
    " ",
  ),
  ..."?x=1 &x=1 :80 :443 :1 \u200b \u202e \u3002 \uff0f \u212a é []".split(" "),
  " ",
];

function mutantsOf(registered: string): fc.Arbitrary<string> {
  const position = fc.nat(registered.length);
  const character = fc.nat(registered.length - 1);
  const one = fc.oneof(
    fc.constant((uri: string) => uri),
    fc.tuple(position, fc.constantFrom(...INSERTED)).map(([at, text]) => splice(at, 0, text)),
    fc.tuple(position, fc.string({ unit: "binary", maxLength: 3 })).map(([at, text]) => splice(at, 0, text)),
    fc.tuple(character, fc.integer({ min: 1, max: 5 })).map(([at, count]) => splice(at, count, "")),
    fc.tuple(character, fc.constantFrom(...INSERTED)).map(([at, text]) => splice(at, 1, text)),
    character.map((at) => replaceAt(at, swapCase)),
    character.map((at) => replaceAt(at, escaped)),
    fc.constantFrom(
      (uri: string) => uri.replace(/^https?/, (scheme) => (scheme === "http" ? "https" : "http")),
      (uri: string) => uri.replace(/:\d+(?=[/?]|$)/, ""),
      (uri: string) => `${uri}/`,
      (uri: string) => uri + uri,
      (uri: string) => uri.toUpperCase(),
      (uri: string) => encodeURIComponent(uri.toWellFormed()),
      (uri: string) => uri.replace("127.0.0.1", "localhost"),
      (uri: string) => uri.replace("localhost", "127.0.0.1"),
    ),
    fc.integer({ min: 0, max: 70_000 }).map((port) => (uri: string) => uri.replace(/:\d+/, `:${port}`)),
  );
  return fc
    .array(one, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((uri, change) => change(uri), registered));
}

function splice(at: number, count: number, text: string): (uri: string) => string {
  return (uri) => uri.slice(0, at) + text + uri.slice(at + count);
}

function replaceAt(at: number, change: (character: string) => string): (uri: string) => string {
  return (uri) => uri.slice(0, at) + change(uri.charAt(at)) + uri.slice(at + 1);
}

function swapCase(character: string): string {
  const lower = character.toLowerCase();
  return lower === character ? character.toUpperCase() : lower;
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
