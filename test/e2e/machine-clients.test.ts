// Machines and managed agents without a browser: unmodified MCP SDK clients, with the credentials that an admin's page
// gave them, from a URL to Gong's answer. MCP extensions io.modelcontextprotocol/oauth-client-credentials and
// io.modelcontextprotocol/enterprise-managed-authorization.

import {
  Client as ClientV2,
  ClientCredentialsProvider as SecretV2,
  CrossAppAccessProvider,
  PrivateKeyJwtProvider as KeyV2,
  StreamableHTTPClientTransport as TransportV2,
  type VersionNegotiationMode,
} from "@modelcontextprotocol/client";
import {
  ClientCredentialsProvider as SecretV1,
  PrivateKeyJwtProvider as KeyV1,
} from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from "jose";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { COMPANY_CANARY } from "../gong/people.ts";
import { createPerson, type Page, type Person } from "../support/person.ts";
import type { Gateway } from "../support/workerd.ts";
import { SECRETS, startWorld, type World } from "./gateway.ts";
import { connect, createMemory } from "./sdk-v1-agent.ts";
import { ADA, ASK, asksGong, PAST_SHORT_LIFE_MS, SHORT_LIFE } from "./story.ts";

const ISSUER = "https://sts.acme.test";
const SUITE = { clientId: "office-suite", clientSecret: "office-suite-secret-0123456789abcdef" };
const ADA_UID = "4815162342000000001";

let world: World;
let gateway: Gateway;
let admin: Person;
let keys: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };
let sharedUrl: string;

beforeAll(async () => {
  keys = await generateKeyPair("ES256", { extractable: true });
  world = await startWorld();
  gateway = await world.another({
    ...SHORT_LIFE,
    CLIENTS: JSON.stringify([
      {
        client_id: SUITE.clientId,
        grant_types: ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        token_endpoint_auth_method: "client_secret_basic",
        client_secret_sha256: createHash("sha256").update(SUITE.clientSecret).digest("base64url"),
      },
    ]),
    TRUSTED_ISSUERS: JSON.stringify([
      {
        issuer: ISSUER,
        jwks: { keys: [await exportJWK(keys.publicKey)] },
        client_ids: [SUITE.clientId],
        gong_user_claim: "gong_user_id",
      },
    ]),
  });
  sharedUrl = `${gateway.origin}/shared/mcp`;
  admin = createPerson();
  await admin.press(await admin.open(`${gateway.origin}/admin`), "Sign in", { token: SECRETS.ADMIN_TOKEN });
  await connectShared();
});
afterAll(() => world.stop());

/** Connects shared access, as whoever is signed in at Gong. */
async function connectShared(): Promise<void> {
  const page = await admin.press(await admin.open(`${gateway.origin}/admin/setup`), "Connect shared access");
  const back = page.url.origin === gateway.origin ? page : await admin.press(page, "Allow");
  expect(back.url.origin).toBe(gateway.origin);
}

interface Made {
  readonly clientId: string;
  readonly clientSecret: string;
}

let count = 0;

/** Makes a machine client on the admin's page, by a name of its own. */
async function make(fields: Record<string, string>): Promise<Made> {
  const page: Page = await admin.open(`${gateway.origin}/admin/machine-clients`);
  count += 1;
  const name = `Nightly report ${count}`;
  const made = await admin.press(page, "Make the machine client", { name, ...fields });
  const clientId = /gmc_[A-Za-z0-9_-]{22}/.exec(made.text)?.[0];
  if (made.status !== 201 || clientId === undefined) throw new Error(`No machine client: ${made.text}`);
  return { clientId, clientSecret: /gcs_[A-Za-z0-9_-]{43}/.exec(made.text)?.[0] ?? "" };
}

const makeWithKeys = async (): Promise<Made> =>
  make({ proof: "keys", jwks: JSON.stringify({ keys: [await exportJWK(keys.publicKey)] }) });

interface Asking {
  callTool(call: typeof ASK): Promise<unknown>;
}

/** What Gong answered, as one text. */
async function answerTo(client: Asking): Promise<string> {
  return JSON.stringify(await client.callTool(ASK));
}

async function connectV1(authProvider: SecretV1 | KeyV1): Promise<ClientV1> {
  const client = new ClientV1({ name: "Nightly report", version: "1.0.0" });
  await client.connect(new TransportV1(new URL(sharedUrl), { authProvider }));
  return client;
}

async function connectV2(
  authProvider: SecretV2 | KeyV2 | CrossAppAccessProvider,
  mode: VersionNegotiationMode = "legacy",
  url = sharedUrl,
): Promise<ClientV2> {
  const client = new ClientV2({ name: "Nightly report", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new TransportV2(new URL(url), { authProvider }));
  return client;
}

const privateJwk = async (): Promise<Record<string, unknown>> => ({ ...(await exportJWK(keys.privateKey)) });

describe(verifies("clients.machines", "a machine with an unmodified SDK"), () => {
  it("SDK 1, by secret: from a URL to Gong's answer, again when its token ran out, and not once it is ended", async () => {
    const made = await make({});
    const client = await connectV1(new SecretV1({ ...made, expectedIssuer: gateway.origin }));
    expect(await answerTo(client)).toContain(COMPANY_CANARY);
    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));
    expect(await answerTo(client)).toContain(COMPANY_CANARY);

    const list = await admin.open(`${gateway.origin}/admin/machine-clients?q=${made.clientId}`);
    await admin.press(list, "End its access");
    await expect(client.callTool(ASK)).rejects.toThrow("check its id and secret");
    await client.close();
    await expect(connectV1(new SecretV1({ ...made, expectedIssuer: gateway.origin }))).rejects.toThrow(
      "check its id and secret",
    );
  });

  it("SDK 1, by signature", async () => {
    const { clientId } = await makeWithKeys();
    const privateKey = await privateJwk();
    const options = { clientId, privateKey, algorithm: "ES256", expectedIssuer: gateway.origin };
    const client = await connectV1(new KeyV1(options));
    expect(await answerTo(client)).toContain(COMPANY_CANARY);
    await client.close();
  });

  it.each(["legacy", "auto"] as const)(
    "SDK 2, by secret, era %s, again when its token ran out",
    async (era) => {
      const client = await connectV2(
        new SecretV2({ ...(await make({})), expectedIssuer: gateway.origin }),
        era,
      );
      expect(await answerTo(client)).toContain(COMPANY_CANARY);
      await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));
      expect(await answerTo(client)).toContain(COMPANY_CANARY);
      await client.close();
    },
  );

  it("SDK 2, by signature", async () => {
    const { clientId } = await makeWithKeys();
    const privateKey = await privateJwk();
    const options = { clientId, privateKey, algorithm: "ES256", expectedIssuer: gateway.origin };
    const client = await connectV2(new KeyV2(options), "auto");
    expect(await answerTo(client)).toContain(COMPANY_CANARY);
    await client.close();
  });

  it("gateway: a machine at the endpoint with personal access is told that it is not for machines", async () => {
    const made = await make({});
    const provider = new SecretV2({ ...made, expectedIssuer: gateway.origin });
    await expect(connectV2(provider, "legacy", `${gateway.origin}/mcp`)).rejects.toThrow(/shared access/);
  });
});

describe(verifies("clients.managed", "a managed agent with an unmodified SDK"), () => {
  /** SDK 2's provider; the company's issuer is played by a function that signs. */
  const managed = (changes: Record<string, unknown> = {}): CrossAppAccessProvider =>
    new CrossAppAccessProvider({
      ...SUITE,
      expectedIssuer: gateway.origin,
      assertion: ({ authorizationServerUrl, resourceUrl, scope }) =>
        new SignJWT({
          client_id: SUITE.clientId,
          resource: resourceUrl,
          gong_user_id: ADA_UID,
          ...(scope === undefined ? {} : { scope }),
          ...changes,
        })
          .setProtectedHeader({ alg: "ES256", typ: "oauth-id-jag+jwt" })
          .setIssuer(ISSUER)
          .setSubject("employee-1815")
          .setAudience(authorizationServerUrl)
          .setJti(crypto.randomUUID())
          .setIssuedAt()
          .setExpirationTime("5m")
          .sign(keys.privateKey),
    });

  it("SDK 2: refused with the address to sign in at, then Ada's answer without a browser, again after its token ran out", async () => {
    const url = `${gateway.origin}/mcp`;
    await expect(connectV2(managed(), "auto", url)).rejects.toThrow(`${gateway.origin}/account`);
    // Ada signs in once with any agent.
    await (await connect(url, createMemory(createPerson()))).close();

    const client = await connectV2(managed(), "auto", url);
    expect(await asksGong(client)).toContain(ADA);
    await new Promise((resolve) => setTimeout(resolve, PAST_SHORT_LIFE_MS));
    await asksGong(client);
    await client.close();
  });

  it("SDK 2: an assertion about somebody who has no connection opens nobody's", async () => {
    const provider = managed({ gong_user_id: "4815162342000000002" });
    await expect(connectV2(provider, "auto", `${gateway.origin}/mcp`)).rejects.toThrow(`/account`);
  });
});
