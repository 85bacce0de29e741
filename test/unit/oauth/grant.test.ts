// Subject: src/oauth/grant.ts. RFC 6749 §4.1.2, §4.1.3 and §6, RFC 7636 §4.6, RFC 9700 §4.14.2.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import {
  decideRedemption,
  decideRotation,
  REPLAY_WINDOW_SECONDS,
  type CodeRecord,
  type PresentedRefreshToken,
  type RotationRecord,
} from "../../../src/oauth/grant.ts";
import { SEED } from "./refusal.ts";

const NOW = 1_700_000_000;

describe(verifies("token.code_redemption", "redeeming a code"), () => {
  const CODE: CodeRecord = {
    clientId: "client-1",
    redirectUri: "https://client.test/cb",
    codeChallenge: "challenge-1",
    resource: "https://gateway.test/mcp",
    expiresAt: NOW + 60,
    redeemedAt: undefined,
    grantRevoked: false,
  };
  const PRESENTED = {
    clientId: "client-1",
    redirectUri: "https://client.test/cb",
    codeChallenge: "challenge-1",
    resource: "https://gateway.test/mcp",
  };
  const refuse = (reason: string) => ({ kind: "refuse", reason });

  it("RFC 6749 §4.1.3: the right client with the right verifier redeems it", () => {
    expect(decideRedemption(CODE, PRESENTED, NOW)).toEqual({ kind: "redeem" });
  });

  it("OAuth 2.1 §4.1.3, RFC 8707 §2.2: redirect URI and resource may be left out", () => {
    const presented = { ...PRESENTED, redirectUri: undefined, resource: undefined };
    expect(decideRedemption(CODE, presented, NOW)).toEqual({ kind: "redeem" });
  });

  it.each([
    [59, { kind: "redeem" }],
    [60, refuse("code_expired")],
    [61, refuse("code_expired")],
  ])("RFC 6749 §4.1.2: %i seconds into a life of 60", (seconds, decision) => {
    expect(decideRedemption(CODE, PRESENTED, NOW + seconds)).toEqual(decision);
  });

  it("RFC 6749 §5.2: a code we do not know is refused", () => {
    expect(decideRedemption(undefined, PRESENTED, NOW)).toEqual(refuse("unknown_code"));
  });

  it.each([
    [{ clientId: "client-2" }, "wrong_client"],
    [{ codeChallenge: "challenge-2" }, "wrong_verifier"],
    [{ codeChallenge: "" }, "wrong_verifier"],
    [{ redirectUri: "https://client.test/cb/" }, "wrong_redirect_uri"],
    [{ resource: "https://gateway.test/shared/mcp" }, "wrong_resource"],
  ])(
    "RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 8707 §2.2: %j is refused and spends nothing",
    (difference, reason) => {
      expect(decideRedemption(CODE, { ...PRESENTED, ...difference }, NOW)).toEqual(refuse(reason));
    },
  );

  it("RFC 7009 §2: the code of a revoked grant is refused", () => {
    expect(decideRedemption({ ...CODE, grantRevoked: true }, PRESENTED, NOW)).toEqual(
      refuse("grant_revoked"),
    );
  });

  describe("a second time", () => {
    const redeemed = { ...CODE, redeemedAt: NOW };

    it.each([-300, 0, 1, 60])("%i s after the first use it is refused, and the grant lives", (seconds) => {
      expect(decideRedemption(redeemed, PRESENTED, NOW + seconds)).toEqual(refuse("already_redeemed"));
    });

    it.each([61, 600, 86_400])(
      "RFC 6749 §4.1.2: %i s after the first use the grant is revoked",
      (seconds) => {
        const decision = decideRedemption(redeemed, PRESENTED, NOW + seconds);
        expect(decision).toEqual({ kind: "revoke", reason: "code_replayed" });
      },
    );

    it("another redirect URI or resource does not hide a late replay", () => {
      const presented = { ...PRESENTED, redirectUri: "https://evil.test", resource: "https://evil.test" };
      expect(decideRedemption(redeemed, presented, NOW + 61)).toEqual({
        kind: "revoke",
        reason: "code_replayed",
      });
    });

    it.each([
      [{ clientId: "client-2" }, "wrong_client"],
      [{ codeChallenge: "challenge-2" }, "wrong_verifier"],
    ])("RFC 9700 §4.5: %j can't revoke the grant of the rightful client", (difference, reason) => {
      expect(decideRedemption(redeemed, { ...PRESENTED, ...difference }, NOW + 61)).toEqual(refuse(reason));
    });
  });
});

describe(verifies("token.rotation", "presenting a refresh token"), () => {
  const GRANT: RotationRecord = {
    clientId: "client-1",
    generation: 3,
    rotatedAt: NOW,
    successorUsed: true,
    refreshExpiresAt: NOW + 1_000_000,
    expiresAt: NOW + 2_000_000,
    revoked: false,
  };
  const CURRENT = { clientId: "client-1", generation: 3, secretMatches: "current" } as const;
  const PREVIOUS = { clientId: "client-1", generation: 2, secretMatches: "previous" } as const;
  const OLDER = { clientId: "client-1", generation: 1, secretMatches: "neither" } as const;
  const REVOKE = { kind: "revoke", reason: "refresh_token_reused" };
  const refuse = (reason: string) => ({ kind: "refuse", reason });

  it("the window is 60 seconds", () => {
    expect(REPLAY_WINDOW_SECONDS).toBe(60);
  });

  it("RFC 6749 §6: the newest one rotates, at any time", () => {
    expect(decideRotation(GRANT, CURRENT, NOW)).toEqual({ kind: "rotate" });
    expect(decideRotation({ ...GRANT, rotatedAt: undefined }, CURRENT, NOW + 999_999)).toEqual({
      kind: "rotate",
    });
  });

  it.each([-300, 0, 30, 60])(
    "RFC 9700 §4.14.2: its predecessor, %i s after the rotation, gets the same answer",
    (seconds) => {
      expect(decideRotation(GRANT, PREVIOUS, NOW + seconds)).toEqual({ kind: "replay" });
    },
  );

  it.each([61, 70, 86_400])(
    "RFC 9700 §4.14.2: its predecessor, %i s after the rotation, is reuse",
    (seconds) => {
      expect(decideRotation(GRANT, PREVIOUS, NOW + seconds)).toEqual(REVOKE);
    },
  );

  it.each([61, 86_400, 999_999])(
    "its predecessor, %i s on, gets the same answer while nothing of it was used",
    (seconds) => {
      const lost = { ...GRANT, successorUsed: false };
      expect(decideRotation(lost, PREVIOUS, NOW + seconds)).toEqual({ kind: "replay" });
    },
  );

  it.each([0, 61])(
    "RFC 9700 §4.14.2: an older one is reuse, %i s after the rotation and whatever was used",
    (seconds) => {
      for (const successorUsed of [true, false]) {
        expect(decideRotation({ ...GRANT, successorUsed }, OLDER, NOW + seconds)).toEqual(REVOKE);
      }
    },
  );

  it.each([CURRENT, PREVIOUS, OLDER])(
    "RFC 6749 §6: generation $generation from another client changes nothing",
    (token) => {
      const stranger = { ...token, clientId: "client-2" };
      expect(decideRotation(GRANT, stranger, NOW + 61)).toEqual(refuse("wrong_client"));
    },
  );

  it.each([CURRENT, PREVIOUS, OLDER])("generation $generation of a revoked grant is refused", (token) => {
    expect(decideRotation({ ...GRANT, revoked: true }, token, NOW)).toEqual(refuse("grant_revoked"));
  });

  it.each([
    { ...CURRENT, generation: 4 },
    { ...CURRENT, generation: 4, secretMatches: "neither" as const },
    { ...CURRENT, secretMatches: "neither" as const },
    { ...CURRENT, secretMatches: "previous" as const },
    { ...PREVIOUS, secretMatches: "neither" as const },
    { ...PREVIOUS, secretMatches: "current" as const },
  ])(
    "generation $generation that matches $secretMatches was never issued: refused, nothing changes",
    (token) => {
      expect(decideRotation(GRANT, token, NOW + 61)).toEqual(refuse("unknown_token"));
    },
  );

  it.each([
    [{ refreshExpiresAt: NOW }, "refresh_expired"],
    [{ expiresAt: NOW }, "grant_expired"],
  ])("RFC 9700 §4.14.2: after its end (%j) every token is refused", (end, reason) => {
    for (const token of [CURRENT, PREVIOUS, OLDER]) {
      expect(decideRotation({ ...GRANT, ...end }, token, NOW - 1)).not.toEqual(refuse(reason));
      expect(decideRotation({ ...GRANT, ...end }, token, NOW)).toEqual(refuse(reason));
    }
  });

  it("a family used daily still ends at its absolute end", () => {
    const day = 86_400;
    const expiresAt = NOW + 10 * day;
    const kinds = Array.from({ length: 12 }, (_, days) => {
      const now = NOW + days * day;
      const grant = { ...GRANT, rotatedAt: now - day, refreshExpiresAt: now + 5 * day, expiresAt };
      return decideRotation(grant, CURRENT, now).kind;
    });
    expect(kinds).toEqual([...Array(10).fill("rotate"), "refuse", "refuse"]);
  });

  it("a stranger never changes anything, and no spent token ever rotates", () => {
    const token = fc.record({
      clientId: fc.constantFrom("client-1", "client-2"),
      generation: fc.integer({ min: 0, max: 5 }),
      secretMatches: fc.constantFrom("current" as const, "previous" as const, "neither" as const),
    });
    const circumstances = fc.record({ successorUsed: fc.boolean(), revoked: fc.boolean() });
    fc.assert(
      fc.property(token, circumstances, fc.nat(2_100_000), (presented, differences, elapsed) => {
        const { kind } = decideRotation({ ...GRANT, ...differences }, presented, NOW + elapsed);
        const ended = differences.revoked || elapsed >= 1_000_000;
        const allowed = [
          "refuse",
          ...(presented.clientId === GRANT.clientId && !ended ? ["revoke"] : []),
          ...(isSame(presented, CURRENT) && !ended ? ["rotate"] : []),
          ...(isSame(presented, PREVIOUS) && !ended ? ["replay"] : []),
        ];
        expect(allowed).toContain(kind);
      }),
      { seed: SEED, numRuns: 5_000 },
    );
  });
});

function isSame(one: PresentedRefreshToken, other: PresentedRefreshToken): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
