// What clients try, for the client doctor. A refused request must cost a stranger's flood nothing and store nothing, so
// what happens is first kept in the isolate's memory, bounded, and written to the AdminObject together with the next
// step that writes anyway: a decision of a person, a callback, a token. An admin who opens the doctor takes along what
// waits in the isolate that answers. A trace that is lost with its isolate is lost; nothing else depends on it.

import { errorFields, log } from "../log.ts";
import { retrying } from "../storage/stubs.ts";
import type { Attempt } from "../storage/traces.ts";
import type { Gateway } from "./gateway.ts";

/**
 * Steps of a sign-in, in order; `device` and `code` are those of RFC 8628 §3.1 and
 * §3.3, `call` the first call that worked, `refused` any that did not. Discovery
 * carries no client id: it is the client's that went on from the same address.
 */
export type Step =
  | "discovery"
  | "registration"
  | "device"
  | "code"
  | "authorize"
  | "consent"
  | "approval"
  | "callback"
  | "token"
  | "call"
  | "refused";

/** What the stories learn about the request in hand, for its trace. Text from outside: cut here, cleaned on pages. */
export interface AttemptInHand {
  clientId?: string;
  clientName?: string | undefined;
  /** Why it failed, where no error says so. */
  reason?: string;
}

const MOST_WAITING = 200;
const MOST_OF_CLIENT = 8;
const LONGEST_ID = 200;
const LONGEST_NAME = 100;

const waiting: Attempt[] = [];

const MOST_DISCOVERIES = 500;
const DISCOVERY_SECONDS = 600;

/** When an address last read the metadata, until a client goes on from there. Never stored. */
const discoveries = new Map<string, number>();

/** Notes that somebody at `address` read the authorization server's metadata: RFC 8414 §3. */
export function noteDiscovery(address: string, now: number): void {
  // A flood of addresses loses a trace, nothing else.
  if (discoveries.size >= MOST_DISCOVERIES) discoveries.clear();
  discoveries.set(address, now);
}

/** Gives the discovery from `address`, of the last ten minutes, to the client of this request; once. */
export function claimDiscovery(gateway: Gateway, address: string): void {
  const at = discoveries.get(address);
  if (at === undefined || gateway.attempt.clientId === undefined) return;
  discoveries.delete(address);
  if (at + DISCOVERY_SECONDS > gateway.now()) {
    keep({ ...attemptOf(gateway), at, step: "discovery", reason: undefined, requestId: undefined });
  }
}

/**
 * Notes one step of a client. `writes` says that the step itself wrote, so that what waits may be written too; after
 * the answer, and without making anybody wait.
 */
export function noteAttempt(
  gateway: Gateway,
  outcome: {
    readonly step: Step;
    readonly reason: string | undefined;
    readonly requestId: string | undefined;
  },
  writes: boolean,
): void {
  keep({
    ...attemptOf(gateway),
    at: gateway.now(),
    step: outcome.step,
    reason: outcome.reason ?? gateway.attempt.reason,
    requestId: outcome.requestId,
  });
  if (writes) writeAttempts(gateway);
}

function attemptOf({ attempt: { clientId = "", clientName } }: Gateway): Pick<Attempt, "clientId" | "name"> {
  return {
    clientId: clientId.slice(0, LONGEST_ID).toWellFormed(),
    name: clientName?.slice(0, LONGEST_NAME).toWellFormed(),
  };
}

/** Writes what waits in this isolate, after the answer. */
export function writeAttempts(gateway: Gateway): void {
  gateway.waitUntil(flushAttempts(gateway));
}

/** The same, done when it resolves. A failure costs the traces and is logged. */
export async function flushAttempts(gateway: Gateway): Promise<void> {
  const attempts = waiting.splice(0);
  if (attempts.length === 0) return;
  try {
    await retrying(async () => gateway.objects.admin().recordAttempts(attempts));
  } catch (error) {
    log("warn", "client.not_traced", { attempts: attempts.length, ...errorFields(error) }, gateway);
  }
}

/** Who shares a bound: a client's own steps, or those of everybody who named no client that is known, by reason. */
const bucketOf = ({ clientId, reason }: Attempt): string =>
  clientId === "" || reason === "client_unknown" ? ` ${reason}` : clientId;

function keep(attempt: Attempt): void {
  const own = waiting.filter((other) => bucketOf(other) === bucketOf(attempt));
  const [oldest] = own.length >= MOST_OF_CLIENT ? own : waiting.length >= MOST_WAITING ? waiting : [];
  if (oldest !== undefined) waiting.splice(waiting.indexOf(oldest), 1);
  waiting.push(attempt);
}
