// The stand-in Gong: two origins behind one `fetch`, and the methods that tests in the same process use. Called by
// for-tests.ts (workerd tests), serve.ts (real sockets), control.ts and tests.
import { type Arrival, readArrival, requestEntry } from "./arrival.ts";
import { serveAuthorize } from "./authorize.ts";
import { refusedAddressResponse } from "./challenge.ts";
import { faultyAnswer } from "./fault-answers.ts";
import type { FaultLine } from "./faults.ts";
import { issueRestToken, killAccessTokens } from "./grants.ts";
import { editIntegration, type Integration, type IntegrationDraft, newIntegration } from "./integrations.ts";
import { changeKnobs, type KnobChanges, type Knobs } from "./knobs.ts";
import type { LedgerEntry } from "./ledger.ts";
import { serveMcp } from "./mcp.ts";
import { notifyToolsChanged } from "./mcp-sessions.ts";
import { serveMcpWellKnown } from "./metadata.ts";
import { serveToken } from "./oauth.ts";
import { anotherPerson, type Person } from "./people.ts";
import { serveRegistration } from "./registration.ts";
import { watched } from "./streams.ts";
import { createWorld, type Memory, resetWorld, type World, type WorldOptions } from "./world.ts";

export type StandInOptions = WorldOptions;

/** Which tokens `killTokens` ends. Without a person: everybody's. */
export interface TokenChoice {
  kind: "access" | "refresh" | "all";
  person?: string | undefined;
}

export interface StandIn {
  readonly mcpOrigin: string;
  readonly appOrigin: string;
  /**
   * Answers a request to one of the two origins. Rejects with ConnectionDropped where a socket would be reset. A
   * request to any other origin is noted in the ledger, so that tests can assert there is none, and answered 501.
   */
  fetch(request: Request): Promise<Response>;
  /** Back to the start: default people and integrations, the options' knobs, an empty ledger and script. */
  reset(): void;
  knobs(): Knobs;
  /** Lays `changes` over the knobs. Throws a ZodError for an unknown knob or a wrong value. */
  setKnobs(changes: KnobChanges): Knobs;
  /** Adds a line to the fault script. */
  fault(line: FaultLine): void;
  clearFaults(): void;
  pendingFaults(): Array<{ line: FaultLine; calls: number }>;
  ledger(): readonly LedgerEntry[];
  /** What has to be kept for a later stand-in to know the same people and tokens. Live: not to be changed. */
  memory(): Memory;
  /** Adds a person with a paid seat, gone after `reset`. */
  addPerson(id: string): Person;
  /** Changes a person's seat, or deactivates them (A2, I5). */
  changePerson(id: string, changes: Partial<Pick<Person, "seat" | "active">>): Person;
  integrations(): Integration[];
  /** Saves a new integration. Throws IntegrationRefused (I4). */
  createIntegration(draft: IntegrationDraft): Integration;
  /** Edits one. Throws IntegrationRefused for what is fixed for good (I2). */
  editIntegration(clientId: string, changes: IntegrationDraft): Integration;
  deleteIntegration(clientId: string): void;
  /** M6. Ends tokens between two calls, as Gong could: how many it ended. */
  killTokens(choice: TokenChoice): number;
  /** C3. A token of the REST surface, which MCP must not take. */
  restToken(person: string): string;
  /** M3. Announces a changed tool list on all open streams. */
  notifyToolsChanged(): void;
}

/** A stand-in with its own state. `options` says where its two origins are. */
export function createStandIn(options: StandInOptions): StandIn {
  const world = createWorld(options);
  return {
    mcpOrigin: options.mcpOrigin,
    appOrigin: options.appOrigin,
    fetch: (request) => answer(world, request),
    reset: () => resetWorld(world, options),
    knobs: () => world.knobs,
    setKnobs: (changes) => (world.knobs = changeKnobs(world.knobs, changes)),
    fault: (line) => world.faults.add(line),
    clearFaults: () => world.faults.clear(),
    pendingFaults: () => world.faults.pending(),
    ledger: () => world.ledger.entries(),
    memory: () => ({ book: world.book, people: world.people, consents: world.consents }),
    addPerson: (id) => {
      const person = anotherPerson(id, world.people.size + 1);
      world.people.set(id, person);
      return person;
    },
    changePerson: (id, changes) => Object.assign(personNamed(world, id), changes),
    ...integrationsForm(world),
    killTokens: (choice) => killTokens(world, choice),
    restToken: (person) => issueRestToken(world.book, world.nowMs(), personNamed(world, person)),
    notifyToolsChanged: () => notifyToolsChanged(world),
  };
}

/** I1 to I4. What a tech admin does in Gong's admin center. */
function integrationsForm(
  world: World,
): Pick<StandIn, "integrations" | "createIntegration" | "editIntegration" | "deleteIntegration"> {
  const named = (clientId: string): Integration => {
    const integration = world.integrations.get(clientId);
    if (integration === undefined) throw new Error(`No integration has the client id ${clientId}`);
    return integration;
  };
  const save = (integration: Integration): Integration => {
    world.integrations.set(integration.clientId, integration);
    return integration;
  };
  return {
    integrations: () => [...world.integrations.values()],
    createIntegration: (draft) => save(newIntegration(world.knobs, draft)),
    editIntegration: (clientId, changes) => save(editIntegration(world.knobs, named(clientId), changes)),
    deleteIntegration: (clientId) => void save({ ...named(clientId), deleted: true }),
  };
}

async function answer(world: World, request: Request): Promise<Response> {
  const arrival = await readArrival(request, sideOf(world, request));
  const { ledger } = world;
  arrival.seq = ledger.append(requestEntry(arrival));
  const fault = world.faults.take(arrival);
  const noted = fault === undefined ? {} : { fault: fault.kind };
  const serve = (): Promise<Response> => route(world, arrival);
  try {
    const response = await (fault === undefined ? serve() : faultyAnswer(world, arrival, fault, serve));
    const { status } = response;
    return watched(response, (outcome) => {
      ledger.append({ kind: "answer", request: arrival.seq, outcome, status, ...noted });
    });
  } catch (error) {
    const outcome = arrival.signal.aborted ? "client_gone" : "dropped";
    ledger.append({ kind: "answer", request: arrival.seq, outcome, ...noted });
    throw error;
  }
}

function sideOf(world: World, request: Request): Arrival["side"] {
  const { origin } = new URL(request.url);
  if (origin === world.mcpOrigin) return "mcp";
  return origin === world.appOrigin ? "app" : "elsewhere";
}

async function route(world: World, arrival: Arrival): Promise<Response> {
  if (arrival.side === "elsewhere") {
    const text = `The tests have no network: nothing answers for ${arrival.url.host}.\n`;
    return new Response(text, { status: 501 });
  }
  if (arrival.side === "mcp") {
    return arrival.endpoint === "mcp" ? serveMcp(world, arrival) : serveMcpWellKnown(world, arrival);
  }
  if (world.knobs.refusedAddressAt === "everywhere") return refusedAddressResponse();
  switch (arrival.endpoint) {
    case "authorize":
      return serveAuthorize(world, arrival);
    case "token":
      return serveToken(world, arrival);
    case "register":
      return serveRegistration(world, arrival);
    default:
      // D5, T12. Third party: no well-known on this origin. Documented by absence: no revocation endpoint.
      return new Response("Not found\n", { status: 404, headers: { "content-type": "text/plain" } });
  }
}

function personNamed(world: World, id: string): Person {
  const person = world.people.get(id);
  if (person === undefined) throw new Error(`Nobody is called ${id}`);
  return person;
}

function killTokens(world: World, { kind, person }: TokenChoice): number {
  const isMeant = (id: string): boolean => person === undefined || person === id;
  let killed = 0;
  for (const accessToken of world.book.accessTokens.values()) {
    if (kind === "refresh" || !isMeant(accessToken.grant.person.id)) continue;
    killAccessTokens(world.book, accessToken.grant);
    killed += 1;
  }
  for (const refreshToken of world.book.refreshTokens.values()) {
    if (kind === "access" || !isMeant(refreshToken.grant.person.id)) continue;
    refreshToken.state = "killed";
    killed += 1;
  }
  return killed;
}
