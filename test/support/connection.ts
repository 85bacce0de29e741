// A ConnectionObject without the sign-in before it: opened with tokens and a grant of the test's choice, asked over its
// own RPC, and looked into. Called by the integration tests of storage/.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { randomId } from "../../src/crypto/credential.ts";
import { sha256 } from "../../src/crypto/encoding.ts";
import type { ConnectionObject } from "../../src/storage/connection-object.ts";
import type { ConnectionRow } from "../../src/storage/connection-schema.ts";
import type { GongTokens } from "../../src/gong/oauth.ts";
import type { CandidateTokens, TokenOutcome } from "../../src/storage/grants.ts";
import type { Authorization, GrantAndCode } from "../../src/storage/connection-rpc.ts";
import { RESOURCE } from "./flow.ts";

export type Connection = DurableObjectStub<ConnectionObject>;

export const HOUR = 3600;
export const DAY = 86_400;
export const SCOPE = "mcp:ai-ask:read mcp:ai-briefer:read";

/** Seconds of the clock that the Worker and the objects see. */
export const now = (): number => Math.floor(Date.now() / 1000);

/** What Gong granted, with tokens that no Gong knows. */
export const GONG_TOKENS: GongTokens = {
  accessToken: "gong-access-CANARY-1",
  refreshToken: "gong-refresh-CANARY-1",
  expiresInSeconds: DAY,
  scope: ["mcp:ai-ask:read"],
  userId: "ada",
};

/** A connection that nobody else knows of. */
export function connectionAt(id: string = randomId()): Connection {
  return env.CONNECTIONS.getByName(id);
}

/** A grant of `client-1` with a code whose text is `code of <grant id>`. */
export async function newGrant(changes: Partial<GrantAndCode["grant"]> = {}): Promise<GrantAndCode> {
  const id = changes.id ?? randomId();
  return {
    grant: {
      id,
      clientId: "client-1",
      clientName: "Client",
      resource: RESOURCE,
      scope: SCOPE,
      expiresAt: now() + 180 * DAY,
      ...changes,
    },
    code: {
      hash: await sha256(`code of ${id}`),
      redirectUri: "https://client.test/cb",
      codeChallenge: "challenge",
    },
  };
}

/** A sign-in that Gong answered just now, or at another time. */
export function newAuthorization(answeredAt = Date.now()): Authorization {
  return { id: randomId(), answeredAt };
}

/** A connection with one grant, and the grant's id. */
export async function openConnection(
  tokens: Partial<GongTokens> = {},
): Promise<{ readonly connection: Connection; readonly grantId: string }> {
  const connection = connectionAt();
  const opened = await newGrant();
  await connection.connectGong("main", { ...GONG_TOKENS, ...tokens }, newAuthorization(), opened);
  return { connection, grantId: opened.grant.id };
}

/** Candidates whose tokens have the texts `access <name>` and `refresh <name>`. */
export async function candidates(name: string): Promise<CandidateTokens> {
  return {
    accessHash: await sha256(`access ${name}`),
    accessExpiresAt: now() + HOUR,
    refreshHash: await sha256(`refresh ${name}`),
    refreshKid: "k1",
    refreshExpiresAt: now() + 30 * DAY,
  };
}

/** Redeems the grant's code for tokens called `name`. */
export async function redeemAt(
  connection: Connection,
  grantId: string,
  name: string,
  changes: { clientId?: string; codeChallenge?: string } = {},
): Promise<TokenOutcome> {
  return connection.redeemCode(
    {
      hash: await sha256(`code of ${grantId}`),
      grantId,
      clientId: "client-1",
      redirectUri: undefined,
      codeChallenge: "challenge",
      resource: undefined,
      ...changes,
    },
    await candidates(name),
  );
}

/** Presents the refresh token called `from`, of `generation`, for tokens called `name`. */
export async function rotateAt(
  connection: Connection | ConnectionObject,
  grantId: string,
  presented: { from: string; generation: number; name: string; clientId?: string },
): Promise<TokenOutcome> {
  return connection.rotateRefreshToken(
    {
      hash: await sha256(`refresh ${presented.from}`),
      grantId,
      generation: presented.generation,
      clientId: presented.clientId ?? "client-1",
      resource: undefined,
      scope: undefined,
    },
    { ...(await candidates(presented.name)), answerSealed: `answer ${presented.name}` },
  );
}

/** Whether the access token called `name` is taken, and why not. */
export async function accessAt(connection: Connection, name: string): Promise<string> {
  const call = await connection.authorize({ kind: "access", hash: await sha256(`access ${name}`) });
  if (call.ok) return "ok";
  return call.reason === "invalid_token" ? `invalid_token: ${call.detail}` : call.reason;
}

/** Everything in one table of the object, or nothing when it has no such table. */
export async function rows<Row extends Record<string, SqlStorageValue>>(
  stub: DurableObjectStub,
  table: string,
): Promise<readonly Row[]> {
  return runInDurableObject(stub, (_, { storage }) => {
    const known = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table).toArray();
    return known.length === 0 ? [] : storage.sql.exec<Row>(`SELECT * FROM "${table}"`).toArray();
  });
}

/** The row of the connection itself. */
export async function connectionRow(connection: Connection): Promise<ConnectionRow> {
  const [row] = await rows<ConnectionRow>(connection, "connection");
  if (row === undefined) throw new Error("The connection has no row");
  return row;
}

/** Writes into the object's database behind its back, as an operator with access to storage could. */
export async function tamper(
  stub: DurableObjectStub,
  statement: string,
  ...values: SqlStorageValue[]
): Promise<void> {
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec(statement, ...values);
  });
}

/** Runs the object's alarm now, whether or not one is set. */
export async function runAlarm(connection: Connection): Promise<void> {
  await runInDurableObject(connection, (object: ConnectionObject) => object.alarm());
}
