// The ConnectionObject: one per authorization at Gong. It holds the sealed Gong tokens and every grant that may use
// them, so that a code, a token family and Gong's tokens change together. Each method is one atomic state change;
// expected outcomes are returned, only bugs are thrown. This file is the table of contents; the stories are beside it.

import { DurableObject } from "cloudflare:workers";
import { nowSeconds } from "../clock.ts";
import type { IntegrationName } from "../config.ts";
import type { GongTokens } from "../gong/oauth.ts";
import type { ListQuery } from "../listing.ts";
import type { ContentSettings } from "../mcp/policy.ts";
import * as account from "./account-life.ts";
import { countCalls, type AgentCalls } from "./call-counts.ts";
import { listEvents, type EventRow } from "./connection-audit.ts";
import * as codeless from "./codeless-grants.ts";
import type { CodelessGrant, CodelessOutcome, CodelessToken } from "./codeless-grants.ts";
import { openContent, type OpenedContent } from "./content-life.ts";
import { ConnectionCore } from "./connection-core.ts";
import * as life from "./connection-life.ts";
import { listAgentKeys, type AgentKeyDescription, type NewAgentKey } from "./agent-keys.ts";
import type {
  AgentKeyCreation,
  Authorization,
  AuthorizedCall,
  ConnectionDescription,
  ConnectOutcome,
  GrantAndCode,
  PresentedForRevocation,
} from "./connection-rpc.ts";
import { describeConnection, notePerson } from "./connection-state.ts";
import type { GongAuthorization } from "./gong-tokens.ts";
import { insertGrant } from "./grant-opening.ts";
import { openGrantIds } from "./grant-upkeep.ts";
import {
  redeemCode,
  rotateRefreshToken,
  type CandidateTokens,
  type PresentedCode,
  type PresentedRefreshToken,
  type RotationTokens,
  type TokenOutcome,
} from "./grants.ts";
import { useCredential, type PresentedCredential } from "./presented-credential.ts";
import type { AnswerLine } from "./answer-line.ts";
import { PaidCalls } from "./paid-calls.ts";
import type { CancelRequest, PaidCallRequest, PaidOutcome } from "./paid-rpc.ts";
import { eraseLedger, listLedger, NO_LEDGER, type LedgerList } from "./ledger-list.ts";
import { ledgerPage, type LedgerPage, type LedgerQuery } from "./paid-ledger.ts";
import { EMPTY_REPORT, resealConnection, type SealReport } from "./reseal.ts";

const NOT_CONNECTED: GongAuthorization = { ok: false, reason: "not_connected", retryAfterSeconds: 0 };

export class ConnectionObject extends DurableObject<Env> {
  readonly #core: ConnectionCore;
  readonly #paid: PaidCalls;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#core = new ConnectionCore(ctx, env);
    this.#paid = new PaidCalls(this.#core);
  }

  /**
   * Puts Gong's answer to an authorization in place, sealed, as the next generation, and opens the grant it was made
   * for. An older refresh still in flight is fenced off. The tokens of every earlier grant stay good: the same
   * person's connection heals. Of two sign-ins the newer one's tokens stay, whichever is finished first, and the same
   * one again changes none: it opens its grant.
   */
  async connectGong(
    name: IntegrationName,
    tokens: GongTokens,
    authorization: Authorization,
    opened: GrantAndCode | undefined,
  ): Promise<ConnectOutcome> {
    return life.connectGong(this.#core, name, tokens, authorization, (sql, now) => {
      if (opened === undefined) return true;
      notePerson(sql, opened.grant.person);
      return insertGrant(sql, opened.grant, opened.code, now);
    });
  }

  /** Opens a grant on a connection that exists: shared access, once an admin approved the client. */
  async openGrant(opened: GrantAndCode): Promise<boolean> {
    return life.openGrant(this.#core, opened);
  }

  /** RFC 6749 §4.1.3. */
  async redeemCode(presented: PresentedCode, tokens: CandidateTokens): Promise<TokenOutcome> {
    return this.#decide((sql, now) => redeemCode(sql, presented, tokens, now));
  }

  /** RFC 6749 §6, RFC 9700 §4.14.2. Never calls Gong: our tokens outlive an outage there. */
  async rotateRefreshToken(presented: PresentedRefreshToken, tokens: RotationTokens): Promise<TokenOutcome> {
    return this.#decide((sql, now) => rotateRefreshToken(sql, presented, tokens, now));
  }

  /**
   * Opens the one grant that a client has without a code, or brings it up to date: RFC 6749 §4.4, RFC 7523. Refused
   * while Gong can't be reached with this connection, and for a client whose access somebody ended.
   */
  async openCodelessGrant(grant: CodelessGrant): Promise<CodelessOutcome> {
    return codeless.openCodelessGrant(this.#core, grant);
  }

  /** One access token of such a grant, and no refresh token (RFC 6749 §4.4.3). Never calls Gong. */
  async issueWithoutCode(token: CodelessToken): Promise<TokenOutcome> {
    return codeless.issueWithoutCode(this.#core, token);
  }

  /** Ends what a client has without a code, and keeps it from opening it again, also when it has nothing yet. */
  async barClient(
    barred: Pick<CodelessGrant, "id" | "clientId" | "grantType" | "resource">,
    reason: string,
  ): Promise<void> {
    await codeless.barClient(this.#core, barred, reason);
  }

  /** Checks an access token or agent key and hands out Gong's token. All refusals look alike outside: RFC 6750 §3.1. */
  async authorize(presented: PresentedCredential): Promise<AuthorizedCall> {
    const core = this.#core;
    if (!(await core.ready())) return { ok: false, reason: "invalid_token", detail: "connection_unknown" };
    const check = () => core.transaction((sql, now) => useCredential(sql, presented, now));
    const before = check();
    if (!before.ok) return { ok: false, reason: "invalid_token", detail: before.reason };
    const atHand = core.gong.atHand();
    const gong = atHand ?? (await core.gong.authorization());
    // A refresh takes seconds, in which the credential may have been revoked.
    const use = atHand === undefined ? check() : before;
    if (!use.ok) return { ok: false, reason: "invalid_token", detail: use.reason };
    if (!gong.ok) return gong;
    core.noteUse(nowSeconds());
    if (before.holder.isFirstUse === true) core.noteFirstCall(before.holder);
    return { ...use.holder, ok: true, gong };
  }

  /** Gong answered 401 for the token of `generation`: a newer one if there is one, after one refresh at most. */
  async replaceRejectedGongToken(generation: number): Promise<GongAuthorization> {
    return (await this.#core.ready()) ? this.#core.gong.replaceRejected(generation) : NOT_CONNECTED;
  }

  /** RFC 7009 §2.1: ends the token if it is `clientId`'s; a refresh token ends its whole grant. */
  async revokeToken(presented: PresentedForRevocation): Promise<boolean> {
    return life.revokeToken(this.#core, presented);
  }

  /** Ends a grant at once. The last one takes a personal connection's Gong tokens with it. */
  async endGrant(grantId: string, reason: string): Promise<boolean> {
    return life.endGrant(this.#core, grantId, reason);
  }

  /** Ends every grant at once, as endGrant does one. Returns how many there were. */
  async endAllGrants(reason: string): Promise<number> {
    return life.endGrants(this.#core, openGrantIds, reason);
  }

  /** Ends every grant of one client at once; how many there were. */
  async endClient(clientId: string, reason: string): Promise<number> {
    return life.endGrants(this.#core, (sql) => openGrantIds(sql, { clientId }), reason);
  }

  /** Records an agent key whose holder the caller will tell it to, once. */
  async createAgentKey(key: NewAgentKey): Promise<AgentKeyCreation> {
    return life.createAgentKey(this.#core, key);
  }

  /** The agent keys, also those that ended in the last thirty days; the newest first. */
  async listAgentKeys(): Promise<readonly AgentKeyDescription[]> {
    const core = this.#core;
    return (await core.ready()) ? listAgentKeys(core.sql, nowSeconds()) : [];
  }

  /** Ends an agent key at once. False when it is not there or has ended. The last agent takes Gong's tokens with it. */
  async revokeAgentKey(id: string, by: string): Promise<boolean> {
    return life.revokeAgentKey(this.#core, id, by);
  }

  /** Ends the connection: its grants, agent keys and our copies of Gong's tokens. Gong itself offers no revocation. */
  async disconnect(reason: string): Promise<boolean> {
    return life.disconnect(this.#core, reason);
  }

  /**
   * As connectGong, for a person who proves at Gong that the connection is theirs: opens an account session, and no
   * grant. The tokens are kept, because a person's newest authorization may end the older ones.
   */
  async signInToAccount(
    name: IntegrationName,
    tokens: GongTokens,
    authorization: Authorization,
    sessionHash: string,
    person?: string,
  ): Promise<ConnectOutcome> {
    return account.signInToAccount(this.#core, name, tokens, authorization, sessionHash, person);
  }

  /** Opens an account session for a person who is known without Gong. False when there is no connection. */
  async openAccountSession(sessionHash: string): Promise<boolean> {
    return account.openSession(this.#core, sessionHash);
  }

  /** Whether the account session lives; asking keeps it from idling out. */
  async useAccountSession(sessionHash: string): Promise<boolean> {
    return account.useSession(this.#core, sessionHash);
  }

  /** Ends an account session. A personal connection that no agent can use is let go with the last one. */
  async signOutOfAccount(sessionHash: string): Promise<void> {
    await account.signOut(this.#core, sessionHash);
  }

  /** Ends every account session of the person, and lets the connection go as signOutOfAccount does. */
  async signOutEverywhere(): Promise<void> {
    await account.signOut(this.#core, undefined);
  }

  /** The calls of the last thirty days, by agent. */
  async countCalls(): Promise<readonly AgentCalls[]> {
    const core = this.#core;
    return (await core.ready()) ? countCalls(core.sql, nowSeconds()) : [];
  }

  /** What happened to the connection, the newest first. */
  async events(limit: number): Promise<readonly EventRow[]> {
    return (await this.#core.ready()) ? listEvents(this.#core.sql, limit) : [];
  }

  /** What a person may see of the connection; no token in it. Undefined when there is none. */
  async describe(): Promise<ConnectionDescription | undefined> {
    const core = this.#core;
    if (!(await core.ready())) return undefined;
    const row = core.row();
    if (row === undefined) return undefined;
    return describeConnection(core.sql, row, core.gong.isRefreshing(), nowSeconds());
  }

  /**
   * Serves a paid call: asks Gong once, or joins the same call in flight, or hands out a result that somebody is owed.
   * The answer goes over `line`; returns when it is delivered, the caller has left, or there is none.
   */
  async callTool(request: PaidCallRequest, line: Rpc.Stub<AnswerLine>): Promise<PaidOutcome> {
    return this.#paid.call(request, line);
  }

  /** Ends one caller's part of a paid call, which goes on. False: no paid call. MCP 2025-11-25, Cancellation. */
  async cancelToolCall(request: CancelRequest): Promise<boolean> {
    return this.#paid.cancel(request);
  }

  /** Rows of the ledger of paid calls, newest first; none when the connection was never written. */
  async ledgerPage(query: LedgerQuery): Promise<LedgerPage> {
    const core = this.#core;
    if (!(await core.ready())) return { rows: [], nextBefore: undefined };
    return ledgerPage(core.sql, query);
  }

  /** One page of the ledger as an admin searches it, with the outcomes of all that match. */
  async listLedger(query: ListQuery): Promise<LedgerList> {
    return (await this.#core.ready()) ? listLedger(this.#core.sql, query) : NO_LEDGER;
  }

  /** Erases the calls that have ended, every kept result and all kept arguments; how many calls it were. */
  async eraseLedger(): Promise<number> {
    return (await this.#core.ready()) ? this.#core.transaction(eraseLedger) : 0;
  }

  /** The arguments of a call, for an admin, if `kept` lets them be read now. */
  async openContent(callId: string, kept: ContentSettings): Promise<OpenedContent> {
    return openContent(this.#core, callId, kept);
  }

  /**
   * Seals what Gong gave with the first key of the ring, where another one sealed it, and counts what hangs on which.
   */
  async reseal(): Promise<SealReport> {
    const { sql, seals, config } = this.#core;
    if (!(await this.#core.ready())) return EMPTY_REPORT;
    const escrowed = async (attempt: string) => this.#core.escrow().answer(attempt);
    const report = await resealConnection(sql, seals, config.sealingKeys[0]?.kid, escrowed, nowSeconds());
    if (report.resealed) this.#core.reportState();
    return report;
  }

  /** Early refresh and clean-up. May run twice or late: everything in it asks the rows what is due. */
  override async alarm(): Promise<void> {
    await life.runAlarm(this.#core, () => this.#paid.sweep());
  }

  /** One token decision in one transaction. What it revoked is noted outside before anybody hears of it. */
  async #decide(decision: (sql: SqlStorage, now: number) => TokenOutcome): Promise<TokenOutcome> {
    const core = this.#core;
    if (!(await core.ready())) return { kind: "refused", reason: "connection_unknown" };
    const outcome = core.transaction(decision);
    if (outcome.kind === "revoked") await core.tellEnds();
    else core.tellSoon();
    await core.schedule();
    return outcome;
  }
}
