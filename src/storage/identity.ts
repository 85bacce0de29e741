// The sealed key that personal connections are named with, in the AdminObject. It is made once and stays for good.

/** The key that is kept: the first candidate ever offered. */
export function identityKey(sql: SqlStorage, candidateSealed: string): string {
  const known = currentIdentityKey(sql);
  if (known === undefined) sql.exec("INSERT INTO identity (only, key_sealed) VALUES (1, ?)", candidateSealed);
  return known ?? candidateSealed;
}

/** The key as it is stored, if there is one. */
export function currentIdentityKey(sql: SqlStorage): string | undefined {
  return sql.exec<{ key_sealed: string }>("SELECT key_sealed FROM identity").toArray()[0]?.key_sealed;
}
