// /admin/machine-clients: the machine clients of shared access, listed, made and ended. Every change is a form post of
// a live admin session. Nothing here is stored by a browser: one answer holds a secret.

import type { Context } from "hono";
import { newRoutes, type AppEnv } from "../context.ts";
import {
  endMachineClient,
  EXPIRY_DAYS,
  listMachineClients,
  makeMachineClient,
  type MachineClientProblem,
} from "../domain/machine-clients.ts";
import { actorOf, frameOf, goTo, queryOf } from "./admin-parts.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { ENDPOINTS } from "../oauth/metadata.ts";
import { SCOPES } from "../oauth/scope.ts";
import { MachineClientsPage, MadeMachineClientPage } from "../pages/admin-machine-clients.tsx";
import { problemPage } from "../respond.tsx";

const PROBLEMS: Record<MachineClientProblem, string> = {
  name: "Give it a name that can be read.",
  scope: "Choose at least one thing that it may use.",
  proof: "Choose how it proves itself.",
  keys: "Paste a JWK Set with 1 to 20 public keys: RSA of 2048 to 4096 bits, P-256 or Ed25519, and nothing private.",
  key_set_url: "Give the https URL of its key set, at a public host name and without a port.",
  expiry: "Choose when it ends.",
  name_taken: "A machine client has this name already. Choose another one, so that you can tell them apart.",
  too_many: "There are 200 machine clients. End one that is not needed.",
};

export const adminMachineClients = newRoutes()
  .get("/", adminPage(), async (c) => c.html(await listPage(c)))
  .post("/", adminForm(), async (c) => {
    const act = c.get("act");
    if (act === undefined) return problemPage(c, "admin_form_stale", 403);
    const gateway = c.get("gateway");
    const shared = gateway.config.integrations.find(({ access }) => access === "shared");
    if (shared === undefined) return problemPage(c, "shared_not_connected", 404);
    const made = await makeMachineClient(gateway, act.form, actorOf(c));
    if (made.kind === "refused") {
      const problem = PROBLEMS[made.problem];
      return c.html(await listPage(c, { problem, enteredName: act.form.get("name") ?? "" }), 400);
    }
    return c.html(
      <MadeMachineClientPage
        {...frameOf(c)}
        clientId={made.clientId}
        secret={made.secret}
        tokenEndpoint={gateway.config.publicUrl + ENDPOINTS.token}
        resource={shared.resource}
      />,
      201,
    );
  })
  .post("/:id/end", adminForm(), async (c) => {
    const gateway = c.get("gateway");
    const ended = await endMachineClient(gateway, c.req.param("id"), actorOf(c));
    if (!ended) return problemPage(c, "machine_client_gone", 404);
    return goTo(c, "/admin/machine-clients");
  });

async function listPage(
  c: Context<AppEnv>,
  refused: { readonly problem?: string; readonly enteredName?: string } = {},
) {
  const gateway = c.get("gateway");
  const query = queryOf(c);
  const page = await listMachineClients(gateway, query);
  return (
    <MachineClientsPage
      {...frameOf(c)}
      query={query}
      page={page}
      hasShared={gateway.config.integrations.some(({ access }) => access === "shared")}
      scopes={SCOPES}
      expiryDays={EXPIRY_DAYS}
      {...refused}
    />
  );
}
