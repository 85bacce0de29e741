// What Gong last answered to the opening of a conversation, by revision, in the AdminObject: so that agents can start
// while Gong is down. Gong's own words about itself, the same for everybody; nobody's data.

/** Revisions and methods, in all integrations together. */
const MOST_HANDSHAKES = 40;

export type Handshake = {
  /** The JSON of Gong's `result`. */
  readonly result: string;
  /** 1 when Gong opened a session with it. */
  readonly has_session: number;
};

/** Keeps Gong's latest answer. `opening` is the method and the revision that were asked for. */
export function rememberHandshake(
  sql: SqlStorage,
  integration: string,
  opening: string,
  handshake: Handshake,
  now: number,
): void {
  sql.exec(
    "INSERT OR REPLACE INTO handshakes (integration, opening, result, has_session, seen_at) VALUES (?, ?, ?, ?, ?)",
    integration,
    opening,
    handshake.result,
    handshake.has_session,
    now,
  );
  sql.exec(
    `DELETE FROM handshakes WHERE rowid IN (
       SELECT rowid FROM handshakes ORDER BY seen_at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    MOST_HANDSHAKES,
  );
}

/** Gong's latest answer to this opening, or else to the same method in another revision: versions are negotiated. */
export function recallHandshake(
  sql: SqlStorage,
  integration: string,
  opening: string,
): Handshake | undefined {
  const [method = ""] = opening.split(" ");
  return sql
    .exec<Handshake>(
      `SELECT result, has_session FROM handshakes WHERE integration = ?1 AND (opening = ?2 OR opening LIKE ?3)
       ORDER BY opening = ?2 DESC, seen_at DESC LIMIT 1`,
      integration,
      opening,
      `${method} %`,
    )
    .toArray()[0];
}
