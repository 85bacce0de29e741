// The settings of Cloudflare Access: both or none, in Cloudflare's own forms.

import { describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { parseSettings } from "../../src/config.ts";
import { ACCESS, GOOD, problemsOf } from "./settings.ts";

const together = "ACCESS_TEAM_DOMAIN and ACCESS_AUD must be set together";

describe(verifies("access.settings", "the settings of Cloudflare Access"), () => {
  it("gateway: only A to Z are folded in an admin's address, so that no other letter stands for one of them", () => {
    const on = parseSettings({ ...GOOD, ...ACCESS, ADMIN_EMAILS: "\u212Aim@example.com" });
    expect([...(on.access?.adminEmails ?? [])]).toEqual(["\u212Aim@example.com"]);
  });

  it("gateway: team and audience turn it on; the host name may come with its scheme", () => {
    const on = parseSettings({ ...GOOD, ...ACCESS, ADMIN_EMAILS: "Ada@Example.com, grace@example.com" });
    expect(on.access).toEqual({
      issuer: "https://team.cloudflareaccess.com",
      audiences: [ACCESS.ACCESS_AUD],
      adminEmails: new Set(["ada@example.com", "grace@example.com"]),
    });
    const given = { ...GOOD, ...ACCESS, ACCESS_TEAM_DOMAIN: "https://team.cloudflareaccess.com/" };
    expect(parseSettings(given).access?.issuer).toBe("https://team.cloudflareaccess.com");
    expect(parseSettings(GOOD).access).toBeUndefined();
  });

  it("gateway: two applications, one for people and one for admins, have two audiences", () => {
    const other = "b".repeat(64);
    const { access } = parseSettings({ ...GOOD, ...ACCESS, ACCESS_AUD: `${ACCESS.ACCESS_AUD}, ${other}` });
    expect(access?.audiences).toEqual([ACCESS.ACCESS_AUD, other]);
  });

  const REFUSED: ReadonlyArray<readonly [changes: Record<string, string | undefined>, problem: string]> = [
    [{ ACCESS_AUD: undefined }, together],
    [{ ACCESS_TEAM_DOMAIN: undefined }, together],
    [
      { ACCESS_TEAM_DOMAIN: undefined, ACCESS_AUD: undefined, ADMIN_EMAILS: "a@x.test" },
      "ADMIN_EMAILS needs ACCESS_TEAM_DOMAIN and ACCESS_AUD",
    ],
    ...[
      "a b",
      "team/x",
      "https://team.test/path",
      "http://team.test",
      "https://u@team.test",
      "team.test?x",
    ].map(
      (domain) =>
        [
          { ACCESS_TEAM_DOMAIN: domain },
          "ACCESS_TEAM_DOMAIN must be a host name such as team.cloudflareaccess.com",
        ] as const,
    ),
    ...["x", "A".repeat(64), "a".repeat(63), `${"a".repeat(64)},x`].map(
      (audience) =>
        [
          { ACCESS_AUD: audience },
          "ACCESS_AUD must be the 64 hexadecimal characters that Cloudflare shows as AUD tag",
        ] as const,
    ),
    ...["ada", "@x.test", "ada@", "a@b@c", "*@x.test\u0000 x"].map(
      (emails) =>
        [
          { ADMIN_EMAILS: emails },
          "ADMIN_EMAILS must be e-mail addresses, separated by commas or spaces",
        ] as const,
    ),
  ];

  it.each(REFUSED)("OWASP ASVS 13.1.1: %j is refused", (changes, problem) => {
    expect(problemsOf({ ...ACCESS, ...changes })).toEqual([problem]);
  });

  it("gateway: shared access can be approved by admins who sign in through Access, when there are any", () => {
    const shared = { ...ACCESS, GONG_ACCESS: "shared" };
    expect(problemsOf({ ...shared, ADMIN_EMAILS: "ada@example.com" })).toEqual([]);
    expect(problemsOf(shared)).toHaveLength(1);
  });
});
