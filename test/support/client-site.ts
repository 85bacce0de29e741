// A client's web site, as tests script it: its metadata document, its keys, and how it misbehaves. Its hosts are
// served by test/support/third-party.ts.

import type { AskedOf, ScriptedAnswer } from "./third-party.ts";

const CONTROL = "http://control.client.test";

/** The sites of all clients. Reset them in `beforeEach`. */
export const clientSites = {
  reset: () => control("POST", "/reset"),
  /** Lets `url` answer this from now on. */
  answer: (url: string, answer: ScriptedAnswer) => control("POST", "/answers", { url, answer }),
  /** Lets `url` answer this JSON. */
  async serve(url: string, document: unknown, headers: Record<string, string> = {}): Promise<void> {
    const body = JSON.stringify(document);
    await clientSites.answer(url, { body, headers: { "content-type": "application/json", ...headers } });
  },
  /** What the sites were asked, in order; with `url`, only for that one. */
  async asked(url?: string): Promise<readonly AskedOf[]> {
    const all = (await control("GET", "/requests")) as readonly AskedOf[];
    return url === undefined ? all : all.filter((request) => request.url === url);
  },
};

async function control(method: string, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(CONTROL + path, init);
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
  return response.json();
}

let sites = 0;

/** A client id in a domain that no test has used before: kept documents and counts outlive a test. */
export function newDocumentUrl(): string {
  sites += 1;
  return `https://www.site-${sites}-${crypto.randomUUID().slice(0, 8)}-client.test/oauth/client.json`;
}

/** Where a client on the web wants its answer. */
export const WEB_REDIRECT = "https://app.client.test/callback";

/** A good document for `url`, of a public client, with changes; undefined leaves a member out. */
export function aDocument(url: string, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    client_id: url,
    client_name: "Document client",
    redirect_uris: [WEB_REDIRECT],
    token_endpoint_auth_method: "none",
    ...changes,
  };
}
