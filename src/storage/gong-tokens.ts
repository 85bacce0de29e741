// A Gong access token for one call: opened, refreshed first if it must be, or the reason why there is none. The wiring
// of gong/refresh-machine.ts into the ConnectionObject; the refresh itself is gong-refresh.ts.

import { inTime, nowSeconds } from "../clock.ts";
import { Unsealable } from "../crypto/seal.ts";
import { decideUse, mayRefreshRejected } from "../gong/refresh-machine.ts";
import type { ConnectionRow } from "./connection-schema.ts";
import { tokenState } from "./connection-state.ts";
import { createGongRefresh, needReconnect, type Connection, type GongRefresh } from "./gong-refresh.ts";
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

/** How long a caller waits for a refresh: longer than Gong is given, because our own storage can be slow, too. */
const LONGEST_WAIT_MS = 20_000;

const REFUSED = { ok: false, reason: "needs_reconnect", retryAfterSeconds: 0 } as const;

/** The Gong tokens of one connection. One per instance of the object: what was opened and refused is in memory. */
export class GongTokenStore {
  readonly #connection: Connection;
  readonly #refresh: GongRefresh;
  #lastRejectionAt: number | undefined;
  #opened: { readonly generation: number; readonly accessToken: string } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#refresh = createGongRefresh(connection);
  }

  /** A Gong access token that lives long enough for a call, refreshed first if it must be. */
  authorization(): Promise<GongAuthorization> {
    return this.#decide(true);
  }

  /**
   * The same without waiting for anything; undefined when the token has to be opened or refreshed, or there is none.
   */
  atHand(): GongAuthorization | undefined {
    const current = this.#connection.row();
    const opened = this.#opened;
    if (current === undefined || opened?.generation !== current.generation) return undefined;
    if (decideUse(tokenState(current), nowSeconds()).kind !== "use") return undefined;
    return { ok: true, ...opened, expiresAt: current.gong_expires_at };
  }

  /** The answer to Gong's 401 for the token of `generation`: a newer one, after one refresh at most. */
  async replaceRejected(generation: number): Promise<GongAuthorization> {
    const { row } = this.#connection;
    const current = row();
    if (current === undefined || current.generation !== generation) return this.#decide(true);
    if (!this.isRefreshing()) {
      // Gong's token endpoint failed lately: that is an outage, which no new sign-in would mend.
      if (current.failures > 0 && current.refresh_due_at > nowSeconds()) return unavailableUntil(current);
      if (!mayRefreshRejected(tokenState(current), this.#lastRejectionAt, nowSeconds())) return REFUSED;
    }
    await inTime(this.#refresh.refresh(), LONGEST_WAIT_MS);
    const after = row();
    if (after?.state !== "connected") return REFUSED;
    if (after.generation === generation) return unavailableUntil(after);
    this.#lastRejectionAt = nowSeconds();
    return this.#usable(after);
  }

  /** Refreshes if one is due; for the alarm. Failures are recorded, not thrown. */
  async refreshIfDue(): Promise<void> {
    const current = this.#connection.row();
    if (current?.state === "connected" && current.refresh_due_at <= nowSeconds())
      await this.#refresh.refresh();
  }

  isRefreshing(): boolean {
    return this.#refresh.inFlight();
  }

  /** What the row allows now; `mayRefresh` is false after a refresh, so that no caller causes two. */
  async #decide(mayRefresh: boolean): Promise<GongAuthorization> {
    const connection = this.#connection;
    const current = connection.row();
    if (current === undefined) return { ok: false, reason: "not_connected", retryAfterSeconds: 0 };
    const decision = decideUse(tokenState(current), nowSeconds());
    switch (decision.kind) {
      case "use":
        return this.#usable(current);
      case "use_and_refresh":
        // The alarm refreshes; asking for it here covers an alarm that never came.
        await connection.schedule();
        return this.#usable(current);
      case "wait":
        return { ok: false, reason: "unavailable", retryAfterSeconds: decision.retryAfterSeconds };
      case "refresh":
        if (!mayRefresh) return { ok: false, reason: "unavailable", retryAfterSeconds: 1 };
        await inTime(this.#refresh.refresh(), LONGEST_WAIT_MS);
        return this.#decide(false);
      case "dead":
        if (current.state === "connected") needReconnect(connection, current, "no_refresh_token");
        return current.state === "disconnected" ? { ...REFUSED, reason: "not_connected" } : REFUSED;
    }
  }

  async #usable(current: ConnectionRow): Promise<GongAuthorization> {
    const { id, seals } = this.#connection;
    const { generation, gong_expires_at: expiresAt } = current;
    if (this.#opened?.generation !== generation) {
      try {
        const sealed = current.gong_access_token_sealed ?? "";
        this.#opened = { generation, accessToken: await seals.openAccessToken(sealed, generation) };
      } catch (error) {
        if (!(error instanceof Unsealable)) throw error;
        logUnreadable(id, error);
        return { ok: false, reason: "unreadable", retryAfterSeconds: 60 };
      }
    }
    return { ok: true, accessToken: this.#opened.accessToken, generation, expiresAt };
  }
}

function unavailableUntil({ refresh_due_at: dueAt }: ConnectionRow): GongAuthorization {
  return { ok: false, reason: "unavailable", retryAfterSeconds: Math.max(dueAt - nowSeconds(), 1) };
}
