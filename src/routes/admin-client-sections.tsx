// The sections of /admin about clients: the lists, the client doctor, and the end of a client.

import type { Context } from "hono";
import { newRoutes, type AppEnv } from "../context.ts";
import {
  clientDetail,
  deleteRegistration,
  endClientEverywhere,
  pageClients,
  pageRegistrations,
  pageTraces,
} from "../domain/admin-clients.ts";
import { adminForm, adminPage } from "../middleware/admin-session.ts";
import { ClientPage } from "../pages/admin-client.tsx";
import { ClientsPage, RegistrationsPage } from "../pages/admin-clients.tsx";
import { DoctorPage } from "../pages/admin-doctor.tsx";
import { clientUrl } from "../pages/named.tsx";
import { problemPage } from "../respond.tsx";
import { actorOf, frameOf, goTo, mapPage, queryOf } from "./admin-parts.ts";

export const adminClientSections = newRoutes()
  .get("/clients", adminPage(), async (c) => {
    const query = queryOf(c, ["registration"]);
    const page = mapPage(await pageClients(c.get("gateway"), query), (row) => ({
      clientId: row.client_id,
      name: row.name ?? undefined,
      registration: row.registration,
      redirectUri: row.redirect_uri ?? undefined,
      firstAt: row.first_at,
      usedOn: row.used_on,
      connections: row.connections,
    }));
    return c.html(<ClientsPage {...frameOf(c)} query={query} page={page} />);
  })
  .get("/registrations", adminPage(), async (c) => {
    const query = queryOf(c);
    const page = mapPage(await pageRegistrations(c.get("gateway"), query), (row) => ({
      clientId: row.id,
      name: row.name ?? undefined,
      redirectUris: readUris(row.redirect_uris),
      authMethod: row.auth_method,
      createdAt: row.created_at,
      usedAt: row.used_at ?? undefined,
      expiresAt: row.expires_at,
    }));
    return c.html(<RegistrationsPage {...frameOf(c)} query={query} page={page} />);
  })
  .get("/doctor", adminPage(), async (c) => {
    const query = queryOf(c, ["outcome"]);
    const page = mapPage(await pageTraces(c.get("gateway"), query), (row) => ({
      clientId: row.client_id,
      name: row.name ?? undefined,
      step: row.step,
      reason: row.reason ?? undefined,
      at: row.at,
    }));
    return c.html(<DoctorPage {...frameOf(c)} query={query} page={page} />);
  })
  .get("/client", adminPage(), (c) => clientPage(c, c.req.query("id") ?? ""))
  .post("/client/end", adminForm(), async (c) => {
    const clientId = c.get("act")?.form.get("id") ?? "";
    if ((await clientDetail(c.get("gateway"), clientId)) === undefined)
      return problemPage(c, "client_gone", 404);
    await endClientEverywhere(c.get("gateway"), clientId, actorOf(c));
    return goTo(c, clientUrl(clientId));
  })
  .post("/client/forget", adminForm(), async (c) => {
    const clientId = c.get("act")?.form.get("id") ?? "";
    const deleted = await deleteRegistration(c.get("gateway"), clientId, actorOf(c));
    return deleted ? goTo(c, "/admin/registrations") : problemPage(c, "client_gone", 404);
  });

async function clientPage(c: Context<AppEnv>, clientId: string) {
  const detail = await clientDetail(c.get("gateway"), clientId);
  if (detail === undefined) return problemPage(c, "client_gone", 404);
  return c.html(
    <ClientPage
      {...frameOf(c)}
      {...detail}
      trace={detail.trace.map((row) => ({
        at: row.at,
        step: row.step,
        reason: row.reason ?? undefined,
        requestId: row.request_id ?? undefined,
      }))}
    />,
  );
}

/** As the registry stored them. */
function readUris(stored: string): readonly string[] {
  const uris: string[] = JSON.parse(stored);
  return uris;
}
