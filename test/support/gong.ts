// The stand-in Gong, as tests turn and question it: a typed client of its control API. Works inside workerd (the
// stand-in answers for http://control.gong.test) and in Node.js with `gongAt(served.controlOrigin)`.
import type { FaultLine } from "../gong/faults.ts";
import type { Integration, IntegrationDraft } from "../gong/integrations.ts";
import type { KnobChanges, Knobs } from "../gong/knobs.ts";
import type { LedgerEntry, LoggedRequest } from "../gong/ledger.ts";
import type { Person } from "../gong/people.ts";
import type { TokenChoice } from "../gong/stand-in.ts";

export type { FaultLine, IntegrationDraft, KnobChanges, Knobs, LedgerEntry };

export interface Gong {
  /** Back to the defaults, with an empty ledger. Call it in `beforeEach`. */
  reset(): Promise<void>;
  /** Lays `changes` over the knobs and returns them all. Rejects when a knob does not exist. */
  knobs(changes?: KnobChanges): Promise<Knobs>;
  /** Scripts a fault: by default for the next call to `line.endpoint`, once. */
  fault(line: FaultLine): Promise<void>;
  clearFaults(): Promise<void>;
  /** Lines of the script that are not used up. */
  pendingFaults(): Promise<Array<{ line: FaultLine; calls: number }>>;
  /** Entries after `since`, with secrets; ask it with ../gong/ledger-questions.ts. */
  ledger(since?: number): Promise<LedgerEntry[]>;
  /** Requests without anything secret. */
  requests(): Promise<LoggedRequest[]>;
  /** Credits charged so far. */
  credits(): Promise<number>;
  /** Who is signed in at Gong's authorize page: `ada` (default), `grace` or `collaborator`. */
  signIn(person: string): Promise<void>;
  changePerson(id: string, changes: { seat?: Person["seat"]; active?: boolean }): Promise<Person>;
  /** Ends tokens between two calls; resolves with how many. */
  killTokens(choice: TokenChoice): Promise<number>;
  restToken(person: string): Promise<string>;
  integrations(): Promise<Integration[]>;
  createIntegration(draft: IntegrationDraft): Promise<Integration>;
  editIntegration(clientId: string, changes: IntegrationDraft): Promise<Integration>;
  deleteIntegration(clientId: string): Promise<void>;
  /** Sends `notifications/tools/list_changed` on all open streams. */
  notifyToolsChanged(): Promise<void>;
}

/** The control API refused a request. */
export class GongControlError extends Error {}

/** A client of the control API at `origin`. */
export function gongAt(origin: string): Gong {
  const call = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new GongControlError(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Answer;
  };
  const integration = (clientId: string): string => `/integrations/${encodeURIComponent(clientId)}`;
  return {
    reset: () => call("POST", "/reset"),
    knobs: (changes) => (changes === undefined ? call("GET", "/knobs") : call("PATCH", "/knobs", changes)),
    fault: (line) => call("POST", "/faults", line),
    clearFaults: () => call("DELETE", "/faults"),
    pendingFaults: () => call("GET", "/faults"),
    ledger: (since = 0) => call("GET", `/ledger?since=${since}`),
    requests: () => call("GET", "/requests"),
    credits: async () => (await call<{ charged: number }>("GET", "/credits")).charged,
    signIn: (person) => call("POST", "/sign-in", { person }),
    changePerson: (id, changes) => call("PATCH", `/people/${encodeURIComponent(id)}`, changes),
    killTokens: async (choice) => (await call<{ killed: number }>("POST", "/tokens/kill", choice)).killed,
    restToken: async (person) => (await call<{ token: string }>("POST", "/rest-token", { person })).token,
    integrations: () => call("GET", "/integrations"),
    createIntegration: (draft) => call("POST", "/integrations", draft),
    editIntegration: (clientId, changes) => call("PATCH", integration(clientId), changes),
    deleteIntegration: (clientId) => call("DELETE", integration(clientId)),
    notifyToolsChanged: () => call("POST", "/tools-changed"),
  };
}

/** The stand-in that serves the workerd tests. */
export const gong: Gong = gongAt("http://control.gong.test");
