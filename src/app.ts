// The table of contents: every URL, in order, with the error channel it answers in. MCP calls are dispatched ahead of
// the router, which is a good part of what they would cost.

import { newRoutes } from "./context.ts";
import { anyOrigin } from "./middleware/cors.ts";
import { requestContext } from "./middleware/request-context.ts";
import { jsonHeaders, pageHeaders } from "./middleware/security-headers.ts";
import { asJson, asPage } from "./respond.tsx";
import { account } from "./routes/account.tsx";
import { adminAgentKeys } from "./routes/admin-agent-keys.tsx";
import { adminPolicy } from "./routes/admin-policy.tsx";
import { adminTools } from "./routes/admin-tools.tsx";
import { adminSetup } from "./routes/admin-setup.tsx";
import { adminSpend } from "./routes/admin-spend.tsx";
import { adminSessions } from "./routes/admin-sessions.tsx";
import { adminMachineClients } from "./routes/admin-machine-clients.tsx";
import { admin } from "./routes/admin.tsx";
import { authorize } from "./routes/authorize.tsx";
import { callback } from "./routes/callback.ts";
import { device, deviceAuthorization } from "./routes/device.tsx";
import { health } from "./routes/health.ts";
import { home } from "./routes/home.tsx";
import { mcpEndpoint, serveMcp } from "./routes/mcp.ts";
import { register } from "./routes/register.ts";
import { token } from "./routes/token.ts";
import { wellKnown } from "./routes/well-known.ts";

/** Every URL but those of MCP. */
export function createRouter() {
  const discovery = newRoutes().use("/.well-known/*", anyOrigin(), jsonHeaders()).route("/", wellKnown);
  const oauth = newRoutes();
  for (const path of ["/token", "/revoke", "/register", "/device_authorization"]) {
    oauth.use(path, anyOrigin(), jsonHeaders());
  }
  oauth.route("/", token).route("/", register).route("/", deviceAuthorization).onError(asJson);
  const pages = newRoutes();
  for (const path of ["/", "/authorize/*", "/device/*", "/callback"]) {
    pages.use(path, pageHeaders({ isolated: false }));
  }
  pages.route("/", home).route("/", authorize).route("/", device).route("/", callback).onError(asPage);
  const accountPages = newRoutes()
    .use(pageHeaders({ isolated: true }))
    .route("/", account)
    .onError(asPage);
  const adminPages = newRoutes()
    .use(pageHeaders({ isolated: true }))
    .route("/", adminAgentKeys)
    .route("/", adminSetup)
    .route("/", adminSessions)
    .route("/", adminPolicy)
    .route("/", adminSpend)
    .route("/", adminTools)
    .route("/machine-clients", adminMachineClients)
    .route("/", admin)
    .onError(asPage);

  return newRoutes()
    .route("/health", health)
    .use(requestContext())
    .route("/", discovery)
    .route("/", oauth)
    .route("/", pages)
    .route("/account", accountPages)
    .route("/admin", adminPages)
    .notFound((c) => c.json({ error: "not_found" }, 404, { "x-content-type-options": "nosniff" }))
    .onError(asJson);
}

/** The gateway as a Worker. */
export function createApp(): ExportedHandler<Env> {
  const router = createRouter();
  return {
    fetch(request, env, context) {
      const endpoint = mcpEndpoint(request.url);
      return endpoint === undefined
        ? router.fetch(request, env, context)
        : serveMcp(request, env, context, endpoint);
    },
  };
}
