// After whole flows and every kind of failure: no secret where it does not belong. Each secret is searched as it is,
// percent-encoded, in base64, in hex and reversed.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { requestsTo } from "../gong/ledger-questions.ts";
import {
  ADMIN_TOKEN,
  agreeAtGong,
  ask,
  ASK_ACCOUNT,
  askToken,
  authorizationQuery,
  call,
  leadsTo,
  PKCE,
  redeem,
  register,
  sealedRequest,
  signIn,
  TestBrowser,
} from "../support/flow.ts";
import { everythingStored, recordLogs, secretsIn } from "../support/evidence.ts";
import { gong } from "../support/gong.ts";

beforeEach(() => gong.reset());
afterEach(() => vi.restoreAllMocks());

type Secrets = Record<string, string>;

const GATEWAY_SECRETS: Secrets = {
  "client secret at Gong": "per:sonal+secret%/1",
  "shared client secret at Gong": "sha:red+secret%/1",
  "sealing key": "SHzxbxWiepx3ED9375enhpKmnG0pRUXkvmeDUn0wEBg",
  "admin token": ADMIN_TOKEN,
};

/** What only Gong and the gateway may know of the flows so far. */
async function gongSecrets(): Promise<Secrets> {
  const secrets: Secrets = {};
  const entries = await gong.ledger();
  for (const entry of entries) {
    if (entry.kind === "tokens_issued") {
      secrets[`Gong access token ${entry.seq}`] = entry.accessToken;
      if (entry.refreshToken !== undefined) secrets[`Gong refresh token ${entry.seq}`] = entry.refreshToken;
    }
    if (entry.kind === "code_issued") secrets[`Gong code ${entry.seq}`] = entry.code;
  }
  for (const { body, seq } of requestsTo(entries, "/oauth2/generate-mcp-token")) {
    const verifier = new URLSearchParams(body).get("code_verifier");
    if (verifier !== null) secrets[`verifier for Gong ${seq}`] = verifier;
  }
  return secrets;
}

/** Headers and body of an answer, for searching. */
const textOf = async (answer: Response): Promise<string> =>
  JSON.stringify([...answer.headers]) + (await answer.clone().text());

interface Flow {
  readonly clientId: string;
  /** Every answer up to the client's tokens, with the tokens. */
  readonly answers: readonly { readonly to: string; readonly text: string }[];
  /** Ours, each for one holder. */
  readonly secrets: Secrets;
}

/** A whole sign-in of a client with a secret, a refresh and a call, with everything that was answered. */
async function wholeFlow(): Promise<Flow> {
  const answers: { to: string; text: string }[] = [];
  const keep = async (to: string, answer: Response): Promise<Response> => {
    answers.push({ to, text: await textOf(answer) });
    return answer;
  };
  const { client_id: clientId, client_secret: clientSecret = "" } = await register({
    token_endpoint_auth_method: "client_secret_post",
  });
  const proof = { client_id: clientId, client_secret: clientSecret };
  const browser = new TestBrowser();
  const page = await keep("consent", await browser.open(`/authorize?${authorizationQuery(clientId)}`));
  const request = sealedRequest(await page.text());
  const approved = await keep("approval", await browser.post("/authorize", { request, decision: "approve" }));
  const [, binding = ""] = [...browser.cookies].find(([name]) => name.startsWith("__Host-txn-")) ?? [];
  const end = await keep("callback", await browser.open(await agreeAtGong(leadsTo(await approved.text()))));
  const code = new URL(end.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, code_verifier: PKCE.verifier, ...proof };
  const first = await keep("token", await askToken(form));
  const tokens: Record<string, string> = await first.json();
  const next = { grant_type: "refresh_token", refresh_token: tokens["refresh_token"] ?? "", ...proof };
  const second: Record<string, string> = await (await keep("refresh", await askToken(next))).json();
  await keep("call", await call(second["access_token"] ?? "", ASK_ACCOUNT));
  await keep("repeated code", await askToken(form));
  return {
    clientId,
    answers,
    secrets: {
      "client secret": clientSecret,
      code,
      "code verifier": PKCE.verifier,
      "binding cookie": binding,
      "consent cookie": browser.cookies.get("__Host-consent") ?? "",
      "access token": tokens["access_token"] ?? "",
      "refresh token": tokens["refresh_token"] ?? "",
      "second access token": second["access_token"] ?? "",
      "second refresh token": second["refresh_token"] ?? "",
    },
  };
}

/** Who is given which secret of ours; everything else is a leak. */
const ENTITLED: Readonly<Record<string, readonly string[]>> = {
  consent: ["consent cookie"],
  approval: ["binding cookie"],
  callback: ["code"],
  token: ["access token", "refresh token"],
  refresh: ["second access token", "second refresh token"],
};

/** Requests that fail in every way that a stranger or an unlucky client can bring about. */
async function everyFailure(flow: Flow): Promise<readonly string[]> {
  const { secrets, clientId } = flow;
  const token = secrets["second access token"] ?? "";
  const refresh = secrets["second refresh token"] ?? "";
  const code = secrets["code"] ?? "";
  const authorization = `Basic ${btoa(`${clientId}:${secrets["client secret"]}`)}`;
  const answers = [
    await ask(`/authorize?${authorizationQuery(token)}`),
    await ask(`/authorize?${authorizationQuery(clientId, { redirect_uri: `https://evil.test/${code}` })}`),
    await ask(`/authorize?${authorizationQuery(clientId, { scope: refresh })}`),
    await ask(`/callback?code=${code}&state=${token}`),
    await ask(`/callback?error=${code}&state=${refresh}`),
    await askToken({ grant_type: code, client_id: clientId, client_secret: secrets["client secret"] ?? "" }),
    await askToken({ grant_type: "refresh_token", refresh_token: code }, { authorization }),
    await askToken({ grant_type: "refresh_token", refresh_token: refresh, client_id: token }),
    await ask("/token", { method: "POST", body: JSON.stringify(secrets) }),
    await ask(`/token?client_secret=${secrets["client secret"]}`, { method: "POST" }),
    await ask("/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ redirect_uris: [`x:${code}`] }),
    }),
    await ask(`/revoke?token=${token}`, { method: "POST" }),
    await ask(`/mcp?access_token=${token}`, { method: "POST" }),
    await ask("/mcp", { method: "POST", headers: { authorization: `Bearer ${refresh}` } }),
    await ask(`/${token}`),
    await ask(`/authorize/waiting/${code}`),
    await ask("/admin/sign-in", { method: "POST", body: new URLSearchParams({ token: `${ADMIN_TOKEN}x` }) }),
    await ask("/health"),
  ];
  return Promise.all(answers.map(textOf));
}

/** Gong repeats what it was sent, secrets and all, in its own refusals. */
async function gongThatEchoes(clientId: string): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const fault of [{ kind: "echo_request" }, { kind: "html" }, { kind: "half_body" }] as const) {
    await gong.fault({ endpoint: "token", fault });
    answers.push((await signIn(clientId)).href);
  }
  return answers;
}

describe(
  verifies(
    "secrecy.responses",
    "secrecy.logs",
    "secrecy.storage",
    "secrecy.upstream",
    "where secrets are after everything",
  ),
  () => {
    it("RFC 9700 §4.2, MCP authorization, Token Passthrough: each answer holds its receiver's secret and no other", async () => {
      const { answers, secrets } = await wholeFlow();
      const all = { ...GATEWAY_SECRETS, ...secrets, ...(await gongSecrets()) };
      expect(Object.keys(all).length).toBeGreaterThan(15);
      for (const { to, text } of answers)
        expect([to, secretsIn(text, all)]).toEqual([to, ENTITLED[to] ?? []]);
    });

    it("OWASP ASVS 16.2.5: refusals echo nothing, whoever is refused and whatever Gong says", async () => {
      const flow = await wholeFlow();
      const refusals = [
        ...(await everyFailure(flow)),
        ...(await gongThatEchoes((await register()).client_id)),
      ];
      const all = { ...GATEWAY_SECRETS, ...flow.secrets, ...(await gongSecrets()) };
      expect(refusals.map((text) => secretsIn(text, all))).toEqual(refusals.map(() => []));
    });

    it("OWASP ASVS 16.2.5: no log line of any of it holds a secret", async () => {
      const lines = recordLogs();
      const flow = await wholeFlow();
      await everyFailure(flow);
      const { client_id: clientId } = await register();
      await gongThatEchoes(clientId);
      await redeem(clientId, (await signIn(clientId)).searchParams.get("code") ?? "");
      expect(lines.length).toBeGreaterThan(20);
      expect(
        secretsIn(lines.join("\n"), { ...GATEWAY_SECRETS, ...flow.secrets, ...(await gongSecrets()) }),
      ).toEqual([]);
    });

    it("RFC 9700 §4.14: no table of any object holds a secret that opens anything", async () => {
      const { secrets, clientId } = await wholeFlow();
      await signIn(clientId);
      const stored = await everythingStored();
      for (const table of [
        "connection",
        "grants",
        "codes",
        "access_tokens",
        "transaction_record",
        "clients",
      ]) {
        expect(stored).toContain(`"${table}"`);
      }
      expect(secretsIn(stored, { ...GATEWAY_SECRETS, ...secrets, ...(await gongSecrets()) })).toEqual([]);
    });

    it("MCP authorization, Token Passthrough: Gong is sent nothing of ours, and nobody else is sent anything", async () => {
      const { secrets, clientId } = await wholeFlow();
      const requests = (await gong.ledger()).filter((entry) => entry.kind === "request");
      expect(requests.length).toBeGreaterThan(2);
      const sent = JSON.stringify(requests);
      expect(
        secretsIn(sent, {
          ...secrets,
          "client id": clientId,
          state: "client-state",
          "admin token": ADMIN_TOKEN,
        }),
      ).toEqual([]);
      expect(requests.filter(({ side }) => side === "elsewhere")).toEqual([]);
    });

    it("gateway: the search itself finds a secret in each spelling", () => {
      const secret = "s3cret+with/odd%chars and more of it";
      const hex = Array.from(new TextEncoder().encode(secret), (byte) =>
        byte.toString(16).padStart(2, "0"),
      ).join("");
      for (const leak of [
        secret,
        encodeURIComponent(secret),
        btoa(secret),
        btoa(`x${secret}`),
        btoa(`xy${secret}z`),
        hex,
      ]) {
        expect(secretsIn(`before ${leak} after`, { secret })).toEqual(["secret"]);
      }
      expect(secretsIn("nothing of it", { secret })).toEqual([]);
    });
  },
);
