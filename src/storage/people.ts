// People whom Cloudflare Access named, and the personal connections they signed in to, in the AdminObject.

export type PersonRow = {
  /** HMAC of the e-mail address under the identity key. */
  readonly email_hash: string;
  readonly email_sealed: string;
};

/** Notes that a person signed in; to which personal connection, if to any: that one opens their account. */
export function recordPerson(
  sql: SqlStorage,
  connectionId: string | undefined,
  person: PersonRow,
  now: number,
): void {
  sql.exec(
    `INSERT INTO people (email_hash, email_sealed, seen_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (email_hash) DO UPDATE SET email_sealed = ?2, seen_at = ?3`,
    person.email_hash,
    person.email_sealed,
    now,
  );
  if (connectionId === undefined) return;
  sql.exec(
    `INSERT INTO connection_people (connection_id, email_hash, signed_in_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (connection_id, email_hash) DO UPDATE SET signed_in_at = ?3`,
    connectionId,
    person.email_hash,
    now,
  );
}

/** Forgets people whose last connection has left the index, once the ledger can't name them any more. */
export function forgetPeople(sql: SqlStorage, ledgerSeconds: number, now: number): void {
  sql.exec(
    `DELETE FROM people WHERE seen_at <= ? AND email_hash NOT IN (SELECT email_hash FROM connection_people)`,
    now - ledgerSeconds,
  );
}

/** The connections a person signed in to, the newest sign-in first. */
export function connectionsOfPerson(sql: SqlStorage, emailHash: string): readonly string[] {
  return sql
    .exec<{ connection_id: string }>(
      "SELECT connection_id FROM connection_people WHERE email_hash = ? ORDER BY signed_in_at DESC, connection_id",
      emailHash,
    )
    .toArray()
    .map(({ connection_id }) => connection_id);
}

/** Who signed in to these connections. */
export function peopleOfConnections(
  sql: SqlStorage,
  connectionIds: readonly string[],
): readonly (PersonRow & { readonly connection_id: string })[] {
  return sql
    .exec<PersonRow & { readonly connection_id: string }>(
      `SELECT connection_id, email_hash, email_sealed FROM connection_people JOIN people USING (email_hash)
       WHERE connection_id IN (SELECT value FROM json_each(?)) ORDER BY connection_id, signed_in_at DESC`,
      JSON.stringify(connectionIds),
    )
    .toArray();
}

/** The people with these hashes, as far as they are still known. */
export function findPeople(sql: SqlStorage, hashes: readonly string[]): readonly PersonRow[] {
  return sql
    .exec<PersonRow>(
      "SELECT email_hash, email_sealed FROM people WHERE email_hash IN (SELECT value FROM json_each(?))",
      JSON.stringify(hashes),
    )
    .toArray();
}

/** People in the order of their hashes, from the one after `after`. */
export function listPeople(sql: SqlStorage, after: string, limit: number): readonly PersonRow[] {
  return sql
    .exec<PersonRow>(
      "SELECT email_hash, email_sealed FROM people WHERE email_hash > ? ORDER BY email_hash LIMIT ?",
      after,
      limit,
    )
    .toArray();
}

/** An address under another seal. */
export interface ResealedPerson {
  readonly before: string;
  readonly after: PersonRow;
}

/** The same addresses under other seals; where somebody else was first, nothing happens. */
export function replacePersonSeals(sql: SqlStorage, changes: readonly ResealedPerson[]): void {
  for (const { before, after } of changes) {
    sql.exec(
      "UPDATE people SET email_sealed = ? WHERE email_hash = ? AND email_sealed = ?",
      after.email_sealed,
      after.email_hash,
      before,
    );
  }
}
