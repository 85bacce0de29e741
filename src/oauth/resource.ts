// Which of the gateway's MCP endpoints a token is for. Called by authorization-request.ts, and by domain for token
// requests. RFC 8707 §2; the tolerated spellings are those that MCP clients send for the same endpoint.
import { OAuthError } from "../errors.ts";

/** The endpoints of this deployment, in the exact spelling that metadata publishes and tokens are bound to. */
export interface Resources {
  /** e.g. `https://gateway.example`: lower case, no default port, no slash at the end. */
  readonly origin: string;
  /** The default integration, e.g. `https://gateway.example/mcp`. */
  readonly main: string;
  /** The integration with shared access, e.g. `https://gateway.example/shared/mcp`; undefined when not configured. */
  readonly shared: string | undefined;
}

// Scheme, host, port and the rest. A regular expression, and not a URL parser, so that nothing is decoded or resolved:
// `/mcp/../x` and `%2e` stay what they are and match nothing.
const ABSOLUTE = /^([A-Za-z]+):\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(\/.*)?$/;
const DEFAULT_PORT: ReadonlyMap<string, string> = new Map([
  ["https", ":443"],
  ["http", ":80"],
]);

/**
 * The resource that a request's `resource` parameters name (RFC 8707 §2): the main one when there is none or only
 * the origin, else the one that all values spell. Maps one slash at the end, upper case in scheme and host, and an
 * explicit default port. Refuses everything else with `invalid_target`, also values that name two different resources.
 */
export function resolveResource(values: readonly string[], resources: Resources): string {
  const named = new Set(values.map((value) => canonicalResource(value, resources)));
  const [resource = resources.main] = named;
  if (named.size > 1) {
    throw new OAuthError("invalid_target", "Ask for one resource at a time.", {
      reason: "several_resources",
    });
  }
  return resource;
}

function canonicalResource(value: string, { origin, main, shared }: Resources): string {
  const spelled = withoutTrailingSlash(canonicalOrigin(value));
  if (spelled === origin || spelled === main) return main;
  if (shared !== undefined && spelled === shared) return shared;
  throw new OAuthError("invalid_target", "Ask for the resource that the protected resource metadata names.", {
    reason: "foreign_resource",
  });
}

/** `value` with its origin in canonical spelling; anything that is not an absolute URI becomes the empty string. */
function canonicalOrigin(value: string): string {
  const [, scheme, host, port = "", rest = ""] = ABSOLUTE.exec(value) ?? [];
  if (scheme === undefined || host === undefined) return "";
  const lowerScheme = scheme.toLowerCase();
  const spelledPort = port === DEFAULT_PORT.get(lowerScheme) ? "" : port;
  return `${lowerScheme}://${host.toLowerCase()}${spelledPort}${rest}`;
}

function withoutTrailingSlash(uri: string): string {
  return uri.endsWith("/") ? uri.slice(0, -1) : uri;
}
