// GET /: what this is and how to connect each client, with this deployment's own URLs.

import { newRoutes, nonceOf } from "../context.ts";
import { HomePage } from "../pages/home.tsx";

export const home = newRoutes().get("/", (c) => {
  const { config } = c.get("gateway");
  c.header("Cache-Control", "no-store");
  return c.html(
    <HomePage
      nonce={nonceOf(c)}
      gatewayName={new URL(config.publicUrl).host}
      mcpUrl={config.integrations[0].resource}
      access={config.integrations[0].access}
      sharedMcpUrl={config.resources.shared}
    />,
  );
});
