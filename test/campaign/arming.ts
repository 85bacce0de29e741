// How the sweep tells the Worker with failpoints what is to fail. Called by sweep.ts in Node.js and worker.ts in
// workerd.

import type { Failpoint } from "../../src/failpoints.ts";

/** Where the control is; POST arms, GET disarms. */
export const CONTROL_PATH = "/failpoint";

/**
 * `throw`: fails once, as storage does. `abort`: ends the instance there and then, unwritten writes with it. `outage`:
 * its storage fails for `ms`. `superseded`: its storage fails until, after `ms`, a new instance takes over. `delay`:
 * for `ms`. `kill`: says so and stops the whole process from running on. `hold`: says so and waits for ever.
 */
export type Mode = "throw" | "abort" | "outage" | "superseded" | "delay" | "kill" | "hold";

/** What a place does to whoever comes by. */
export interface Arming {
  readonly name: Failpoint;
  readonly mode: Mode;
  readonly ms: number;
  /** How many are hit before the place is quiet again. */
  readonly times: number;
}
