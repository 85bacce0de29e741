// The sweep of a key rotation: every connection is sealed with the first key, and the admin learns what still needs an
// old one. Deploy the new key second, then first, then run this until nothing names the old key.

import { open, seal, sealedWith, Unsealable } from "../crypto/seal.ts";
import { log } from "../log.ts";
import type { SealReport } from "../storage/reseal.ts";
import { retrying } from "../storage/stubs.ts";
import { IDENTITY_PLACE } from "../storage/connection-names.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { resealPeople } from "./people.ts";

const MOST_CONNECTIONS = 5000;
const AT_ONCE = 10;

export interface KeySweep {
  readonly resealed: number;
  /** By kid: how many connections it seals, and how many refresh tokens and agent keys it has tagged. */
  readonly byKid: readonly {
    readonly kid: string;
    readonly connections: number;
    readonly refreshTokens: number;
    readonly agentKeys: number;
  }[];
  /** Refreshes in progress or waiting: their answers may need an old key, so sweep again. */
  readonly unfinished: number;
  /** Connections whose key is not in SEALING_KEYS. */
  readonly unreadable: readonly { readonly connectionId: string; readonly missingKid: string }[];
}

/** Seals what older keys sealed with the first one, and counts what is left. */
export async function sweepKeys(gateway: Gateway, by: Actor): Promise<KeySweep> {
  const { objects } = gateway;
  await resealIdentity(gateway);
  await resealPeople(gateway);
  const entries = await objects.admin().listConnections(MOST_CONNECTIONS);
  const reports: { readonly id: string; readonly report: SealReport }[] = [];
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const batch = entries.slice(at, at + AT_ONCE).map(async ({ id }) => ({
      id,
      report: await retrying(async (): Promise<SealReport> => objects.connection(id).reseal()),
    }));
    reports.push(...(await Promise.all(batch)));
  }
  await objects.admin().recordAct(by, "keys.swept", gateway.keyring.sealingKid);
  log("info", "admin.acted", { action: "keys.swept", connections: reports.length });
  return {
    resealed: reports.filter(({ report }) => report.resealed).length,
    unfinished: reports.filter(({ report }) => report.unfinished).length,
    byKid: count(reports.map(({ report }) => report)),
    unreadable: reports.flatMap(({ id, report: { missingKid } }) =>
      missingKid === undefined ? [] : [{ connectionId: id, missingKid }],
    ),
  };
}

function count(reports: readonly SealReport[]): KeySweep["byKid"] {
  const kids = new Map<string, { connections: number; refreshTokens: number; agentKeys: number }>();
  const of = (kid: string) => {
    const known = kids.get(kid) ?? { connections: 0, refreshTokens: 0, agentKeys: 0 };
    kids.set(kid, known);
    return known;
  };
  for (const { sealedWith: kid, refreshTokens, agentKeys } of reports) {
    if (kid !== undefined) of(kid).connections += 1;
    for (const [tagKid, number] of Object.entries(refreshTokens)) of(tagKid).refreshTokens += number;
    for (const [tagKid, number] of Object.entries(agentKeys)) of(tagKid).agentKeys += number;
  }
  return [...kids].map(([kid, counts]) => ({ kid, ...counts }));
}

/** The key that names connections never changes; what seals it does. */
async function resealIdentity(gateway: Gateway): Promise<void> {
  const { keyring, objects } = gateway;
  const sealed = await objects.admin().currentIdentityKey();
  if (sealed === undefined || sealedWith(sealed) === keyring.sealingKid) return;
  try {
    const key = await open(keyring, IDENTITY_PLACE, sealed);
    await objects.admin().replaceIdentitySeal(sealed, await seal(keyring, IDENTITY_PLACE, key));
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    log("error", "record.unreadable", { object: "admin", missingKid: error.missingKid });
  }
}
