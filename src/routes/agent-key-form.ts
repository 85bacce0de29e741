// The fields of the form that makes an agent key, as the domain takes them. Called by the routes of admins and people.

import type { AgentKeyWish } from "../domain/agent-keys.ts";
import type { FormParameters } from "../oauth/form.ts";
import { TOOL_CHOICES } from "../pages/agent-key-text.ts";

/** Reads `name`, `tools`, `tool-<name>` and `days`. What is missing becomes a wish that is refused by its name. */
export function readAgentKeyForm(form: FormParameters): Omit<AgentKeyWish, "createdBy"> {
  const chosen = TOOL_CHOICES.map(([tool]) => tool).filter((tool) => form.has(`tool-${tool}`));
  return {
    name: form.get("name") ?? "",
    tools: form.get("tools") === "all" ? undefined : chosen,
    expiresInDays: Number(form.get("days") ?? Number.NaN),
  };
}
