// What the connection knows of Gong's credits: once Gong says that they are used up, calls are refused here at once,
// and one call every few minutes finds out whether there are new ones. SQL on the ConnectionObject's database.

/** Between two calls that find out. */
const PROBE_SECONDS = 300;

/**
 * When Gong is asked again (epoch seconds), while its credits are used up and that time has not come; else undefined.
 */
export function isOutOfCredits(sql: SqlStorage, now: number): number | undefined {
  const [row] = sql.exec<{ probe_at: number }>("SELECT probe_at FROM gong_credits").toArray();
  return row !== undefined && row.probe_at > now ? row.probe_at : undefined;
}

/** Since when Gong says that its credits are used up (epoch seconds); undefined while it does not. */
export function outOfCreditsSince(sql: SqlStorage): number | undefined {
  return sql.exec<{ since: number }>("SELECT since FROM gong_credits").toArray()[0]?.since;
}

/** A call is on its way that finds out: no other one for a while. */
export function noteProbe(sql: SqlStorage, now: number): void {
  sql.exec("UPDATE gong_credits SET probe_at = ?", now + PROBE_SECONDS);
}

/** Gong said that its credits are used up. */
export function noteOutOfCredits(sql: SqlStorage, now: number): void {
  sql.exec(
    `INSERT INTO gong_credits (only, since, probe_at) VALUES (1, ?1, ?2)
     ON CONFLICT (only) DO UPDATE SET probe_at = ?2`,
    now,
    now + PROBE_SECONDS,
  );
}

/** Gong ran nothing of a call that was to find out: the next one finds out. */
export function noteNoProbe(sql: SqlStorage, now: number): void {
  sql.exec("UPDATE gong_credits SET probe_at = ?", now);
}

/** Gong has answered a call: there are credits. */
export function noteCredits(sql: SqlStorage): void {
  sql.exec("DELETE FROM gong_credits");
}
