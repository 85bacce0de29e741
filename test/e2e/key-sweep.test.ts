// The key sweep over more connections than one part takes, each signed in by the real flow, with the gateway killed in
// the middle of a part and between two: nothing is lost, and the counts are right.

import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTheatre, type Stage, type Theatre } from "../campaign/stage.ts";
import { callGong, signIn, type Tokens } from "../campaign/story.ts";
import { verifies } from "../conformance/verifies.ts";
import { createPerson, type Page } from "../support/person.ts";
import { buildWorker } from "../support/workerd.ts";

const OLD_KEY = "k1:SHzxbxWiepx3ED9375enhpKmnG0pRUXkvmeDUn0wEBg";
const NEW_KEY = `k2:${randomBytes(32).toString("base64url")}`;
const ADMIN_TOKEN = randomBytes(24).toString("base64url");

const CONNECTIONS = 510;
const PART = 500;
const AT_ONCE = 15;

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre(await buildWorker());
});
afterAll(() => theatre.close());

/** `ask` for each of `number`, some at a time. */
async function each<T>(number: number, ask: (at: number) => Promise<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let at = 0; at < number; at += AT_ONCE) {
    const length = Math.min(AT_ONCE, number - at);
    all.push(...(await Promise.all(Array.from({ length }, async (_, index) => ask(at + index)))));
  }
  return all;
}

/** How many of Gong's tokens each key seals, on the disk of a gateway that does not run. */
function sealedOnDisk({ gateway }: Stage): Readonly<Record<string, number>> {
  const folder = path.join(gateway.stateDir, "gateway-ConnectionObject");
  const kids: Record<string, number> = {};
  for (const name of readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file))) {
    const database = new DatabaseSync(path.join(folder, name));
    try {
      const row = database
        .prepare(
          "SELECT gong_access_token_sealed AS access, gong_refresh_token_sealed AS refresh FROM connection",
        )
        .get();
      for (const sealed of [row?.["access"], row?.["refresh"]]) {
        const kid = kidOf(String(sealed));
        kids[kid] = (kids[kid] ?? 0) + 1;
      }
    } finally {
      database.close();
    }
  }
  return kids;
}

/** RFC 7516 §3.1: the header comes first. */
function kidOf(sealed: string): string {
  const header = JSON.parse(Buffer.from(sealed.split(".")[0] ?? "", "base64url").toString()) as {
    kid: string;
  };
  return header.kid;
}

describe(
  verifies("keys.sweep_in_parts", "keys.rotation", "a sweep over more connections than one part takes"),
  () => {
    it(
      `NIST SP 800-57 part 1 §5.3: ${CONNECTIONS} connections move to the new key, killed while it runs and between two parts`,
      { timeout: 240_000 },
      async () => {
        await theatre.play({ knobs: {}, settings: { ADMIN_TOKEN } }, async (stage) => {
          const agents: readonly Tokens[] = await each(CONNECTIONS, async () =>
            signIn(stage, stage.newPerson()),
          );
          await stage.gateway.restart({ SEALING_KEYS: `${NEW_KEY},${OLD_KEY}` });
          const admin = createPerson();
          await admin.press(await admin.open(`${stage.origin}/admin`), "Sign in", { token: ADMIN_TOKEN });
          const sweep = async (): Promise<Page> =>
            admin.press(await admin.open(`${stage.origin}/admin/sealing-keys`), "Check the sealing keys");

          // Killed while it is at work: whatever it has done is done, and nothing else has changed.
          const cut = sweep().catch(() => undefined);
          await new Promise((resolve) => setTimeout(resolve, 120));
          await stage.kill();
          await cut;
          const before = sealedOnDisk(stage);
          expect((before["k1"] ?? 0) + (before["k2"] ?? 0)).toBe(2 * CONNECTIONS);
          await stage.restart();

          const first = await sweep();
          expect(first.text).toContain(`${PART} looked at`);
          expect(first.text).toContain(`About ${CONNECTIONS - PART} connections were not looked at yet`);
          await stage.kill();
          await stage.restart();
          const last = await admin.press(first, "Go on");
          expect(last.text).toContain(`${CONNECTIONS} looked at`);
          expect(last.text).toContain(`Key k1 0 connections, ${CONNECTIONS} refresh tokens`);
          expect(last.text).toContain(`Key k2 ${CONNECTIONS} connections, 0 refresh tokens`);
          expect(last.text).not.toContain("Unreadable");

          const answers = await each(CONNECTIONS, async (at) => callGong(stage, agents[at]?.access ?? ""));
          expect(answers.filter((answer) => answer?.status !== 200)).toEqual([]);
          await stage.kill();
          expect(sealedOnDisk(stage)).toEqual({ k2: 2 * CONNECTIONS });
          await stage.restart();
        });
        expect(theatre.broken()).toEqual([]);
      },
    );
  },
);
