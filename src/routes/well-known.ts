// Discovery: RFC 8414 and RFC 9728 documents, built from the settings alone. Every other well-known is a plain 404,
// because clients read any other answer as something it is not.

import { newRoutes } from "../context.ts";
import { noteDiscovery } from "../domain/attempts.ts";
import { servedGrantTypes } from "../domain/served-grant-types.ts";
import {
  AUTHORIZATION_SERVER_METADATA_PATH,
  authorizationServerMetadata,
  PROTECTED_RESOURCE_METADATA_PATH,
  protectedResourceMetadata,
} from "../oauth/metadata.ts";
import type { Config, IntegrationName } from "../config.ts";

const CACHED = { "cache-control": "public, max-age=300" };

export const wellKnown = newRoutes()
  .get(AUTHORIZATION_SERVER_METADATA_PATH, (c) => {
    const { config, now } = c.get("gateway");
    const address = c.req.header("CF-Connecting-IP");
    if (address !== undefined) noteDiscovery(address, now());
    const grantTypes = servedGrantTypes(config);
    return c.json(authorizationServerMetadata(config.publicUrl, { grantTypes }), 200, CACHED);
  })
  .get(PROTECTED_RESOURCE_METADATA_PATH, (c) =>
    c.json(resource(c.get("gateway").config, "main"), 200, CACHED),
  )
  .get(`${PROTECTED_RESOURCE_METADATA_PATH}/mcp`, (c) =>
    c.json(resource(c.get("gateway").config, "main"), 200, CACHED),
  )
  .get(`${PROTECTED_RESOURCE_METADATA_PATH}/shared/mcp`, (c) => {
    const document = resource(c.get("gateway").config, "shared");
    return document === undefined ? c.notFound() : c.json(document, 200, CACHED);
  });

function resource(config: Config, name: IntegrationName) {
  const integration = config.integrations.find((candidate) => candidate.name === name);
  if (integration === undefined) return undefined;
  return protectedResourceMetadata({
    resource: integration.resource,
    issuer: config.publicUrl,
    name: integration.access === "shared" ? "Gong (shared access)" : "Gong",
  });
}
