// Gong's answer in the pieces that go to the caller that pays: Gong's own bytes, with a warning in the result where a
// budget is nearly used. Read by paid-caller.ts. MCP 2025-11-25, `_meta`; WHATWG HTML §9.2.6.

import type { BudgetWarning } from "../mcp/budgets.ts";
import { createEventCutter, dataOf, withData } from "../mcp/event-filter.ts";
import { withWarning } from "../mcp/paid-answer.ts";
import type { PaidFlight } from "./paid-flight.ts";

export interface Pieces {
  /** The next piece; undefined while there is none, and for good once the flight has ended. */
  next(): Uint8Array | undefined;
  /** Whether something of ours may stand after the pieces so far. */
  readonly mayInterrupt: boolean;
}

/**
 * The pieces of a flight's answer as they come. With a warning,
 * events come whole, and JSON when its last byte has come.
 */
export function piecesOf(flight: PaidFlight, warning: BudgetWarning | undefined): Pieces {
  return warning === undefined ? plainPieces(flight) : warnedPieces(flight, warning);
}

function plainPieces(flight: PaidFlight): Pieces {
  let taken = 0;
  return {
    next() {
      const piece = flight.chunks[taken];
      if (piece !== undefined) taken += 1;
      return piece;
    },
    get mayInterrupt() {
      return flight.betweenEventsAfter(taken);
    },
  };
}

function warnedPieces(flight: PaidFlight, warning: BudgetWarning): Pieces {
  // The flight has a bound of its own.
  const cutter = createEventCutter(Number.POSITIVE_INFINITY, false);
  let taken = 0;
  let isOver = false;
  const next = (): string | undefined => {
    if (flight.isEventStream) {
      for (const chunk of flight.chunks.slice(taken)) cutter.push(chunk);
      taken = flight.chunks.length;
      const event = cutter.next();
      if (event !== undefined) return withData(event, withWarning(dataOf(event), warning));
    }
    if (flight.end === undefined || isOver) return undefined;
    isOver = true;
    return flight.isEventStream ? cutter.lineEndsLeft() : withWarning(flight.text(), warning);
  };
  return {
    next() {
      const text = next() ?? "";
      return text === "" ? undefined : new TextEncoder().encode(text);
    },
    mayInterrupt: true,
  };
}
