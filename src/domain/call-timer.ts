// How long one call to `/mcp` may keep the gateway waiting: for the client's body, then for the headers of Gong's
// answer. Both limits count from one moment and share one timer, because each one costs a call about a fiftieth of its
// time; an AbortSignal costs more. Called by call-gong.ts. RFC 9110 §15.5.9, §15.6.5.

/** What `work` comes to, or undefined when the limit is over first. The work goes on all the same. One at a time. */
export type Limit = <T>(work: Promise<T>) => Promise<T | undefined>;

export interface CallTimer {
  /** 30 seconds, for the client to send its message. */
  readonly upload: Limit;
  /**
   * 180 seconds. Gong answers in seconds: this long without headers,
   * it does not. A stream that began may last for hours.
   */
  readonly answer: Limit;
}

const UPLOAD_MS = 30_000;
const ANSWER_MS = 180_000;

/** Starts both limits. Nobody stops them: the runtime drops a request's timers, and its request to Gong, at its end. */
export function startCallTimer(): CallTimer {
  const upload = createLimit();
  const answer = createLimit();
  setTimeout(() => {
    upload.end();
    setTimeout(answer.end, ANSWER_MS - UPLOAD_MS);
  }, UPLOAD_MS);
  return { upload: upload.within, answer: answer.within };
}

function createLimit(): { readonly within: Limit; readonly end: () => void } {
  let isOver = false;
  let giveUp: (() => void) | undefined;
  return {
    within: (work) =>
      new Promise((resolve, reject) => {
        giveUp = () => resolve(undefined);
        if (isOver) giveUp();
        work.then(resolve, reject);
      }),
    end: () => {
      isOver = true;
      giveUp?.();
    },
  };
}
