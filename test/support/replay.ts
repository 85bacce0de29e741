// Plays a recorded client against the gateway inside workerd: its requests in their order, and a person's browser where
// it opened one. The format is that of test/conformance/clients/recording.ts.

import { expect } from "vitest";
import type { Exchange, Recording } from "../conformance/clients/recording.ts";
import { assertionOf, type Signer } from "./assertions.ts";
import { agreeAtGong, approve, ask, ORIGIN, TestBrowser } from "./flow.ts";

type Values = Map<string, string>;

/** What a client held when the recording ended, and the text of its last answer from `/mcp`. */
export interface Replayed {
  readonly values: ReadonlyMap<string, string>;
  readonly lastAnswer: string;
}

/** Replays everything; fails the test at the first exchange that ends otherwise than recorded. */
export async function replay(recording: Recording, signer?: Signer): Promise<Replayed> {
  const verifier = "aZ0-._~9".repeat(16).slice(0, recording.verifierLength);
  const values: Values = new Map([
    ["origin", ORIGIN],
    ["state", crypto.randomUUID()],
    ["code_verifier", verifier],
    ["code_challenge", await challengeOf(verifier)],
  ]);
  const browser = new TestBrowser();
  let lastAnswer = "";
  for (const [index, exchange] of recording.exchanges.entries()) {
    if (exchange.browser === undefined) {
      if (signer !== undefined) values.set("assertion", await chatGptAssertion(signer));
      lastAnswer = await send(exchange, values, `${recording.client}, exchange ${index}`);
    } else if (exchange.status === undefined) {
      values.set("code", await throughBrowser(browser, exchange.browser, values));
    } else {
      const page = await browser.open(filled(exchange.browser, values, encodeURIComponent));
      expect([page.status, page.headers.get("location")]).toEqual([exchange.status, null]);
    }
  }
  return { values, lastAnswer };
}

async function send(exchange: Exchange, values: Values, label: string): Promise<string> {
  const [method = "", path = ""] = (exchange.request ?? "").split(" ");
  const headers = Object.entries(exchange.headers ?? {}).map(([name, value]) => [
    name,
    filled(value, values),
  ]);
  const text = bodyOf(exchange, values);
  const response = await ask(filled(path, values, encodeURIComponent), {
    method,
    headers: Object.fromEntries(headers) as Record<string, string>,
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  expect([label, exchange.request, response.status, answer]).toEqual([
    label,
    exchange.request,
    exchange.status,
    answer,
  ]);
  if (exchange.says !== undefined) expect(answer).toContain(filled(exchange.says, values));
  if (path === "/token") {
    // RFC 6749 §5.1 and §5.2.
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-type")).toMatch(/^application\/json\b/);
  }
  if (response.status === 401 && path === "/mcp") {
    expect(response.headers.get("www-authenticate")).toContain(
      `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`,
    );
  }
  if (exchange.forgets !== true) keep(path, response, answer, values);
  return answer;
}

function bodyOf({ json, body }: Exchange, values: Values): string | undefined {
  if (json !== undefined) return filled(JSON.stringify(json), values);
  return body === undefined ? undefined : filled(body, values, encodeURIComponent);
}

function keep(path: string, response: Response, answer: string, values: Values): void {
  const session = response.headers.get("mcp-session-id");
  if (session !== null) values.set("session", session);
  if (response.status >= 300 || (path !== "/register" && path !== "/token")) return;
  const said = JSON.parse(answer) as Record<string, unknown>;
  for (const name of ["client_id", "client_secret", "access_token", "refresh_token"]) {
    if (typeof said[name] === "string") values.set(name, said[name]);
  }
  if (path === "/register") {
    // RFC 7591 §3.2.1; a public client that got a secret would send it, and be refused by itself.
    const isPublic = said["token_endpoint_auth_method"] === "none";
    expect(said["client_secret"] === undefined).toBe(isPublic);
    values.set("basic", btoa(`${values.get("client_id")}:${values.get("client_secret")}`));
  }
}

/** The person approves here and at Gong; the code comes back at the URI that the client asked for, with its state. */
async function throughBrowser(browser: TestBrowser, path: string, values: Values): Promise<string> {
  const query = filled(path, values, encodeURIComponent).slice("/authorize?".length);
  const asked = new URLSearchParams(query);
  const end = await browser.open(await agreeAtGong(await approve(browser, query)));
  const location = new URL(end.headers.get("location") ?? "");
  expect(location.href.split("?")[0]).toBe(asked.get("redirect_uri"));
  expect(location.searchParams.get("state")).toBe(asked.get("state"));
  expect(location.searchParams.get("iss")).toBe(ORIGIN);
  return location.searchParams.get("code") ?? "";
}

/** With the token endpoint as its audience, which is what ChatGPT is reported to send. */
function chatGptAssertion(signer: Signer): Promise<string> {
  return assertionOf(signer, "https://chatgpt.com/oauth/client.json", { claims: { aud: `${ORIGIN}/token` } });
}

function filled(text: string, values: Values, encode = (value: string): string => value): string {
  return text.replaceAll(/\{([a-z_]+)\}/g, (whole, name: string) => {
    const value = values.get(name);
    return value === undefined ? whole : encode(value);
  });
}

/** RFC 7636 §4.2. */
async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace("=", "");
}
