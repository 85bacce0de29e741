import type { Requirement } from "../requirement.ts";

export const proxy = {} as const satisfies Record<string, Requirement>;
