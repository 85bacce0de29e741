// What differs between two JSON values, member by member: the audit's from and to of a policy, and what changed in a
// tool. Called by the AdminObject and the tools page.

import { isJsonObject } from "../json.ts";

export interface MemberChange {
  /** The member's path, joined by dots. */
  readonly path: string;
  /** JSON, or `none` for a member that is absent. */
  readonly from: string;
  readonly to: string;
}

/** The members of `after` that differ from `before`, in the order of their paths. A list counts as one member. */
export function memberChanges(before: unknown, after: unknown): readonly MemberChange[] {
  const [was, is] = [membersOf(before), membersOf(after)];
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths.flatMap((path) => {
    const [from, to] = [was.get(path) ?? "none", is.get(path) ?? "none"];
    return from === to ? [] : [{ path, from, to }];
  });
}

function membersOf(
  value: unknown,
  path: readonly string[] = [],
  members: Map<string, string> = new Map(),
): ReadonlyMap<string, string> {
  if (!isJsonObject(value)) return members.set(path.join("."), JSON.stringify(value));
  for (const [name, member] of Object.entries(value)) membersOf(member, [...path, name], members);
  // A rule or limit that says nothing differs from one that is not there.
  if (Object.keys(value).length === 0 && path.length > 0) members.set(path.join("."), "{}");
  return members;
}
