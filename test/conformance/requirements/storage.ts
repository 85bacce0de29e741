import type { Requirement } from "../requirement.ts";

export const storage = {} as const satisfies Record<string, Requirement>;
