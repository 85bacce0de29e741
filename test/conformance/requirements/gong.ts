import type { Requirement } from "../requirement.ts";

export const gong = {} as const satisfies Record<string, Requirement>;
