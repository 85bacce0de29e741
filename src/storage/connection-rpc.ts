// What crosses the border between the Worker and a ConnectionObject: plain values in, plain results out.

import type { ConnectionState } from "./connection-schema.ts";
import type { GongAuthorization } from "./gong-tokens.ts";
import type { NewCode, NewGrant } from "./grant-opening.ts";
import type { Holder } from "./presented-credential.ts";

export interface GrantAndCode {
  readonly grant: NewGrant;
  readonly code: NewCode;
}

/** A token of ours that its client gives up. RFC 7009 §2.1. */
export interface PresentedForRevocation {
  readonly kind: "access" | "refresh";
  readonly hash: string;
  readonly grantId: string;
  readonly clientId: string;
}

/** One sign-in at Gong, to tell which of two is the newer: a person's newest may end the older ones there. */
export interface Authorization {
  /** The id of its transaction. */
  readonly id: string;
  /** When Gong answered with its tokens, epoch milliseconds. */
  readonly answeredAt: number;
}

/** `ended`: somebody ended the connection after Gong had answered. `used`: the sign-in was finished before. */
export type ConnectOutcome = "connected" | "ended" | "used";

/** `not_connected`: Gong's tokens are not there to use. `too_many`: the connection has its most keys already. */
export type AgentKeyCreation = "created" | "not_connected" | "too_many" | "name_taken";

/** What a caller gets for its credential: what it may do, and Gong's token to do it with. */
export type AuthorizedCall =
  | (Holder & { readonly ok: true; readonly gong: Extract<GongAuthorization, { ok: true }> })
  | { readonly ok: false; readonly reason: "invalid_token"; readonly detail: string }
  | {
      readonly ok: false;
      readonly reason: "not_connected" | "needs_reconnect" | "unavailable" | "unreadable";
      readonly retryAfterSeconds: number;
    };

export interface GrantDescription {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string | undefined;
  readonly scope: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

export interface ConnectionDescription {
  readonly integration: "main" | "shared";
  readonly access: "personal" | "shared";
  /** What people are told; `refreshing` while Gong is being asked for new tokens. */
  readonly state: ConnectionState | "refreshing";
  readonly reason: string | undefined;
  readonly since: number;
  readonly connectedAt: number;
  readonly refreshedAt: number;
  /** Since when Gong says that its credits are used up; undefined while it does not. */
  readonly outOfCreditsSince: number | undefined;
  /** The kid of the key that sealed the tokens. */
  readonly sealedWith: string | undefined;
  readonly grants: readonly GrantDescription[];
}
