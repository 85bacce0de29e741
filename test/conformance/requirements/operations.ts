import type { Requirement } from "../requirement.ts";

export const operations = {} as const satisfies Record<string, Requirement>;
