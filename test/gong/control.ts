// The control API of a stand-in, JSON over HTTP on an origin of its own: what tests and people turn. Called by
// for-tests.ts and serve.ts; test/support/gong.ts is its client. Its routes are listed in README.md.
import { Hono } from "hono";
import * as z from "zod";
import { IntegrationRefused } from "./integrations.ts";
import type { KnobChanges } from "./knobs.ts";
import type { FaultLine } from "./faults.ts";
import { creditsCharged } from "./ledger-questions.ts";
import { requestLog } from "./ledger.ts";
import type { StandIn } from "./stand-in.ts";

const tokenChoice = z.strictObject({
  kind: z.enum(["access", "refresh", "all"]),
  person: z.string().optional(),
});
const personChanges = z.strictObject({
  seat: z.enum(["paid", "collaborator"]).optional(),
  active: z.boolean().optional(),
});
const integrationDraft = z.strictObject({
  clientId: z.string().optional(),
  clientSecret: z.string().optional(),
  name: z.string().optional(),
  registration: z.enum(["manual", "automatic"]).optional(),
  access: z.enum(["personal", "shared"]).optional(),
  redirectUris: z.array(z.string()).optional(),
  scopes: z.array(z.string()).optional(),
});

/** The control API of `standIn`. Refuses requests that a page of another site could send (they carry `Origin`). */
export function createControl(standIn: StandIn): Hono {
  const control = new Hono();
  control.use(async (c, next) => {
    if (c.req.header("origin") !== undefined) return c.json({ problem: "Not for browsers" }, 403);
    return next();
  });
  control.onError((error, c) => {
    const isCallers = error instanceof z.ZodError || error instanceof IntegrationRefused;
    return c.json({ problem: error.message }, isCallers ? 400 : 500);
  });
  control.get("/", (c) => c.json({ mcpOrigin: standIn.mcpOrigin, appOrigin: standIn.appOrigin }));
  addBehaviour(control, standIn);
  addLedger(control, standIn);
  addAdminCenter(control, standIn);
  return control;
}

function addBehaviour(control: Hono, standIn: StandIn): void {
  control.post("/reset", (c) => {
    standIn.reset();
    return c.json({});
  });
  control.get("/knobs", (c) => c.json(standIn.knobs()));
  control.patch("/knobs", async (c) => c.json(standIn.setKnobs(await c.req.json<KnobChanges>())));
  control.post("/sign-in", async (c) => {
    const { person } = z.strictObject({ person: z.string() }).parse(await c.req.json());
    standIn.changePerson(person, {});
    return c.json(standIn.setKnobs({ signedInAs: person }));
  });
  control.get("/faults", (c) => c.json(standIn.pendingFaults()));
  control.post("/faults", async (c) => {
    standIn.fault(await c.req.json<FaultLine>());
    return c.json({}, 201);
  });
  control.delete("/faults", (c) => {
    standIn.clearFaults();
    return c.json({});
  });
  control.post("/tools-changed", (c) => {
    standIn.notifyToolsChanged();
    return c.json({});
  });
}

function addLedger(control: Hono, standIn: StandIn): void {
  // L1. What a log may show.
  control.get("/requests", (c) => c.json(requestLog(standIn.ledger())));
  // With headers, bodies and token values, for assertions.
  control.get("/ledger", (c) => {
    const since = Number(c.req.query("since") ?? "0");
    return c.json(standIn.ledger().filter((entry) => entry.seq > since));
  });
  control.get("/credits", (c) => c.json({ charged: creditsCharged(standIn.ledger()) }));
}

function addAdminCenter(control: Hono, standIn: StandIn): void {
  control.get("/integrations", (c) => c.json(standIn.integrations()));
  control.post("/integrations", async (c) => {
    return c.json(standIn.createIntegration(draftOf(await c.req.json())), 201);
  });
  control.patch("/integrations/:clientId", async (c) => {
    return c.json(standIn.editIntegration(c.req.param("clientId"), draftOf(await c.req.json())));
  });
  control.delete("/integrations/:clientId", (c) => {
    standIn.deleteIntegration(c.req.param("clientId"));
    return c.json({});
  });
  control.patch("/people/:id", async (c) => {
    const changes = withoutUndefined(personChanges.parse(await c.req.json()));
    return c.json(standIn.changePerson(c.req.param("id"), changes));
  });
  control.post("/tokens/kill", async (c) => {
    return c.json({ killed: standIn.killTokens(tokenChoice.parse(await c.req.json())) });
  });
  control.post("/rest-token", async (c) => {
    const { person } = z.strictObject({ person: z.string() }).parse(await c.req.json());
    return c.json({ token: standIn.restToken(person) });
  });
}

function draftOf(body: unknown): Parameters<StandIn["createIntegration"]>[0] {
  return withoutUndefined(integrationDraft.parse(body));
}

/** JSON has no undefined; the types of what was parsed still allow it. */
function withoutUndefined<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
}
