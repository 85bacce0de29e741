// What crosses the border between the Worker and a ConnectionObject: plain values in, plain results out.

import type { ConnectionState } from "./connection-schema.ts";
import type { GongAuthorization } from "./gong-tokens.ts";
import type { NewCode, NewGrant } from "./grants.ts";

export interface GrantAndCode {
  readonly grant: NewGrant;
  readonly code: NewCode;
}

/** What a caller with an access token gets: what it may do, and Gong's token to do it with. */
export type AuthorizedCall =
  | {
      readonly ok: true;
      readonly grantId: string;
      readonly clientId: string;
      readonly scope: string;
      readonly expiresAt: number;
      readonly gong: Extract<GongAuthorization, { ok: true }>;
    }
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
  readonly access: "personal" | "shared";
  /** What people are told; `refreshing` while Gong is being asked for new tokens. */
  readonly state: ConnectionState | "refreshing";
  readonly reason: string | undefined;
  readonly since: number;
  readonly connectedAt: number;
  readonly refreshedAt: number;
  /** The kid of the key that sealed the tokens. */
  readonly sealedWith: string | undefined;
  readonly grants: readonly GrantDescription[];
}
