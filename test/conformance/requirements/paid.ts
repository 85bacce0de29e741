import type { Requirement } from "../requirement.ts";

export const paid = {
  "paid.identity": {
    source: "RFC 8785, gateway",
    behaviour:
      "Two calls are the same exactly when they ask the same of Gong, whatever their ids and spelling.",
  },
  "paid.ledger": {
    source: "gateway",
    behaviour: "Every paid call has a row without content: who, what tool, how served, what became of it.",
  },
} as const satisfies Record<string, Requirement>;
