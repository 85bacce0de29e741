// What must hold of every answer that the gateway gives in a campaign: its security headers, and where it leads a browser.
// Called by stage.ts for each answer.

import type { Answer } from "./http.ts";

/** Where a `Location` may lead, up to its query: first our own origin, then whole addresses. */
export type Targets = readonly string[];

/** Everything that is wrong with an answer, in words. RFC 6749 §5.1; RFC 9700 §4.11, §4.16; OWASP ASVS 3.4. */
export function answerFaults(path: string, answer: Answer, targets: Targets): readonly string[] {
  const where = `${path.split("?")[0]} (${answer.status})`;
  return [
    ...missingHeaders(answer).map((name) => `${where} without ${name}`),
    ...strayTarget(where, answer, targets),
  ];
}

function missingHeaders({ headers }: Answer): readonly string[] {
  const policy = String(headers["content-security-policy"] ?? "");
  const type = headers["content-type"] ?? "";
  const required: readonly (readonly [string, boolean])[] = [
    ["nosniff", headers["x-content-type-options"] === "nosniff"],
    ["no-store", !type.startsWith("application/json") || /no-store/.test(headers["cache-control"] ?? "")],
    ["a policy against framing", !type.startsWith("text/html") || policy.includes("frame-ancestors 'none'")],
    ["a referrer policy", !type.startsWith("text/html") || headers["referrer-policy"] !== undefined],
  ];
  return required.filter(([, holds]) => !holds).map(([name]) => name);
}

function strayTarget(where: string, { headers }: Answer, targets: Targets): readonly string[] {
  const { location } = headers;
  if (location === undefined || /^\/(?!\/)/.test(location)) return [];
  const target = location.split("?")[0] ?? "";
  const isKnown = targets.includes(target) || target.startsWith(`${targets[0]}/`);
  return isKnown ? [] : [`${where} leads to ${target}`];
}
