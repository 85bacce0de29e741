// The company's policy in the AdminObject: the version in force, the earlier ones, and the change from one to the next
// with who made it. Read in the transaction of each call that is decided.

import { memberChanges } from "../mcp/member-changes.ts";
import { DEFAULT_POLICY, parsePolicy } from "../mcp/policy.ts";
import type { PolicyChange, PolicyVersion } from "./admin-rpc.ts";
import { writeAudit, type Actor } from "./audit.ts";
import { putOut } from "./outbox.ts";

/** The name under which the escrow keeps the policy. */
export const POLICY = "policy";

/** Versions kept; the audit tells of more. */
const VERSIONS_KEPT = 100;
/** What a change looks like in the audit is cut off here; the versions have it in full. */
const LONGEST_AUDIT_TARGET = 2000;

const DEFAULT: PolicyVersion = { version: 0, policy: DEFAULT_POLICY };

/** The policy in force. Throws when the stored one can't be read: without a policy nothing may be paid. */
export function currentPolicy(sql: SqlStorage): PolicyVersion {
  const row = newestPolicy(sql);
  if (row === undefined) return DEFAULT;
  const parsed = parsePolicy(JSON.parse(row.policy));
  if (!parsed.ok) throw new Error("The stored policy can't be read by this version of the gateway");
  return { version: row.version, policy: parsed.policy };
}

/** A policy as it is stored. */
export type PolicyRow = {
  readonly version: number;
  readonly policy: string;
  readonly changed_at: number;
  readonly changed_by: string;
};

/** The policy in force as it is stored; undefined while it is the default. */
export function newestPolicy(sql: SqlStorage): PolicyRow | undefined {
  return sql.exec<PolicyRow>("SELECT * FROM policies ORDER BY version DESC LIMIT 1").toArray()[0];
}

/** Puts a policy back in force that is newer than the one in force. Returns whether it is. */
export function putPolicyBack(sql: SqlStorage, row: PolicyRow): boolean {
  if ((newestPolicy(sql)?.version ?? 0) >= row.version) return false;
  insertPolicy(sql, row);
  return true;
}

function insertPolicy(sql: SqlStorage, row: PolicyRow): void {
  sql.exec(
    "INSERT INTO policies (version, policy, changed_at, changed_by) VALUES (?, ?, ?, ?)",
    row.version,
    row.policy,
    row.changed_at,
    row.changed_by,
  );
}

/** The policy of an object that was never written. */
export const defaultPolicy = (): PolicyVersion => DEFAULT;

/**
 * Puts `value` in force as the next version, with an audit row of what changed, if `before` is still the version in
 * force and `value` is a valid policy. A policy equal to the one in force changes nothing.
 */
export function setPolicy(
  sql: SqlStorage,
  change: { readonly by: Actor; readonly before: number; readonly value: unknown },
  now: number,
): PolicyChange {
  const { version, policy } = currentPolicy(sql);
  if (version !== change.before) return { ok: false, reason: "changed_meanwhile", version };
  const parsed = parsePolicy(change.value);
  if (!parsed.ok) return { ok: false, reason: "invalid", problems: parsed.problems };
  const changes = memberChanges(policy, parsed.policy);
  if (changes.length === 0) return { ok: true, version };
  const next = version + 1;
  const row = {
    version: next,
    policy: JSON.stringify(parsed.policy),
    changed_at: now,
    changed_by: change.by.actor,
  };
  insertPolicy(sql, row);
  putOut(sql, POLICY, next, row);
  sql.exec("DELETE FROM policies WHERE version <= ?", next - VERSIONS_KEPT);
  const told = changes.map(({ path, from, to }) => `${path}: ${from} → ${to}`).join("; ");
  const target = told.length > LONGEST_AUDIT_TARGET ? `${told.slice(0, LONGEST_AUDIT_TARGET)}…` : told;
  writeAudit(sql, now, change.by, "policy.changed", target);
  return { ok: true, version: next };
}
