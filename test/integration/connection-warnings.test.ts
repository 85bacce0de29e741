// What an admin reads before a connection needs its person: a sign-in by the real flow, Gong's failures by the
// stand-in, and the clock do the rest.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { act, adminBrowser, adminPage, newestConnection } from "../support/admin.ts";
import { connectionAt, runAlarm } from "../support/connection.ts";
import { askToken, call, connect, TOOLS_LIST } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";

const LIFE = 1800;
const DAY = 86_400;

const AT_RISK = "1 connection could not be refreshed at Gong, and its access is about to end.";
const PERSON_SOON = "1 connection will need its person within a week.";

/** Each test is six hours later than the one before, and its connection the newest. */
let hours = 0;

beforeEach(async () => {
  hours += 6;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * 3_600_000 });
  await gong.reset();
  await gong.knobs({ expiresInSeconds: LIFE });
});

// Each test has the index to itself: a connection that has ended warns of nothing.
afterEach(async () => {
  const admin = await adminBrowser();
  const path = await newestConnection(admin);
  const { status } = await act(admin, new RegExp(`^${path}/end$`), {}, path);
  if (status !== 303) throw new Error(`Ending the connection answered ${status}`);
  vi.useRealTimers();
});

/** Moves our clock and Gong's on by some seconds. */
async function pass(seconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + seconds * 1000);
  const { clockOffsetSeconds } = await gong.knobs();
  await gong.knobs({ clockOffsetSeconds: clockOffsetSeconds + seconds });
}

/** What a fresh admin session reads on the overview, in the list of those due soon, and in /health. */
async function seen(): Promise<{ overview: string; soon: string; connections: Record<string, number> }> {
  const admin = await adminBrowser();
  const health: { connections: Record<string, number> } = await (await admin.open("/health")).json();
  return {
    overview: readText(await adminPage(admin)),
    soon: readText(await adminPage(admin, "/admin/connections?state=soon")),
    connections: health.connections,
  };
}

/** The alarm of the newest connection, at which it refreshes before its access ends. Its access still works. */
async function refreshEarly(accessToken: string): Promise<void> {
  const id = (await newestConnection(await adminBrowser())).split("/").at(-1) ?? "";
  await runAlarm(connectionAt(id));
  expect((await call(accessToken, TOOLS_LIST)).status).toBe(200);
}

const failing = (fault: Parameters<typeof gong.fault>[0]["fault"]): Promise<void> =>
  gong.fault({ endpoint: "token", fault, times: "always" });

describe(verifies("operations.warned", "gateway: a connection whose refreshes fail"), () => {
  it("warns when Gong makes the next try wait past the end of the access, and stops when a refresh works", async () => {
    const { tokens } = await connect();
    expect((await seen()).overview).not.toContain("could not be refreshed");
    await pass(LIFE - 30);
    await failing({ kind: "rate_limited", retryAfter: "120" });
    await refreshEarly(tokens.access_token);
    await expect.poll(async () => (await seen()).overview).toContain(AT_RISK);
    const risky = await seen();
    expect(risky.soon).toContain("Refreshing fails, and its access is about to end.");
    expect(risky.overview).toContain("1 Connected");
    expect(risky.connections).toMatchObject({ connected: 1 });

    await gong.clearFaults();
    // 120 s, and up to a tenth more.
    await pass(133);
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(200);
    await expect.poll(async () => (await seen()).overview).not.toContain("could not be refreshed");
    expect((await seen()).soon).toContain("Nothing matches.");
  });

  it("does not warn while there is time for another try", async () => {
    const { tokens } = await connect();
    await pass(LIFE - 60);
    await failing({ kind: "rate_limited", retryAfter: "10" });
    await refreshEarly(tokens.access_token);
    // The failure itself has arrived in the index: the reason can be searched.
    const admin = await adminBrowser();
    await expect
      .poll(async () => readText(await adminPage(admin, "/admin/connections?q=rate_limited")))
      .toContain("1 matches");
    expect((await seen()).overview).not.toContain("could not be refreshed");
  });

  it("is counted with those that need their person, once Gong says that the grant is dead", async () => {
    const { tokens } = await connect();
    await pass(LIFE);
    await failing({ kind: "oauth_error", error: "invalid_grant" });
    expect((await call(tokens.access_token, TOOLS_LIST)).status).toBe(401);
    await expect.poll(async () => (await seen()).connections).toMatchObject({ needs_reconnect: 1 });
    const dead = await seen();
    expect(dead.connections["connected"]).toBeUndefined();
    expect(dead.overview).toContain("1 connection needs its person to sign in at Gong again.");
    expect(dead.overview).not.toContain("could not be refreshed");
  });
});

describe(verifies("operations.warned", "gateway: a connection that will need its person"), () => {
  it("warns from the first day when Gong gave no refresh token", async () => {
    await gong.fault({ endpoint: "token", fault: { kind: "fields", remove: ["refresh_token"] } });
    await connect();
    await expect.poll(async () => (await seen()).overview).toContain(PERSON_SOON);
    expect((await seen()).connections).toMatchObject({ connected: 1 });
  });

  it("warns a week before the last sign-in with it ends for good, and not before that", async () => {
    await gong.knobs({ expiresInSeconds: 365 * DAY });
    let { clientId, tokens } = await connect();
    for (let round = 0; round < 6; round += 1) {
      await pass(25 * DAY);
      const form = { grant_type: "refresh_token", client_id: clientId, refresh_token: tokens.refresh_token };
      const answer = await askToken(form);
      expect(answer.status).toBe(200);
      tokens = await answer.json();
    }
    expect((await seen()).overview).not.toContain("need its person within");
    await pass(24 * DAY);
    const due = await seen();
    expect(due.overview).toContain(PERSON_SOON);
    expect(due.soon).toContain("1 matches");
    expect(due.connections).toMatchObject({ connected: 1 });
  });
});
