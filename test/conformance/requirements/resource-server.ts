import type { Requirement } from "../requirement.ts";

export const resourceServer = {} as const satisfies Record<string, Requirement>;
