// The stand-in's contract: refresh tokens (R).
import { beforeEach, describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { driver, readJson, type TokenAnswer, TOOLS_LIST } from "./driver.ts";
import { refusedReuses, tokensDelivered, tokensLost } from "./ledger-questions.ts";
import { createStandIn } from "./stand-in.ts";
import { ConnectionDropped } from "./streams.ts";

const gong = createStandIn({ mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" });
const client = driver((request) => gong.fetch(request), gong);

beforeEach(() => gong.reset());

async function refreshed(refreshToken: string): Promise<TokenAnswer> {
  return readJson<TokenAnswer>(await client.refresh(refreshToken));
}

describe(verifies("stand_in.refresh", "refresh"), () => {
  test("R1, R3: rotates; the old one is dead at once, counted, and ends nothing", async () => {
    const first = await client.connect();
    const second = await refreshed(first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(refusedReuses(gong.ledger())).toEqual([]);
    const again = await client.refresh(first.refresh_token);
    expect([again.status, await again.json()]).toEqual([400, { error: "invalid_grant" }]);
    expect(refusedReuses(gong.ledger()).map(({ value }) => value)).toEqual([first.refresh_token]);
    expect((await client.refresh(second.refresh_token)).status).toBe(200);
  });

  test("R2: reuse_revokes_family ends the successor too", async () => {
    gong.setKnobs({ refreshMode: "reuse_revokes_family" });
    const first = await client.connect();
    const second = await refreshed(first.refresh_token);
    await client.refresh(first.refresh_token);
    expect((await client.refresh(second.refresh_token)).status).toBe(400);
    expect((await client.post(TOOLS_LIST, second.access_token)).status).toBe(401);
  });

  test("R2: grace lets a spent one work for a while", async () => {
    gong.setKnobs({ refreshMode: "grace", graceSeconds: 30 });
    const { refresh_token } = await client.connect();
    await client.refresh(refresh_token);
    gong.setKnobs({ clockOffsetSeconds: 29 });
    expect((await client.refresh(refresh_token)).status).toBe(200);
    gong.setKnobs({ clockOffsetSeconds: 31 });
    expect((await client.refresh(refresh_token)).status).toBe(400);
  });

  test.each([
    ["not_rotating", true],
    ["omitted", false],
  ] as const)("R2: %s keeps the old one", async (refreshMode, isInReply) => {
    gong.setKnobs({ refreshMode });
    const { refresh_token } = await client.connect();
    expect(await refreshed(refresh_token)).toHaveProperty("access_token");
    expect((await refreshed(refresh_token)).refresh_token).toBe(isInReply ? refresh_token : undefined);
  });

  test("R2: old_valid_until_new_used", async () => {
    gong.setKnobs({ refreshMode: "old_valid_until_new_used" });
    const { refresh_token: old } = await client.connect();
    await refreshed(old);
    const { refresh_token: fresh } = await refreshed(old);
    expect((await client.refresh(fresh)).status).toBe(200);
    expect((await client.refresh(old)).status).toBe(400);
  });

  test("R4: a lost reply has spent the token, and the ledger knows that nothing arrived", async () => {
    const { refresh_token } = await client.connect();
    gong.fault({ endpoint: "token", fault: { kind: "accept_then_drop" } });
    await expect(client.refresh(refresh_token)).rejects.toThrow(ConnectionDropped);
    expect((await client.refresh(refresh_token)).status).toBe(400);
    expect(tokensDelivered(gong.ledger()).map(({ via }) => via)).toEqual(["authorization_code"]);
    expect(tokensLost(gong.ledger()).map(({ via }) => via)).toEqual(["refresh_token"]);
  });

  test("R5: with a slow token endpoint 20 parallel refreshes overlap, and one wins", async () => {
    const { refresh_token } = await client.connect();
    gong.setKnobs({ tokenDelayMs: 50 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(refresh_token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(refusedReuses(gong.ledger())).toHaveLength(19);
  });

  test.each([
    ["lives", 200],
    ["dies", 401],
  ] as const)("R6: after a refresh the old access token %s", async (accessAfterRefresh, status) => {
    gong.setKnobs({ accessAfterRefresh });
    const first = await client.connect();
    const second = await refreshed(first.refresh_token);
    expect((await client.post(TOOLS_LIST, first.access_token)).status).toBe(status);
    expect((await client.post(TOOLS_LIST, second.access_token)).status).toBe(200);
  });

  test.each([
    ["both_live", 200],
    ["first_dies", 400],
  ] as const)("R7: a person authorizes twice: %s", async (secondAuthorization, status) => {
    gong.setKnobs({ secondAuthorization });
    const first = await client.connect();
    const second = await client.connect();
    expect((await client.refresh(first.refresh_token)).status).toBe(status);
    expect((await client.refresh(second.refresh_token)).status).toBe(200);
  });
});
