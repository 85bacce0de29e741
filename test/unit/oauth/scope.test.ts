// Subject: src/oauth/scope.ts. RFC 6749 §3.3 and §6.
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { formatScope, narrowScope, resolveScope, SCOPES } from "../../../src/oauth/scope.ts";
import { expectRefused } from "./refusal.ts";

const [ASK, BRIEFER, ASSISTANT] = SCOPES;

describe(verifies("scope.subset", "the scope of an authorization request"), () => {
  it.each([undefined, "", " ", " \t ", "offline_access", " offline_access "])(
    "RFC 6749 §3.3: %j names none, so it is all three",
    (requested) => expect(resolveScope(requested)).toEqual(SCOPES),
  );

  it.each([
    [ASK, [ASK]],
    [` ${ASK}`, [ASK]],
    [`${ASK}  ${BRIEFER}`, [ASK, BRIEFER]],
    [`${ASSISTANT}\t${ASK}\n`, [ASK, ASSISTANT]],
    [`${ASK} ${ASK}`, [ASK]],
    [`${BRIEFER} offline_access`, [BRIEFER]],
  ])("RFC 6749 §3.3: %j asks for %j", (requested, expected) => {
    expect(resolveScope(requested)).toEqual(expected);
  });

  it.each([
    "bogus",
    `${ASK} bogus`,
    "mcp:ai-ask:write",
    "MCP:AI-ASK:READ",
    `${ASK},${BRIEFER}`,
    "*",
    "openid",
    "__proto__",
  ])("RFC 6749 §3.3: %j is refused", (requested) =>
    expectRefused(() => resolveScope(requested), "invalid_scope"),
  );
});

describe(verifies("scope.subset", "the scope of a refresh"), () => {
  it.each([undefined, " ", "offline_access"])("RFC 6749 §6: %j keeps what was granted", (requested) => {
    expect(narrowScope([ASK, BRIEFER], requested)).toEqual([ASK, BRIEFER]);
  });

  it("RFC 6749 §6: a part of what was granted is given", () => {
    expect(narrowScope([ASK, BRIEFER], BRIEFER)).toEqual([BRIEFER]);
  });

  it.each([ASSISTANT, `${ASK} ${ASSISTANT}`, "bogus"])(
    "RFC 6749 §6: %j, which was not granted, is refused",
    (requested) => expectRefused(() => narrowScope([ASK, BRIEFER], requested), "invalid_scope"),
  );

  it("a granted scope that no longer exists is left out, and can't be asked for", () => {
    expect(narrowScope([ASK, "mcp:gone:read"], undefined)).toEqual([ASK]);
    expectRefused(() => narrowScope([ASK, "mcp:gone:read"], "mcp:gone:read"), "invalid_scope");
  });
});

describe(verifies("scope.subset", "writing scopes"), () => {
  it("RFC 6749 §3.3: scopes are written with single spaces", () => {
    expect(formatScope(SCOPES)).toBe("mcp:ai-ask:read mcp:ai-briefer:read mcp:ai-assistant:read");
  });
});
