// A Gong access token for one call: opened, refreshed first if it must be, or the reason why there is none. The wiring
// of gong/refresh-machine.ts into the ConnectionObject; the refresh itself is gong-refresh.ts.

import { inTime, nowSeconds } from "../clock.ts";
import { Unsealable } from "../crypto/seal.ts";
import { decideUse, mayRefreshRejected } from "../gong/refresh-machine.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import { tokenState } from "./connection-state.ts";
import { createGongRefresh, needReconnect, type Connection } from "./gong-refresh.ts";
import { logUnreadable } from "./refresh-outcome.ts";

export type GongAuthorization =
  | {
      readonly ok: true;
      readonly accessToken: string;
      readonly generation: number;
      readonly expiresAt: number;
    }
  | {
      readonly ok: false;
      readonly reason: "not_connected" | "needs_reconnect" | "unavailable" | "unreadable";
      readonly retryAfterSeconds: number;
    };

export interface GongTokenStore {
  /** A Gong access token that lives long enough for a call, refreshed first if it must be. */
  authorization(): Promise<GongAuthorization>;
  /**
   * The same without waiting for anything; undefined when the token has to be opened or refreshed, or there is none.
   */
  atHand(): GongAuthorization | undefined;
  /** The answer to Gong's 401 for the token of `generation`: a newer one, after one refresh at most. */
  replaceRejected(generation: number): Promise<GongAuthorization>;
  /** Refreshes if one is due; for the alarm. Failures are recorded, not thrown. */
  refreshIfDue(): Promise<void>;
  isRefreshing(): boolean;
}

/** How long a caller waits for a refresh: longer than Gong is given, because our own storage can be slow, too. */
const LONGEST_WAIT_MS = 20_000;

const REFUSED = { ok: false, reason: "needs_reconnect", retryAfterSeconds: 0 } as const;

/** Binds the store to its object. One per instance of the object. */
export function createGongTokenStore(connection: Connection): GongTokenStore {
  const { seals, row } = connection;
  const { refresh, inFlight } = createGongRefresh(connection);
  let lastRejectionAt: number | undefined;
  let opened: { readonly generation: number; readonly accessToken: string } | undefined;

  const usable = async (current: ConnectionRow): Promise<GongAuthorization> => {
    const { generation, gong_expires_at: expiresAt } = current;
    if (opened?.generation !== generation) {
      try {
        const sealed = current.gong_access_token_sealed ?? "";
        opened = { generation, accessToken: await seals.openAccessToken(sealed, generation) };
      } catch (error) {
        if (!(error instanceof Unsealable)) throw error;
        logUnreadable(connection.id, error);
        return { ok: false, reason: "unreadable", retryAfterSeconds: 60 };
      }
    }
    return { ok: true, accessToken: opened.accessToken, generation, expiresAt };
  };

  /** What the row allows now; `mayRefresh` is false after a refresh, so that no caller causes two. */
  const decide = async (mayRefresh: boolean): Promise<GongAuthorization> => {
    const current = row();
    if (current === undefined) return { ok: false, reason: "not_connected", retryAfterSeconds: 0 };
    const decision = decideUse(tokenState(current), nowSeconds());
    switch (decision.kind) {
      case "use":
        return usable(current);
      case "use_and_refresh":
        // The alarm refreshes; asking for it here covers an alarm that never came.
        await connection.schedule();
        return usable(current);
      case "wait":
        return { ok: false, reason: "unavailable", retryAfterSeconds: decision.retryAfterSeconds };
      case "refresh":
        if (!mayRefresh) return { ok: false, reason: "unavailable", retryAfterSeconds: 1 };
        await inTime(refresh(), LONGEST_WAIT_MS);
        return decide(false);
      case "dead":
        if (current.state === "connected") needReconnect(connection, current, "no_refresh_token");
        return current.state === "disconnected" ? { ...REFUSED, reason: "not_connected" } : REFUSED;
    }
  };

  const unavailableUntil = ({ refresh_due_at: dueAt }: ConnectionRow): GongAuthorization => ({
    ok: false,
    reason: "unavailable",
    retryAfterSeconds: Math.max(dueAt - nowSeconds(), 1),
  });

  return {
    authorization: () => decide(true),
    atHand() {
      const current = row();
      if (current === undefined || opened?.generation !== current.generation) return undefined;
      if (decideUse(tokenState(current), nowSeconds()).kind !== "use") return undefined;
      return { ok: true, ...opened, expiresAt: current.gong_expires_at };
    },
    async replaceRejected(generation) {
      const current = row();
      if (current === undefined || current.generation !== generation) return decide(true);
      if (!inFlight()) {
        // Gong's token endpoint failed lately: that is an outage, which no new sign-in would mend.
        if (current.failures > 0 && current.refresh_due_at > nowSeconds()) return unavailableUntil(current);
        if (!mayRefreshRejected(tokenState(current), lastRejectionAt, nowSeconds())) return REFUSED;
      }
      await inTime(refresh(), LONGEST_WAIT_MS);
      const after = row();
      if (after?.state !== "connected") return REFUSED;
      if (after.generation === generation) return unavailableUntil(after);
      lastRejectionAt = nowSeconds();
      return usable(after);
    },
    async refreshIfDue() {
      const current = row();
      if (current?.state === "connected" && current.refresh_due_at <= nowSeconds()) await refresh();
    },
    isRefreshing: inFlight,
  };
}
