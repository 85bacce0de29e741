// What every client must live through, whatever it is written with: the first question, an access token that has run
// out, and a connection that somebody ended. Called by the sdk-*.test.ts files.

import { expect } from "vitest";
import type { Gateway } from "../support/workerd.ts";
import { requestsTo, tokenRequests } from "../gong/ledger-questions.ts";
import type { World } from "./gateway.ts";

export const ASK = {
  name: "ask_account",
  arguments: { crmAccount: "Globex", question: "Is the renewal on track?" },
};

/** In every answer from Ada's data at the stand-in, and in no other. */
export const ADA = "CANARY-ada-7f3a90";

/** Life of an access token on the second gateway: the shortest that the settings take. */
export const SHORT_LIFE = { ACCESS_TOKEN_SECONDS: "5", ACCESS_CACHE_SECONDS: "0" } as const;
export const PAST_SHORT_LIFE_MS = 5500;

/** An MCP client of any SDK, signed in. */
interface Asking {
  callTool(call: typeof ASK): Promise<unknown>;
}

/** Asks Gong a question and returns the answer's text. Fails the test when it is not Ada's answer. */
export async function asksGong(client: Asking): Promise<string> {
  const result = (await client.callTool(ASK)) as {
    content?: { type: string; text?: string }[];
    isError?: boolean;
  };
  const text = result.content?.[0]?.text ?? "";
  expect(result.isError).not.toBe(true);
  expect(text).toContain(ADA);
  return text;
}

/** Ends a grant as RFC 7009 §2.1 has it: by its refresh token, sent by the public client that holds it. */
export async function revoke(gateway: Gateway, clientId: string, refreshToken: string): Promise<void> {
  const response = await fetch(`${gateway.origin}/revoke`, {
    method: "POST",
    body: new URLSearchParams({ client_id: clientId, token: refreshToken }),
  });
  expect(response.status).toBe(200);
}

/** What Gong saw so far: how many sign-ins were finished and how many tool calls arrived. */
export function atGong({ gong }: World): { readonly signIns: number; readonly calls: number } {
  const entries = gong.ledger();
  return {
    signIns: tokenRequests(entries, "authorization_code"),
    calls: requestsTo(entries, "/mcp").filter(({ rpcMethod }) => rpcMethod === "tools/call").length,
  };
}
