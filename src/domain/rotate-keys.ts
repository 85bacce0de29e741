// The sweep of a key rotation: what is stored is sealed with the first key, and the admin learns what still needs an
// old one. Deploy the new key second, then first, then run this until nothing names the old key. Many connections are
// looked at in parts; what the parts before found travels in the form, sealed. Called by routes/admin-sections.tsx.

import { open, seal, sealedWith, Unsealable, type SealContext } from "../crypto/seal.ts";
import { log } from "../log.ts";
import type { SealReport } from "../storage/reseal.ts";
import { retrying } from "../storage/stubs.ts";
import { IDENTITY_PLACE } from "../storage/connection-names.ts";
import type { Actor, Gateway } from "./gateway.ts";
import { resealPeople } from "./people.ts";

/** Connections in one part: as many as fit the subrequests of one request with room to spare. */
const PART = 500;
const AT_ONCE = 10;
const MOST_LISTED = 50;
/** Consent forms, sign-ins at Gong, codes and devices that wait are over by then. */
const LONGEST_SIGN_IN_SECONDS = 1800;

/** What one key is still needed for. */
export interface KeyUse {
  readonly kid: string;
  /** Connections of which it seals something. */
  readonly connections: number;
  /** What it has tagged. */
  readonly refreshTokens: number;
  readonly agentKeys: number;
  /** Kept results and questions of paid calls, and when the last of them goes by itself: epoch seconds, 0 for none. */
  readonly results: number;
  readonly resultsUntil: number;
  /** E-mail addresses of people. */
  readonly people: number;
}

export interface KeySweep {
  readonly resealed: number;
  readonly byKid: readonly KeyUse[];
  /** Refreshes in progress or waiting: their answers may need an old key, so sweep again. */
  readonly unfinished: number;
  /** What can't be opened with SEALING_KEYS, fifty at most, and how many there are in all. */
  readonly unreadable: readonly { readonly what: string; readonly missingKid: string }[];
  readonly unreadableCount: number;
  /** How many connections were looked at. */
  readonly looked: number;
  /** About how many were not. No key can go before it is 0. */
  readonly left: number;
}

/** A sweep with the connection it has come to. */
interface Progress {
  readonly sealingKid: string;
  readonly after: string;
  readonly sweep: KeySweep;
}

/** For how long what is neither sealed again nor counted may need the key that was the first when it was made. */
export function keyWaitSeconds({ config }: Gateway): number {
  return Math.max(LONGEST_SIGN_IN_SECONDS, config.accessTokenSeconds);
}

/**
 * Seals what older keys sealed with the first one, and counts what is left, for one part of the connections. `next`
 * leads on while some are left; a `goOn` that does not open, or is from before the first key changed, begins anew.
 */
export async function sweepKeys(
  gateway: Gateway,
  by: Actor,
  goOn?: string,
  part = PART,
): Promise<KeySweep & { readonly next?: string }> {
  const { objects, keyring } = gateway;
  const { after, sweep: before } = (await openProgress(gateway, goOn)) ?? (await begin(gateway));
  const ids = await objects.admin().connectionIds(after, part + 1);
  const looked = ids.slice(0, part);
  const reports: { readonly id: string; readonly report: SealReport }[] = [];
  for (let at = 0; at < looked.length; at += AT_ONCE) {
    const batch = looked.slice(at, at + AT_ONCE).map(async (id) => ({
      id,
      report: await retrying(async (): Promise<SealReport> => objects.connection(id).reseal()),
    }));
    reports.push(...(await Promise.all(batch)));
  }
  await objects.admin().recordAct(by, "keys.swept", keyring.sealingKid);
  log("info", "admin.acted", { action: "keys.swept", connections: reports.length }, gateway);
  const total = Object.values(await objects.admin().countStates()).reduce((sum, n) => sum + n, 0);
  const sweep = add(before, reports);
  if (ids.length <= part) return sweep;
  const unfinished = { ...sweep, left: Math.max(1, total - sweep.looked) };
  const progress = { sealingKid: keyring.sealingKid, after: looked.at(-1) ?? "", sweep: unfinished };
  return { ...unfinished, next: await seal(keyring, place(gateway), JSON.stringify(progress)) };
}

/** What belongs to no connection is sealed first. */
async function begin(gateway: Gateway): Promise<Progress> {
  const uses = new Map<string, KeyUse>();
  const unreadable: { what: string; missingKid: string }[] = [];
  const missingKid = await resealIdentity(gateway);
  if (missingKid !== undefined) unreadable.push({ what: "the key that names connections", missingKid });
  for (const [kid, people] of await resealPeople(gateway)) {
    count(uses, kid, { people });
    if (gateway.keyring.kids.includes(kid)) continue;
    unreadable.push({ what: `e-mail addresses of ${people} people`, missingKid: kid });
  }
  return {
    sealingKid: gateway.keyring.sealingKid,
    after: "",
    sweep: {
      resealed: 0,
      byKid: [...uses.values()],
      unfinished: 0,
      unreadable,
      unreadableCount: unreadable.length,
      looked: 0,
      left: 0,
    },
  };
}

async function openProgress(gateway: Gateway, sealed: string | undefined): Promise<Progress | undefined> {
  if (sealed === undefined) return undefined;
  try {
    const progress: Progress = JSON.parse(await open(gateway.keyring, place(gateway), sealed));
    return progress.sealingKid === gateway.keyring.sealingKid ? progress : undefined;
  } catch (error) {
    if (error instanceof Unsealable) return undefined;
    throw error;
  }
}

function place(gateway: Gateway): SealContext {
  return {
    purpose: "key-sweep",
    environment: gateway.config.publicUrl,
    object: "admin",
    field: "progress",
    generation: 1,
  };
}

function add(
  sweep: KeySweep,
  reports: readonly { readonly id: string; readonly report: SealReport }[],
): KeySweep {
  const uses = new Map(sweep.byKid.map((use) => [use.kid, use]));
  const unreadable = [...sweep.unreadable];
  let { unreadableCount } = sweep;
  for (const { id, report } of reports) {
    for (const kid of report.sealedWith) count(uses, kid, { connections: 1 });
    for (const [kid, refreshTokens] of Object.entries(report.refreshTokens))
      count(uses, kid, { refreshTokens });
    for (const [kid, agentKeys] of Object.entries(report.agentKeys)) count(uses, kid, { agentKeys });
    for (const [kid, kept] of Object.entries(report.results)) {
      count(uses, kid, { results: kept.count, resultsUntil: kept.until });
    }
    if (report.missingKid === undefined) continue;
    unreadableCount += 1;
    if (unreadable.length < MOST_LISTED) unreadable.push({ what: id, missingKid: report.missingKid });
  }
  return {
    resealed: sweep.resealed + reports.filter(({ report }) => report.resealed).length,
    unfinished: sweep.unfinished + reports.filter(({ report }) => report.unfinished).length,
    byKid: [...uses.values()],
    unreadable,
    unreadableCount,
    looked: sweep.looked + reports.length,
    left: 0,
  };
}

const UNUSED = { connections: 0, refreshTokens: 0, agentKeys: 0, results: 0, resultsUntil: 0, people: 0 };

function count(uses: Map<string, KeyUse>, kid: string, more: Partial<KeyUse>): void {
  const known = uses.get(kid) ?? { kid, ...UNUSED };
  uses.set(kid, {
    kid,
    connections: known.connections + (more.connections ?? 0),
    refreshTokens: known.refreshTokens + (more.refreshTokens ?? 0),
    agentKeys: known.agentKeys + (more.agentKeys ?? 0),
    results: known.results + (more.results ?? 0),
    resultsUntil: Math.max(known.resultsUntil, more.resultsUntil ?? 0),
    people: known.people + (more.people ?? 0),
  });
}

/**
 * The key that names connections never changes; what seals it does. Returns the kid that it would need and can't get.
 */
async function resealIdentity(gateway: Gateway): Promise<string | undefined> {
  const { keyring, objects } = gateway;
  const sealed = await objects.admin().currentIdentityKey();
  if (sealed === undefined || sealedWith(sealed) === keyring.sealingKid) return undefined;
  try {
    const key = await open(keyring, IDENTITY_PLACE, sealed);
    await objects.admin().replaceIdentitySeal(sealed, await seal(keyring, IDENTITY_PLACE, key));
    return undefined;
  } catch (error) {
    if (!(error instanceof Unsealable)) throw error;
    log("error", "record.unreadable", { object: "admin", missingKid: error.missingKid }, gateway);
    return error.missingKid ?? sealedWith(sealed) ?? "";
  }
}
