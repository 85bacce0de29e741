// The form of a black-box check: what it does to a server, and what must come of it by the standard that it names.

import type { Judged } from "./judged.ts";

export interface Check {
  /** What is done, in words; unique. */
  readonly name: string;
  readonly source: string;
  /** The outcome that the gateway must have. */
  readonly outcome: string;
  /** Does it and says what came of it, in as few words as tell outcomes apart. */
  readonly run: (judged: Judged) => Promise<string>;
}
