import type { Requirement } from "../requirement.ts";

export const pages = {} as const satisfies Record<string, Requirement>;
