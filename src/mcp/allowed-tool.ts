// The one decision whether a caller may use a tool: asked for each tool of a list that is shown and for each call that
// is made, so that what is not allowed is neither listed nor callable. Called by domain/list-tools and the AdminObject.
// MCP 2026-07-28, Tools, Security Considerations.

import { GONG_TOOLS, ownEntry, toolSettingsOf, type Policy, type ToolRule } from "./policy.ts";

/** Who wants to use a tool. */
export interface ToolUser {
  readonly access: "personal" | "shared";
  readonly clientId?: string | undefined;
  readonly keyId?: string | undefined;
  /** The tools that the agent key was made for; undefined for all that the policy allows. */
  readonly tools?: readonly string[] | undefined;
}

/** The policy, and for each tool seen at Gong whether its definition is approved or held back. */
export interface ToolRules {
  readonly policy: Policy;
  readonly states: Readonly<Record<string, ToolState>>;
}

export type ToolState = "approved" | "held";

export type ToolVerdict = "allowed" | "not_allowed" | "held_back";

/**
 * Says whether `who` may use `tool`: every rule that fits the caller must allow it, and its definition must not wait
 * for an admin. A tool never seen before is judged as a new one.
 */
export function allowedTool(rules: ToolRules, who: ToolUser, tool: string): ToolVerdict {
  const { policy, states } = rules;
  const applied = [
    policy.access[who.access],
    ownEntry(policy.clients, who.clientId),
    ownEntry(policy.keys, who.keyId),
  ];
  if (who.tools?.includes(tool) === false) return "not_allowed";
  if (!applied.every((rule) => rule === undefined || admits(rule, tool))) return "not_allowed";
  return (ownEntry(states, tool) ?? stateAtFirstSight(policy, tool)) === "held" ? "held_back" : "allowed";
}

function admits({ allow, deny }: ToolRule, tool: string): boolean {
  return !deny.includes(tool) && (allow === undefined || allow.includes(tool));
}

/** What becomes of a tool when it is first seen: Gong's own are trusted as they are, others as the policy says. */
export function stateAtFirstSight(policy: Policy, tool: string): ToolState {
  return GONG_TOOLS.has(tool) ? "approved" : stateAfterChange(policy, tool);
}

/** What becomes of a tool whose definition is another than an admin, or the first sight, approved. */
export function stateAfterChange(policy: Policy, tool: string): ToolState {
  if (policy.holdBack === "all") return "held";
  return policy.holdBack === "paid" && toolSettingsOf(policy, tool).pays ? "held" : "approved";
}
