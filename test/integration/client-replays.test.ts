/// <reference types="vite/types/importMeta.d.ts" />
// Every client of test/conformance/clients, from its first request to Gong's answer, as it was recorded or as its
// makers and users describe it.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { CLIENT_SITES } from "../conformance/clients/documents.ts";
import { asRecording, TOLERANCES } from "../conformance/clients/tolerances.ts";
import type { Recording } from "../conformance/clients/recording.ts";
import { newSigner, type Signer } from "../support/assertions.ts";
import { clientSites } from "../support/client-site.ts";
import { askToken } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { expectOAuthError } from "../support/refusals.ts";
import { replay } from "../support/replay.ts";

const files = import.meta.glob<Recording>("../conformance/clients/*.json", {
  eager: true,
  import: "default",
});
const recordings = Object.values(files);

let chatGptKey: Signer;

beforeAll(async () => {
  chatGptKey = await newSigner("RS256");
});
beforeEach(async () => {
  await gong.reset();
  await clientSites.reset();
  for (const [url, { status, document }] of Object.entries(CLIENT_SITES)) {
    const headers = { "content-type": "application/json" };
    await clientSites.answer(url, { status, headers, body: JSON.stringify(document) });
  }
  await clientSites.serve("https://chatgpt.com/oauth/jwks.json", { keys: [chatGptKey.publicJwk] });
});

/** Names of clients that the front page or the specification of this gateway promises to let in. */
const PROMISED = [
  "AI SDK",
  "ChatGPT",
  "Claude Code",
  "Claude, web",
  "Codex",
  "Copilot Studio",
  "Cursor",
  "FastMCP",
  "Gemini CLI",
  "LibreChat",
  "MCP Inspector",
  "OpenCode",
  "Python SDK",
  "VS Code",
  "mcp-remote",
  "mcporter",
  "n8n",
];

describe(verifies("quirks.recordings", "recorded clients"), () => {
  it.each(PROMISED)("gateway: there is a recording of %s", (name) => {
    expect(recordings.some(({ client }) => client.startsWith(name))).toBe(true);
  });

  it.each(recordings.map((recording) => [`${recording.client} (${recording.evidence})`, recording] as const))(
    "MCP authorization: %s, from its first request to Gong's answer",
    async (_, recording) => {
      const signer = JSON.stringify(recording).includes("{assertion}") ? chatGptKey : undefined;
      const { lastAnswer } = await replay(recording, signer);
      expect(lastAnswer).toContain("CANARY-ada");
      expect(recording.habits).not.toEqual([]);
    },
  );

  it("RFC 6749 §10.4: mcporter registers anew and presents its old refresh token: refused, and the first client lives", async () => {
    const mcporter = recordings.find(({ client }) => client.startsWith("mcporter"));
    if (mcporter === undefined) throw new Error("There is no recording of mcporter");
    const first = await replay(mcporter);
    const second = await replay(mcporter);
    const old = {
      grant_type: "refresh_token",
      refresh_token: first.values.get("refresh_token") ?? "",
    };
    const newId = second.values.get("client_id") ?? "";
    await expectOAuthError(await askToken({ ...old, client_id: newId }), "invalid_grant");
    expect((await askToken({ ...old, client_id: first.values.get("client_id") ?? "" })).status).toBe(200);
  });
});

describe(verifies("quirks.clients", "what clients in use need to be let through"), () => {
  // A second that ends in the middle would be missing in an expires_in.
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  const named = TOLERANCES.map((tolerance) => [tolerance.source, tolerance.name, tolerance] as const);
  it.each(named)("%s: %s", async (_source, _name, tolerance) => {
    expect(tolerance.exchanges.length).toBeGreaterThan(1);
    await replay(asRecording(tolerance));
  });
});
