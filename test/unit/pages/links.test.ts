// src/pages/links.ts: the one check on every href and refresh.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { linkUrl, outsideUrl } from "../../../src/pages/links.ts";

const GOOD = [
  "https://claude.ai/api/mcp/auth_callback?code=1&state=2",
  "HTTPS://CLAUDE.AI/",
  "https://xn--gng-5qa.test:8443/",
  "http://localhost:49152/callback",
  "http://127.0.0.1:33418/",
  "http://[::1]:8080/callback",
];

describe(verifies("pages.links", "the one check on every link"), () => {
  test.each(GOOD)("RFC 8252 §7.3: %s may be followed, unchanged", (url) => {
    expect(outsideUrl(url)).toBe(url);
    expect(linkUrl(url)).toBe(url);
  });

  test.each([
    "",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    " https://a.test/",
    "https://a.test/ x",
    "https://a.test/\tx",
    "https:\\\\a.test\\",
    "https:a.test",
    "https://",
    "https://user@a.test/",
    "https://user:pass@a.test/",
    "https://:pass@a.test/",
    "http://a.test/",
    "http://localhost.a.test/",
    "http://127.0.0.1.a.test/",
    "http://localhost@a.test/",
    "http://192.168.0.1/",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://a.test/1",
    "file:///etc/passwd",
    "about:blank",
    "intent://x#Intent;end",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "view-source:https://a.test/",
    "//a.test/",
    "/\\a.test/",
    "/\t/a.test/",
  ])("RFC 9700 §4.11: %j is never followed or linked", (url) => {
    expect(outsideUrl(url)).toBeUndefined();
    expect(linkUrl(url)).toBeUndefined();
  });

  test("a path on this gateway is a link, and no way out", () => {
    expect(linkUrl("/authorize/waiting/1?x=2")).toBe("/authorize/waiting/1?x=2");
    expect(outsideUrl("/authorize/waiting/1?x=2")).toBeUndefined();
  });
});
