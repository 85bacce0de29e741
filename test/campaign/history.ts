// What the stand-in's ledger proves about each person's Gong tokens: when each was presented, what came of it, and how
// far the answer got. Read incrementally, because a ledger grows long. Called by stage.ts and the campaigns' judges.

import type { LedgerEntry, RedemptionResult } from "../gong/ledger.ts";

/** A Gong code or refresh token that was presented at Gong's token endpoint. */
export interface Presentation {
  readonly of: "code" | "refresh_token";
  readonly value: string;
  /** Position of the token in its family: 0 for a code, 1 for the refresh token it bought. */
  readonly generation: number;
  readonly family: string;
  readonly result: RedemptionResult;
  /** Epoch milliseconds. */
  readonly at: number;
  /** When the last byte of the answer was handed to the socket; undefined when it never was. */
  answeredAt: number | undefined;
}

export interface History {
  /** Every presentation of a person's codes and refresh tokens, oldest first. */
  of(person: string): readonly Presentation[];
}

interface Token {
  readonly person: string;
  readonly family: string;
  readonly generation: number;
}

/** Reads `entries`, a ledger that only grows, whenever it is asked. */
export function historyOf(entries: () => readonly LedgerEntry[]): History {
  const tokens = new Map<string, Token>();
  const byPerson = new Map<string, Presentation[]>();
  const byRequest = new Map<number, Presentation>();
  let read = 0;

  const note = (entry: LedgerEntry): void => {
    if (entry.kind === "code_issued") {
      tokens.set(entry.code, { person: entry.person, family: entry.code, generation: 0 });
    } else if (entry.kind === "redemption") {
      const { family = "unknown", generation = 0, person = "nobody" } = tokens.get(entry.value) ?? {};
      const { of, value, result, at } = entry;
      const presentation = { of, value, generation, family, result, at, answeredAt: undefined };
      byRequest.set(entry.request, presentation);
      byPerson.set(person, [...(byPerson.get(person) ?? []), presentation]);
    } else if (entry.kind === "tokens_issued" && entry.refreshToken !== undefined) {
      const { family = "unknown", generation = 0 } = byRequest.get(entry.request) ?? {};
      const { person, refreshToken } = entry;
      if (!tokens.has(refreshToken)) {
        tokens.set(refreshToken, { person, family, generation: generation + 1 });
      }
    } else if (entry.kind === "answer") {
      const presentation = byRequest.get(entry.request);
      if (presentation === undefined) return;
      byRequest.delete(entry.request);
      const whole = entry.fault === undefined || entry.fault === "delay" || entry.fault === "trickle";
      if (entry.outcome === "complete" && whole) presentation.answeredAt = entry.at;
    }
  };
  return {
    of(person) {
      const all = entries();
      for (; read < all.length; read += 1) {
        const entry = all[read];
        if (entry !== undefined) note(entry);
      }
      return byPerson.get(person) ?? [];
    },
  };
}

/** The presentations of refresh tokens, from the `from`-th presentation on. */
export function refreshes(presentations: readonly Presentation[], from = 0): readonly Presentation[] {
  return presentations.slice(from).filter(({ of }) => of === "refresh_token");
}
