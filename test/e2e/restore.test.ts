// A point-in-time restore, as far as files can play one: the database of one object is put back to an earlier copy.
// Nothing that had ended lives again, and spent Gong tokens are not sent again without the state saying so.

import { cpSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { doubleRedemptions } from "../gong/ledger-questions.ts";
import { temporaryFolder } from "../support/leftovers.ts";
import { revoke, SHORT_LIFE } from "./story.ts";
import { startWorld, type World } from "./gateway.ts";
import { signIn, type SignedIn } from "./raw-call.ts";

let world: World;
let kept: SignedIn;
let ended: SignedIn;
let copy: string;

beforeAll(async () => {
  world = await startWorld({ knobs: { expiresInSeconds: 3600 } });
  await world.gateway.restart({ ACCESS_CACHE_SECONDS: SHORT_LIFE.ACCESS_CACHE_SECONDS });
  kept = await signIn(world.mcpUrl);
  ended = await signIn(world.mcpUrl);
  copy = temporaryFolder("copy");
  await world.gateway.kill();
  cpSync(world.gateway.stateDir, copy, { recursive: true });
  await world.gateway.restart();
});

afterAll(() => world.stop());

/** The status of a call that is not paid for: a paid answer may be kept, and asking again would not reach Gong. */
async function statusOf({ accessToken }: SignedIn): Promise<number> {
  const response = await fetch(world.mcpUrl, {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Puts the files of one kind of object back to the copy, as a restore of these objects would. */
async function restore(kind: RegExp): Promise<void> {
  await world.gateway.kill();
  for (const folder of readdirSync(world.gateway.stateDir)) {
    if (!kind.test(folder)) continue;
    rmSync(path.join(world.gateway.stateDir, folder), { recursive: true });
    cpSync(path.join(copy, folder), path.join(world.gateway.stateDir, folder), { recursive: true });
  }
  await world.gateway.restart();
}

describe(verifies("restore.connection", "a restored connection revives nothing that had ended"), () => {
  it("the state folder holds one folder for each kind of object", () => {
    expect(readdirSync(copy).some((folder) => /connection/i.test(folder))).toBe(true);
  });

  it("a grant that was revoked after the copy stays revoked, and the other one works", async () => {
    await revoke(world.gateway, ended.clientId, ended.refreshToken);
    expect(await statusOf(ended)).toBe(401);
    await restore(/connection/i);
    expect(await statusOf(ended)).toBe(401);
    expect(await statusOf(kept)).toBe(200);
  });

  it("RFC 9700 §4.14.2: a Gong refresh token that was spent after the copy is not sent again", async () => {
    world.gong.killTokens({ kind: "access" });
    expect(await statusOf(kept)).toBe(200);
    await restore(/connection/i);
    world.gong.killTokens({ kind: "access" });
    expect(await statusOf(kept)).toBe(401);
    expect(doubleRedemptions(world.gong.ledger())).toEqual([]);
    expect(world.gateway.logs().join("\n")).toContain("connection.restored");
    // One sign-in heals the connection for every agent on it.
    await signIn(world.mcpUrl);
    expect(await statusOf(kept)).toBe(200);
  });
});
