// How fast one address may register clients, with the platform's own limiter as it runs locally: at most 30 in each
// minute of the clock, so that a test that crosses into the next minute may see up to twice as many.

import { describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { rowsOf } from "../support/evidence.ts";
import { ask, CLIENT_REDIRECT } from "../support/flow.ts";
import { expectOAuthError } from "../support/refusals.ts";
import { gatewayWith } from "../support/settings.ts";

const LIMIT = 30;

function registerFrom(address: string | undefined, gateway: typeof ask = ask): Promise<Response> {
  return gateway("/register", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      origin: "https://page.example",
      ...(address === undefined ? {} : { "cf-connecting-ip": address }),
    },
    body: JSON.stringify({ redirect_uris: [CLIENT_REDIRECT], token_endpoint_auth_method: "none" }),
  });
}

/** Registers from `address` until it is refused; returns how many were let in, and the refusal. */
async function registerUntilRefused(
  address: (round: number) => string,
): Promise<{ readonly registered: number; readonly refusal: Response }> {
  for (let round = 0; round <= 2 * LIMIT; round += 1) {
    const answer = await registerFrom(address(round));
    if (answer.status !== 201) return { registered: round, refusal: answer };
    await answer.body?.cancel();
  }
  throw new Error("It was never refused");
}

describe(verifies("registration.rate", "many registrations from one address"), () => {
  it("RFC 6585 §4: after 30 in a minute it gets 429 and when to come back; nothing more is stored; others go on", async () => {
    const { registered, refusal } = await registerUntilRefused(() => "192.0.2.1");
    expect(registered).toBeGreaterThanOrEqual(LIMIT);
    expect(refusal.headers.get("retry-after")).toBe("60");
    expect(refusal.headers.get("access-control-allow-origin")).toBe("*");
    await expectOAuthError(refusal, "temporarily_unavailable", 429);
    const stored = (await rowsOf("REGISTRY", "clients")).length;
    expect(stored).toBe(registered);

    expect((await registerFrom("192.0.2.2")).status).toBe(201);
    expect(await rowsOf("REGISTRY", "clients")).toHaveLength(stored + 1);
  });

  it("RFC 4291 §2.5.4: another address of the same IPv6 /64 is the same customer, one of the next /64 is not", async () => {
    const { registered } = await registerUntilRefused((round) => `2001:db8:0:1::${(round + 1).toString(16)}`);
    expect(registered).toBeGreaterThanOrEqual(LIMIT);
    expect((await registerFrom("2001:db8:0:2::1")).status).toBe(201);
  });

  it("gateway: what did not come through Cloudflare has no address and is not counted", async () => {
    for (let round = 0; round <= 2 * LIMIT; round += 1) {
      expect((await registerFrom(undefined)).status).toBe(201);
    }
  });

  it("gateway: while the limiter fails, registration goes on under the quota for all", async () => {
    const failing = { limit: () => Promise.reject(new Error("unreachable")) };
    const gateway = gatewayWith({ REGISTRATION_LIMIT: "1" }, { REGISTRATION_RATE: failing });
    const statuses = new Set<number>();
    for (let round = 0; round < 40; round += 1)
      statuses.add((await registerFrom("192.0.2.9", gateway)).status);
    expect(statuses).not.toContain(429);
    expect(statuses).not.toContain(500);
    expect(statuses).toContain(503);
  });
});
