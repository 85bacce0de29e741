// Whose call goes to Gong next while Gong throttles. Untouched by throttling, every call goes at once; after a 429
// calls wait until Gong's Retry-After is over and then go one by one, one of each holder in turn, so that nobody's
// hundred calls keep another's one waiting. In memory: losing it costs one more 429. RFC 9110 §10.2.3.

/** Between two calls while there are calls waiting. Gong's REST surface allows three a second. */
const PACE_MS = 350;

export type Turn = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };

interface Waiting {
  readonly until: number;
  readonly go: (turn: Turn) => void;
}

export class FairQueue {
  /** One line for each holder that waits; the map's order is the order of turns. */
  readonly #lines = new Map<string, Waiting[]>();
  #blockedUntil = 0;
  #waking = false;

  /** Resolves when it is the turn of one call of `holder`, or when its patience would be over (epoch milliseconds). */
  turn(holder: string, until: number): Promise<Turn> {
    if (this.#blockedUntil <= Date.now() && this.#lines.size === 0) return Promise.resolve({ ok: true });
    if (this.#blockedUntil > until) return Promise.resolve(this.#tooLong());
    return new Promise((go) => {
      const line = this.#lines.get(holder) ?? [];
      line.push({ until, go });
      this.#lines.set(holder, line);
      this.#wake(Math.max(this.#blockedUntil - Date.now(), 0));
    });
  }

  /**
   * Gong answered 429: nothing goes for `seconds`. Whether the call that was refused may wait and be asked again; its
   * patience ends at `until`.
   */
  holdBack(seconds: number, until: number): boolean {
    const blockedUntil = Date.now() + seconds * 1000;
    this.#blockedUntil = Math.max(this.#blockedUntil, blockedUntil);
    return this.#blockedUntil <= until;
  }

  #wake(ms: number): void {
    if (this.#waking) return;
    this.#waking = true;
    setTimeout(() => {
      this.#waking = false;
      this.#next();
    }, ms);
  }

  #next(): void {
    this.#dismiss();
    const blockedMs = this.#blockedUntil - Date.now();
    if (blockedMs <= 0) this.#callNext();
    if (this.#lines.size > 0) this.#wake(Math.max(blockedMs, PACE_MS));
  }

  /** The first call of the holder whose turn it is; that holder is then the last in turn. */
  #callNext(): void {
    const [first] = this.#lines;
    if (first === undefined) return;
    const [holder, line] = first;
    this.#lines.delete(holder);
    const next = line.shift();
    if (line.length > 0) this.#lines.set(holder, line);
    next?.go({ ok: true });
  }

  /** Sends away whoever would have to wait for longer than its patience. */
  #dismiss(): void {
    const earliest = Math.max(this.#blockedUntil, Date.now());
    for (const [holder, line] of this.#lines) {
      const staying = line.filter(({ until }) => until >= earliest);
      for (const { until, go } of line) if (until < earliest) go(this.#tooLong());
      if (staying.length === 0) this.#lines.delete(holder);
      else if (staying.length < line.length) this.#lines.set(holder, staying);
    }
  }

  #tooLong(): Turn {
    const seconds = Math.ceil((this.#blockedUntil - Date.now()) / 1000);
    return { ok: false, retryAfterSeconds: Math.max(seconds, 1) };
  }
}
