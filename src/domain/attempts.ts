// What clients try, for the client doctor. A refused request must cost a stranger's flood nothing and store nothing, so what
// happens is first kept in the isolate's memory, bounded, and written to the AdminObject together with the next step that
// writes anyway: a decision of a person, a callback, a token. An admin who opens the doctor takes along what waits in the
// isolate that answers. A trace that is lost with its isolate is lost; nothing else depends on it.

import { errorFields, log } from "../log.ts";
import { retrying } from "../storage/stubs.ts";
import type { Attempt } from "../storage/traces.ts";
import type { Gateway } from "./gateway.ts";

/**
 * Steps of a sign-in, in order; `device` and `code` are those of RFC 8628 §3.1 and §3.3, `call` the first call that worked,
 * `refused` any that did not. Discovery comes first and carries no client id, so it can't be traced.
 */
export type Step =
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

/**
 * Notes one step of a client. `writes` says that the step itself wrote, so that what waits may be written too; after the
 * answer, and without making anybody wait.
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
  const { clientId = "", clientName, reason } = gateway.attempt;
  keep({
    at: gateway.now(),
    clientId: clientId.slice(0, LONGEST_ID).toWellFormed(),
    name: clientName?.slice(0, LONGEST_NAME).toWellFormed(),
    step: outcome.step,
    reason: outcome.reason ?? reason,
    requestId: outcome.requestId,
  });
  if (writes) writeAttempts(gateway);
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
    log("warn", "client.not_traced", { attempts: attempts.length, ...errorFields(error) });
  }
}

function keep(attempt: Attempt): void {
  const own = waiting.filter(({ clientId }) => clientId === attempt.clientId);
  const [oldest] = own.length >= MOST_OF_CLIENT ? own : waiting.length >= MOST_WAITING ? waiting : [];
  if (oldest !== undefined) waiting.splice(waiting.indexOf(oldest), 1);
  waiting.push(attempt);
}
