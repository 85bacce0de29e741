// People as Cloudflare Access names them: which connections are theirs, and their e-mail addresses, sealed. Looked up
// by an HMAC of the address under the identity key, which never rotates. Called by the sign-in story, /account and
// /admin.

import { open, seal, sealedWith, Unsealable, type SealContext } from "../crypto/seal.ts";
import { log } from "../log.ts";
import { byAccess } from "../storage/paid-schema.ts";
import type { PersonRow, ResealedPerson } from "../storage/people.ts";
import { identityHash } from "../storage/connection-names.ts";
import type { Gateway } from "./gateway.ts";

const BATCH = 500;

/** What the index keeps of a person. Undefined while the identity key does not open: then nobody can be found by it. */
export async function personRow(gateway: Gateway, email: string): Promise<PersonRow | undefined> {
  const hash = await personHash(gateway, email);
  if (hash === undefined) return undefined;
  return {
    email_hash: hash,
    email_sealed: await seal(gateway.keyring, place(gateway, hash), email),
  };
}

/** The index of a person's e-mail address, as `readAccessIdentity` gives it. */
function personHash(gateway: Gateway, email: string): Promise<string | undefined> {
  // A connection's name begins with a client id, which is never empty.
  return identityHash(gateway, `\nperson\n${email}`);
}

/** The personal connections that this person signed in to at Gong, the newest first. */
export async function connectionsOfPerson(gateway: Gateway, email: string): Promise<readonly string[]> {
  const hash = await personHash(gateway, email);
  return hash === undefined ? [] : gateway.objects.admin().connectionsOfPerson(hash);
}

/** The e-mail addresses of the people who signed in to these connections, by connection id. */
export async function peopleOfConnections(
  gateway: Gateway,
  connectionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const people = new Map<string, string[]>();
  for (const row of await gateway.objects.admin().peopleOfConnections(connectionIds)) {
    const email = await openEmail(gateway, row);
    if (email !== undefined) people.set(row.connection_id, [...(people.get(row.connection_id) ?? []), email]);
  }
  return people;
}

const BY_ACCESS = byAccess("");

/**
 * What the people of ledger rows are called: the e-mail address of whom Cloudflare
 * Access named while it is kept, and every other one as the row has it. `known` is
 * what was looked up before, and is added to; `ask` hears of each look-up.
 */
export async function nameLedgerPeople(
  gateway: Gateway,
  people: readonly (string | null)[],
  known: Map<string, string>,
  ask: () => void = () => undefined,
): Promise<void> {
  const hashes = new Set<string>();
  for (const person of people) {
    if (person === null || known.has(person)) continue;
    known.set(person, person);
    if (person.startsWith(BY_ACCESS)) hashes.add(person.slice(BY_ACCESS.length));
  }
  if (hashes.size === 0) return;
  ask();
  for (const row of await gateway.objects.admin().findPeople([...hashes])) {
    const email = await openEmail(gateway, row);
    if (email !== undefined) known.set(byAccess(row.email_hash), email);
  }
}

/**
 * Seals every address that another key sealed with the first one, a batch in one transaction, and counts by kid what
 * seals them now. Part of the key sweep.
 */
export async function resealPeople(gateway: Gateway): Promise<ReadonlyMap<string, number>> {
  const { keyring, objects } = gateway;
  const counts = new Map<string, number>();
  let after = "";
  for (;;) {
    const rows = await objects.admin().listPeople(after, BATCH);
    const changes: ResealedPerson[] = [];
    for (const row of rows) {
      const kid = sealedWith(row.email_sealed);
      const email = kid === keyring.sealingKid ? undefined : await openEmail(gateway, row);
      if (email !== undefined) {
        const sealed = await seal(keyring, place(gateway, row.email_hash), email);
        changes.push({ before: row.email_sealed, after: { ...row, email_sealed: sealed } });
      }
      const now = email === undefined ? (kid ?? "") : keyring.sealingKid;
      counts.set(now, (counts.get(now) ?? 0) + 1);
    }
    if (changes.length > 0) await objects.admin().replacePersonSeals(changes);
    if (rows.length < BATCH) return counts;
    after = rows.at(-1)?.email_hash ?? "";
  }
}

async function openEmail(gateway: Gateway, row: PersonRow): Promise<string | undefined> {
  try {
    return await open(gateway.keyring, place(gateway, row.email_hash), row.email_sealed);
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    log("error", "record.unreadable", { object: "admin", missingKid: error.missingKid }, gateway);
    return undefined;
  }
}

function place(gateway: Gateway, hash: string): SealContext {
  return {
    purpose: "person",
    environment: gateway.config.publicUrl,
    object: "admin",
    field: `email ${hash}`,
    generation: 1,
  };
}
