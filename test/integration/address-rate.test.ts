// How often one address may register or take a step of a sign-in, with the platform's own limiter as it runs locally:
// so many in each minute of the clock, so that a test that crosses into the next minute may see up to twice as many.

import { describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { registerDevice } from "../support/device.ts";
import { recordLogs, rowsOf } from "../support/evidence.ts";
import { ask, CLIENT_REDIRECT, ORIGIN } from "../support/flow.ts";
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

/** As wrangler.toml says. */
const STEP_LIMIT = 60;

/** A limiter that lets each key through `times` times and knows no minutes, so that no test depends on the clock. */
function limiterOf(times: number): RateLimit {
  const counts = new Map<string, number>();
  return {
    limit: ({ key }) => {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return Promise.resolve({ success: count <= times });
    },
  };
}

type Step = (gateway: typeof ask, headers: Record<string, string>) => Promise<Response>;

const post =
  (path: string, fields: Record<string, string> = {}): Step =>
  (gateway, headers) =>
    gateway(path, {
      method: "POST",
      headers: { origin: ORIGIN, ...headers },
      body: new URLSearchParams(fields),
    });

const openAuthorize: Step = (gateway, headers) => gateway("/authorize?client_id=nobody", { headers });

const from = (address: string): Record<string, string> => ({ "cf-connecting-ip": address });

/** Each step that is counted, as a stranger can send it, and what it answers when it may be taken. */
const STEPS: readonly (readonly [name: string, step: Step, status: number])[] = [
  ["GET /authorize", openAuthorize, 400],
  ["POST /authorize", post("/authorize", { request: "made up", decision: "approve" }), 403],
  ["POST /device", post("/device", { user_code: "BBBB-BBBB" }), 400],
  ["POST /account/sign-in", post("/account/sign-in"), 200],
  ["an act on /account", post("/account/keys/made-up/revoke", { csrf: "made up" }), 401],
  ["POST /admin/sign-in", post("/admin/sign-in", { token: "made up" }), 401],
];

describe(verifies("address.rate", "many steps from one address"), () => {
  it.each(STEPS)(
    "RFC 6585 §4: %s over the limit gets a page with 429 and one line in the log; others go on",
    async (_, step, status) => {
      const gateway = gatewayWith({}, { STEP_RATE: limiterOf(2) });
      for (let n = 0; n < 2; n += 1) expect((await step(gateway, from("198.51.100.1"))).status).toBe(status);
      const logged = recordLogs();
      const refusal = await step(gateway, from("198.51.100.1"));
      vi.restoreAllMocks();
      const refusals = logged.filter((line) => line.includes('"page.refused"'));
      expect(refusals).toHaveLength(1);
      expect(refusals[0]).toContain('"code":"temporarily_unavailable","reason":');
      expect(refusal.status).toBe(429);
      expect(refusal.headers.get("retry-after")).toBe("60");
      expect(refusal.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(await refusal.text()).toContain("They came from your network within a minute");
      expect((await step(gateway, from("198.51.100.2"))).status).toBe(status);
      expect((await step(gateway, {})).status).toBe(status);
    },
  );

  it("RFC 8628 §3.2: POST /device_authorization gets OAuth's error as JSON, and stores no more devices", async () => {
    const { client_id: clientId } = await registerDevice();
    const gateway = gatewayWith({}, { STEP_RATE: limiterOf(2) });
    const step = post("/device_authorization", { client_id: clientId });
    for (let n = 0; n < 2; n += 1) expect((await step(gateway, from("203.0.113.77"))).status).toBe(200);
    const refusal = await step(gateway, from("203.0.113.77"));
    expect(refusal.headers.get("retry-after")).toBe("60");
    await expectOAuthError(refusal, "temporarily_unavailable", 429);
    expect(await rowsOf("REGISTRY", "device_authorizations")).toHaveLength(2);
  });

  it("gateway: each step is counted by itself, so that a flood of one leaves the others", async () => {
    const gateway = gatewayWith({}, { STEP_RATE: limiterOf(1) });
    for (const [, step, status] of STEPS.filter(([name]) => name !== "an act on /account")) {
      expect((await step(gateway, from("198.51.100.3"))).status).toBe(status);
    }
  });

  it("RFC 4291 §2.5.4: a whole IPv6 /64 is one address", async () => {
    const gateway = gatewayWith({}, { STEP_RATE: limiterOf(2) });
    for (let n = 1; n <= 2; n += 1) await openAuthorize(gateway, from(`2001:db8:7:7::${n}`));
    expect((await openAuthorize(gateway, from("2001:db8:7:7:ffff::1"))).status).toBe(429);
    expect((await openAuthorize(gateway, from("2001:db8:7:8::1"))).status).toBe(400);
  });

  it("gateway: the platform's limiter is bound, and lets 60 through in a minute", async () => {
    const statuses: number[] = [];
    for (let n = 0; n <= 2 * STEP_LIMIT && !statuses.includes(429); n += 1) {
      statuses.push((await openAuthorize(ask, from("198.51.100.4"))).status);
    }
    expect(statuses.length).toBeGreaterThan(STEP_LIMIT);
    expect(statuses.at(-1)).toBe(429);
  });

  it("gateway: while the limiter fails, people go on, and guesses of device codes still have to wait", async () => {
    const failing = { limit: () => Promise.reject(new Error("unreachable")) };
    const gateway = gatewayWith({}, { STEP_RATE: failing });
    const warnings = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const guess = post("/device", { user_code: "BBBB-BBBB" });
    for (let n = 0; n < 5; n += 1) expect((await guess(gateway, from("203.0.113.78"))).status).toBe(400);
    expect((await guess(gateway, from("203.0.113.78"))).status).toBe(429);
    expect((await openAuthorize(gateway, from("203.0.113.78"))).status).toBe(400);
    const lines = warnings.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => line === '{"event":"rate_limit.failed","error":"Error"}')).toHaveLength(7);
    vi.restoreAllMocks();
  });
});
