// What crosses the border between the AdminObject and whoever asks it
// about calls and policy: plain values in, plain results out.

import type { ToolRules, ToolState } from "../mcp/allowed-tool.ts";
import type { BudgetScope, BudgetWarning } from "../mcp/budgets.ts";
import type { ContentSettings, Policy, PolicyProblem } from "../mcp/policy.ts";
import type { Period } from "../mcp/time-zone.ts";
import type { Actor } from "./audit.ts";

/** A tool call that wants to be made. */
export interface CallRequest {
  /** Random; the same id asked again is the same call. */
  readonly reservationId: string;
  readonly integration: "main" | "shared";
  readonly connectionId: string;
  readonly grantId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly keyId?: string | undefined;
  /** The tools that the agent key is held to; undefined for all that the policy allows. */
  readonly tools?: readonly string[] | undefined;
  readonly tool: string;
  readonly arguments: unknown;
  /** False for a call that is served without asking Gong: judged like any other, counted against no budget. */
  readonly pays: boolean;
}

export type CallRefusal = "tool_not_allowed" | "tool_held_back" | "arguments" | "budget";

export type CallPermit =
  | {
      readonly ok: true;
      /** False for a tool that costs nothing: nothing was reserved, and nothing is to be settled. */
      readonly pays: boolean;
      /** How long a delivered result of this tool may be given again; 0 is never. */
      readonly reuseSeconds: number;
      /** Whether agents with shared access may be given each other's results. */
      readonly shareResults: boolean;
      /** For the log and the agent: most of a budget is used. */
      readonly warning?: BudgetWarning;
      /** The version of the policy that says all this. */
      readonly policyVersion: number;
      /** There while arguments are kept for admins to read. */
      readonly content?: ContentSettings;
    }
  /** `message` is for the agent: it says what would be allowed and repeats nothing from outside. */
  | { readonly ok: false; readonly reason: CallRefusal; readonly message: string };

/** How a call was served. */
export type Served = "paid" | "joined" | "recovered" | "reused" | "refused" | "failed";

export interface CallUse {
  readonly tool: string;
  readonly connectionId: string;
  readonly clientId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly served: Served;
  readonly milliseconds: number;
}

export type UsageGroup = "day" | "connection" | "client" | "key" | "tool";

export interface UsageQuestion {
  /** The first and the last day, `2026-11-22`, in the policy's time zone. */
  readonly from: string;
  readonly to: string;
  readonly groupBy: UsageGroup;
  readonly connectionId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly tool?: string | undefined;
}

/** Calls of one group that were served one way. */
export type UsageRow = {
  /** The day, id or tool; empty for calls without a client or key. */
  readonly name: string;
  readonly served: Served;
  readonly calls: number;
  readonly milliseconds: number;
};

/** The policy in force: version 0 is the default, which nobody has changed. */
export interface PolicyVersion {
  readonly version: number;
  readonly policy: Policy;
}

export type PolicyChange =
  | { readonly ok: true; readonly version: number }
  /** Somebody else was faster: look at the new policy, then change it again. */
  | { readonly ok: false; readonly reason: "changed_meanwhile"; readonly version: number }
  | { readonly ok: false; readonly reason: "invalid"; readonly problems: readonly PolicyProblem[] };

/** How much of a budget is used. */
export type BudgetUse = {
  readonly scope: BudgetScope;
  readonly id: string;
  readonly period: Period;
  readonly used: number;
  /** Absent when there is no limit. */
  readonly most?: number | undefined;
};

/** What decides which tools of a list are shown. */
export interface ListRules extends ToolRules {
  /** For each tool the hashes of its approved definitions. */
  readonly approved: Readonly<Record<string, readonly string[]>>;
}

/** Where a tool was listed: forms of it are told apart by the revision of MCP. */
export interface ToolPlace {
  readonly integration: "main" | "shared";
  readonly revision: string;
}

/** A tool as Gong offers it now. */
export interface ShownTool {
  readonly name: string;
  /** SHA-256 of the definition. */
  readonly hash: string;
  /** Canonical JSON. */
  readonly definition: string;
}

/** One form in which a tool was seen. */
export interface SeenToolChange {
  readonly hash: string;
  readonly definition: string;
  /** Epoch seconds. */
  readonly seenAt: number;
  readonly approvedAt: number | undefined;
  readonly approvedBy: string | undefined;
}

export interface SeenTool {
  readonly integration: "main" | "shared";
  readonly name: string;
  readonly state: ToolState;
  readonly stateSince: number;
  /** The oldest first. */
  readonly approved: readonly SeenToolChange[];
  /** Forms that nobody has approved, the oldest first. */
  readonly waiting: readonly SeenToolChange[];
}

export interface ToolDecision {
  readonly by: Actor;
  readonly integration: "main" | "shared";
  readonly name: string;
  readonly decision: "approve" | "hold";
  /** The hashes of the definitions that the admin was shown. */
  readonly shown: readonly string[];
}
