import type { Requirement } from "../requirement.ts";

export const authorizationServer = {} as const satisfies Record<string, Requirement>;
