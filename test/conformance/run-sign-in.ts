// Plays the OAuth scenarios: the scenario is Gong, and an unmodified MCP SDK 2 client signs in at a gateway whose Gong
// it is. What the scenario checks about its client is checked of the gateway's own sign-in at Gong (MCP authorization;
// the gateway is an OAuth client there, with an id and a secret). Called by referee.test.ts through the desk.

import * as z from "zod";
import { createAgent } from "../support/agent.ts";
import { createPerson } from "../support/person.ts";
import { type Build, startGateway } from "../support/workerd.ts";
import { eraOf, type Task } from "./desk.ts";
import { serveRelay } from "./relay.ts";
import { gatewaySettings } from "./stage.ts";

/** Starts a gateway at the scenario's "Gong", signs in and uses its tools. Rejects when the sign-in fails. */
export async function signInAt(build: Build, task: Task): Promise<void> {
  const { url: mcpUrl, context } = task;
  const outbound = await serveRelay(({ url = "" }) => {
    const to = new URL(url);
    return { to, headers: { host: to.host }, ...alterationFor(to) };
  });
  const gateway = await startGateway({
    build,
    outbound: new URL(outbound.origin).host,
    settings: gatewaySettings({
      mcpUrl,
      // Only auth/pre-registration knows its client; the other scenarios take any.
      clientId: context.client_id ?? "registered-by-hand",
      clientSecret: context.client_secret ?? "secret-of-the-integration",
    }),
  });
  try {
    const agent = createAgent({ mcpUrl: `${gateway.origin}/mcp`, person: createPerson(), era: eraOf(task) });
    const client = await agent.connect();
    const { tools } = await client.listTools();
    for (const { name } of tools) await client.callTool({ name, arguments: {} });
    await client.close();
  } finally {
    await Promise.all([gateway.stop(), outbound.close()]);
  }
}

const Metadata = z.looseObject({ token_endpoint_auth_methods_supported: z.array(z.string()) });

/**
 * Most scenarios play an authorization server for public clients. Gong takes client secrets only, and the gateway
 * refuses a Gong that takes none: so the one thing changed on the way is that the server is said to take one.
 */
function alterationFor(url: URL): { readonly alter?: (document: unknown) => unknown } {
  if (!/\/\.well-known\/(oauth-authorization-server|openid-configuration)/.test(url.pathname)) return {};
  return {
    alter(document) {
      const { data } = Metadata.safeParse(document);
      if (data?.token_endpoint_auth_methods_supported.join() !== "none") return document;
      return { ...data, token_endpoint_auth_methods_supported: ["none", "client_secret_post"] };
    },
  };
}
