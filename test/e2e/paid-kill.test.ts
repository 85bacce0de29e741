// Paid calls over real sockets: a client that resets before Gong has answered, and a gateway that is killed in the
// middle of a call or right after it. Asserted against what the stand-in Gong charged.

import http from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { paidRowsOnDisk } from "../campaign/disk.ts";
import { verifies } from "../conformance/verifies.ts";
import { creditsCharged, toolCalls } from "../gong/ledger-questions.ts";
import { startWorld, type World } from "./gateway.ts";
import { askGong, signIn, type SignedIn } from "./raw-call.ts";
import { ASK } from "./story.ts";

/** A revision of each kind, with each form of answer. */
const KILLS = (["2025-03-26", "2025-11-25", "2026-07-28"] as const).flatMap((revision) =>
  (["json", "sse"] as const).map((answerAs) => [revision, answerAs] as const),
);

let world: World;
let person: SignedIn;

beforeAll(async () => {
  const protocolVersions = ["2025-11-25", "2025-06-18", "2025-03-26"];
  world = await startWorld({ knobs: { toolLatencyMs: 600, era: "both", protocolVersions } });
  person = await signIn(world.mcpUrl);
});
afterAll(() => world.stop());
beforeEach(async () => {
  await until(() => calls().every(({ events }) => events.length > 2));
});

const calls = (): ReturnType<typeof toolCalls> => toolCalls(world.gong.ledger());
const charged = (): number => creditsCharged(world.gong.ledger());

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(condition()).toBe(true);
}

/** Asks, and resets the connection (RST) once Gong is at work: before any byte of the answer. */
async function askAndReset(): Promise<void> {
  const before = calls().length;
  const request = http.request(world.mcpUrl, {
    method: "POST",
    agent: false,
    headers: {
      authorization: `Bearer ${person.accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
  });
  request.on("error", () => undefined);
  request.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: ASK }));
  await until(() => calls().length > before);
  request.socket?.resetAndDestroy();
}

/** Has the connection answer something: its answers wait until all that it wrote before is on disk, its lines in the log don't. */
async function untilOnDisk(): Promise<void> {
  const answer = await fetch(world.mcpUrl, {
    method: "POST",
    headers: {
      authorization: `Bearer ${person.accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 2, method: "resources/read", params: { uri: "gong://none" } }),
  });
  await answer.text();
}

async function ask(): Promise<{ readonly text: string; readonly how: string | undefined }> {
  const response = await askGong(world.mcpUrl, person.accessToken);
  expect(response.status).toBe(200);
  const text = await response.text();
  const note = JSON.parse(text) as { result: { _meta?: Record<string, { how: string }> } };
  return { text, how: note.result._meta?.["gong-mcp-gateway/served"]?.how };
}

describe(verifies("paid.recovered", "paid.crash", "paid.explained", "paid calls, resets and kills"), () => {
  it("gateway: a client resets before the first byte; the call is finished, and asked again it costs nothing", async () => {
    const before = charged();
    await askAndReset();
    await until(() => calls().at(-1)?.events.includes("answered") === true);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const again = await ask();
    expect(again.how).toBe("recovered");
    expect(again.text).toContain("CANARY-");
    expect(charged()).toBe(before + 1);
    expect((await ask()).how).toBeUndefined();
    expect(charged()).toBe(before + 2);
  });

  it("gateway: a client resets and asks again while Gong still works: it joins its own call", async () => {
    const before = charged();
    await askAndReset();
    expect((await ask()).how).toBe("joined");
    expect(charged()).toBe(before + 1);
    // The one that left is still owed its copy.
    expect((await ask()).how).toBe("recovered");
    expect(charged()).toBe(before + 1);
  });

  it("gateway: killed after the result was kept, it still has it for whoever asks again", async () => {
    const before = charged();
    await askAndReset();
    await until(() => calls().at(-1)?.events.includes("answered") === true);
    await until(
      () => world.gateway.logs().filter((line) => line.includes("paid_call.ended")).length >= calls().length,
    );
    await untilOnDisk();
    await world.gateway.kill();
    await world.gateway.restart();
    expect((await ask()).how).toBe("recovered");
    expect(charged()).toBe(before + 1);
  });

  it.each(KILLS)(
    "gateway, %s, Gong answers %s: killed while Gong works, it asks nothing again by itself; each charge has its row",
    async (revision, answerAs) => {
      world.gong.setKnobs({ answerAs, toolsHeld: true });
      const before = charged();
      const asking = () =>
        askGong(world.mcpUrl, person.accessToken, revision).then((response) => response.text());
      const lost = [asking(), asking()].map((answer) => answer.catch(() => "cut off"));
      await until(() => charged() === before + 1);
      await world.gateway.kill();
      world.gong.setKnobs({ toolsHeld: false });
      expect(await Promise.all(lost)).toEqual(["cut off", "cut off"]);
      await world.gateway.restart();
      expect((await askGong(world.mcpUrl, person.accessToken, revision)).status).toBe(200);
      await until(() => calls().at(-1)?.events.includes("answered") === true);
      // The one that was cut off, which may have been charged, and the one that its client asked after that.
      expect(charged()).toBe(before + 2);
      const rows = paidRowsOnDisk(world.gateway.stateDir, person.accessToken);
      expect(rows).toHaveLength(charged());
      expect(rows.at(-2)?.outcome).toBe("unknown");
    },
  );
});
