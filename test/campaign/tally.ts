// What a campaign counts, and the table it ends in. Called by run.ts and by every campaign.

export interface Tally {
  readonly campaign: string;
  tried: number;
  /** A connection or grant that can't be used although what it needs had reached us. */
  lost: number;
  /** A single-use credential spent twice without need. */
  doubled: number;
  /** Something that was ended works again, or an older token is used after a newer one. */
  revived: number;
  /** No answer within bounded time, or an answer that no retry and no new sign-in changes. */
  stuck: number;
  /**
   * A secret on disk or in the log, an exception nobody caught, a change without its audit, another person's answer.
   */
  broken: number;
  /** Gong answered, and the answer can't have reached us: it needs a person, who signs in again. */
  ambiguous: number;
  /** The answer was handed to our socket, and the process was killed before it was on disk. */
  inMemory: number;
  seconds: number;
  /** What must not happen, with the seed that repeats it. */
  readonly problems: string[];
  /** What nothing could have saved. */
  readonly notes: string[];
}

export type Verdict = "lost" | "doubled" | "revived" | "stuck" | "broken" | "ambiguous" | "inMemory";

export function newTally(campaign: string): Tally {
  const none = {
    tried: 0,
    lost: 0,
    doubled: 0,
    revived: 0,
    stuck: 0,
    broken: 0,
    ambiguous: 0,
    inMemory: 0,
    seconds: 0,
  };
  return { campaign, ...none, problems: [], notes: [] };
}

/** Counts a verdict; one that must not happen is also told, with the seed that repeats it. */
export function count(tally: Tally, verdict: Verdict, seed: number, what: string): void {
  tally[verdict] += 1;
  const told = `${tally.campaign}, --seed ${seed}: ${verdict}: ${what}`;
  (verdict === "ambiguous" || verdict === "inMemory" ? tally.notes : tally.problems).push(told);
}

export const failures = (tally: Tally): number =>
  tally.lost + tally.doubled + tally.revived + tally.stuck + tally.broken;

const COLUMNS = [
  "tried",
  "lost",
  "doubled",
  "revived",
  "stuck",
  "broken",
  "ambiguous",
  "inMemory",
  "seconds",
] as const;

const LEGEND = `tried      races, or connections that had something in flight when it was killed, reset or made to fail
broken     a secret on disk or in the log, an exception nobody caught, a change without its row in the
           audit, an answer from another person's data, without its security headers, or that leads elsewhere
ambiguous  Gong acted and its answer was lost on the wire before any byte reached us: the person signs in again
inMemory   the answer was handed to our socket and the process was killed before anything could be on disk`;

/** The table, one line per campaign, with its legend. */
export function table(tallies: readonly Tally[]): string {
  const rows = tallies.map((tally) => [
    tally.campaign,
    ...COLUMNS.map((column) => (column === "seconds" ? tally.seconds.toFixed(0) : String(tally[column]))),
  ]);
  const all = [["campaign", ...COLUMNS], ...rows];
  const widths = all[0]?.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? [];
  const lines = all.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
  return `${lines.join("\n")}\n\n${LEGEND}`;
}
