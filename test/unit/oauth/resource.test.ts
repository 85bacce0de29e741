// Subject: src/oauth/resource.ts. RFC 8707 §2.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { resolveResource } from "../../../src/oauth/resource.ts";
import { expectRefused } from "./refusal.ts";

const ORIGIN = "https://gateway.test";
const MAIN = `${ORIGIN}/mcp`;
const SHARED = `${ORIGIN}/shared/mcp`;
const RESOURCES = { origin: ORIGIN, main: MAIN, shared: SHARED };

describe(verifies("resource.indicators", "resources that are ours"), () => {
  it("RFC 8707 §2: without a resource it is the main one", () => {
    expect(resolveResource([], RESOURCES)).toBe(MAIN);
  });

  it.each([
    MAIN,
    `${MAIN}/`,
    ORIGIN,
    `${ORIGIN}/`,
    "HTTPS://GATEWAY.TEST/mcp",
    "https://Gateway.Test:443/mcp/",
    "https://gateway.test:443",
  ])("RFC 8707 §2: %s is the main resource", (value) => {
    expect(resolveResource([value], RESOURCES)).toBe(MAIN);
  });

  it.each([SHARED, `${SHARED}/`, "https://GATEWAY.test:443/shared/mcp"])(
    "RFC 8707 §2: %s is the shared one",
    (value) => {
      expect(resolveResource([value], RESOURCES)).toBe(SHARED);
    },
  );

  it("RFC 8707 §2: several values that name one resource are that resource", () => {
    expect(resolveResource([MAIN, `${MAIN}/`, ORIGIN], RESOURCES)).toBe(MAIN);
  });

  it("a loopback gateway keeps its port, and only port 80 is the default of http", () => {
    const local = {
      origin: "http://localhost:8787",
      main: "http://localhost:8787/mcp",
      shared: undefined,
    };
    expect(resolveResource(["http://LOCALHOST:8787/mcp"], local)).toBe("http://localhost:8787/mcp");
    expectRefused(() => resolveResource(["http://localhost/mcp"], local), "invalid_target");
    const plain = { origin: "http://localhost", main: "http://localhost/mcp", shared: undefined };
    expect(resolveResource(["http://localhost:80/mcp"], plain)).toBe("http://localhost/mcp");
    expectRefused(() => resolveResource(["http://localhost:443/mcp"], plain), "invalid_target");
  });
});

describe(verifies("resource.indicators", "resources that are not"), () => {
  it.each([
    "https://other.test/mcp",
    "https://gateway.test.evil.test/mcp",
    "https://evil.test/https://gateway.test/mcp",
    "http://gateway.test/mcp",
    "https://gateway.test:8443/mcp",
    "https://gateway.test:80/mcp",
    "https://gateway.test:/mcp",
    "https://gateway.test:0443/mcp",
    "https://gateway.test./mcp",
    "https://user@gateway.test/mcp",
    "https://gateway.test@evil.test/mcp",
    `${MAIN}#part`,
    `${MAIN}#`,
    `${MAIN}?x=1`,
    `${MAIN}?`,
    `${MAIN}//`,
    `${ORIGIN}//`,
    `${ORIGIN}//mcp`,
    `${MAIN}-evil`,
    `${MAIN}/admin`,
    `${ORIGIN}/MCP`,
    `${ORIGIN}/mcp/../x`,
    `${ORIGIN}/x/../mcp`,
    `${ORIGIN}/./mcp`,
    `${ORIGIN}/%6dcp`,
    `${ORIGIN}/shared%2fmcp`,
    `${ORIGIN}/%2e/mcp`,
    `${ORIGIN}\\mcp`,
    `${ORIGIN}/shared`,
    "/mcp",
    "mcp",
    "gateway.test/mcp",
    "//gateway.test/mcp",
    "https:gateway.test/mcp",
    "https:/gateway.test/mcp",
    ` ${MAIN}`,
    `${MAIN} `,
    `${MAIN}\n`,
    "https://gateway\u3002test/mcp",
    "urn:gateway",
    "__proto__",
  ])("RFC 8707 §2: %j is refused", (value) => {
    expectRefused(() => resolveResource([value], RESOURCES), "invalid_target");
  });

  it("a letter that only becomes ours by lower-casing is refused", () => {
    const resources = { origin: "https://k.test", main: "https://k.test/mcp", shared: undefined };
    expect("\u212a".toLowerCase()).toBe("k");
    expectRefused(() => resolveResource(["https://\u212a.test/mcp"], resources), "invalid_target");
  });

  it("RFC 8707 §2: the shared resource is foreign where it is not configured", () => {
    expectRefused(() => resolveResource([SHARED], { ...RESOURCES, shared: undefined }), "invalid_target");
  });

  it("RFC 8707 §2: one foreign value among ours is refused", () => {
    expectRefused(() => resolveResource([MAIN, "https://other.test/mcp"], RESOURCES), "invalid_target");
  });

  it("RFC 8707 §2: a token is for one resource, so two of ours are refused", () => {
    expectRefused(() => resolveResource([MAIN, SHARED], RESOURCES), "invalid_target", "several_resources");
  });
});
