import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  polledTooEarly,
  readUserCode,
  shownUserCode,
  userCodeOf,
} from "../../../src/oauth/device-authorization.ts";
import { verifies } from "../../conformance/verifies.ts";

const SHARDS = 16;

describe(verifies("device.user_code", "user codes"), () => {
  it("RFC 8628 §6.1: eight consonants, of which the first names the shard, read back from what is shown", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: SHARDS - 1 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (shard, bytes) => {
          const userCode = userCodeOf(shard, () => bytes.next().value);
          expect(userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
          expect(readUserCode(shownUserCode(userCode), SHARDS)).toEqual({ userCode, shard });
        },
      ),
      { seed: 20_261_122, numRuns: 1000 },
    );
  });

  it("RFC 8628 §6.1: bytes of the last partial round are drawn again, so that no letter is more likely", () => {
    const bytes = [255, 240, 239, 0, 20, 40, 1, 2, 3];
    expect(userCodeOf(0, () => bytes.shift() ?? 0)).toBe("BZBBBCDF");
  });

  it.each(["gdjb-mjht", "GDJB MJHT", " gdjbmjht ", "GDJB–MJHT", "g.d.j.b.m.j.h.t"])(
    "RFC 8628 §6.1: %j is the code of GDJB-MJHT",
    (typed) => {
      expect(readUserCode(typed, SHARDS)).toEqual({ userCode: "GDJBMJHT", shard: 4 });
    },
  );

  it.each(["", "GDJB-MJH", "GDJB-MJHTT", "ADJB-MJHT", "GDJB-MJH1", "GDJB_MJHT", "ＧDJB-MJHT", "WDJB-MJHT"])(
    "RFC 8628 §6.1: %j is no code of this gateway",
    (typed) => {
      // The last one is well formed, and names a shard that does not exist.
      expect(readUserCode(typed, SHARDS)).toBeUndefined();
    },
  );
});

describe(verifies("device.poll", "the interval"), () => {
  it.each([
    [undefined, false],
    [90, false],
    [95, false],
    [96, false],
    [97, true],
    [100, true],
  ])("RFC 8628 §3.5: last polled at %s, a poll at 100 with interval 5 is early: %s", (last, early) => {
    expect(polledTooEarly(last, 5, 100)).toBe(early);
  });
});
