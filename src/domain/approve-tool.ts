// What an admin sees of Gong's tools, and the decision about one. Called by routes/admin-tools.tsx.

import { log } from "../log.ts";
import type { PolicyVersion, SeenTool, ToolDecision } from "../storage/admin-rpc.ts";
import type { Gateway } from "./gateway.ts";
import { forgetRules } from "./list-tools.ts";

export type { SeenTool };

export interface ToolsOverview extends PolicyVersion {
  readonly tools: readonly (SeenTool & { readonly access: "personal" | "shared" })[];
}

/** Every tool that was seen on an integration that is configured. */
export async function toolsOverview(gateway: Gateway): Promise<ToolsOverview> {
  const object = gateway.objects.admin();
  const [{ version, policy }, seen] = await Promise.all([object.policy(), object.seenTools()]);
  const tools = seen.flatMap((tool) => {
    const integration = gateway.config.integrations.find(({ name }) => name === tool.integration);
    return integration === undefined ? [] : [{ ...tool, access: integration.access }];
  });
  return { version, policy, tools };
}

/** Approves or holds back a tool. Lists of this isolate follow at once, those of others within seconds. */
export async function decideTool(
  gateway: Gateway,
  decision: ToolDecision,
): Promise<"done" | "unknown_tool" | "changed_meanwhile"> {
  const decided = await gateway.objects.admin().decideTool(decision);
  if (decided === "done") {
    forgetRules(gateway);
    log("info", "admin.acted", { action: `tool.${decision.decision}` }, gateway);
  }
  return decided;
}
