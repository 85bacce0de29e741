// A stream of server-sent events with the messages in it rewritten. Everything else passes as it came, when it came.
// Called by domain/list-tools.ts and storage/paid-pieces.ts. WHATWG HTML §9.2.6 (parsing an event stream), MCP
// Streamable HTTP.

/** A blank line ends an event; lines end with CR, LF or both. */
const EVENT_END = /(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r(?!\n)|\n)/;
/** Characters. */
const LONGEST_END = 4;
const LINE_END = /\r\n|\r|\n/;

export interface EventRewriting {
  /** What stands for the data of one event: the same text for an event that is to stay as it is. */
  readonly rewrite: (data: string) => Promise<string>;
  /**
   * The data of one last event in place of the rest, when `rewrite` threw or the stream could not be read as events.
   */
  readonly giveUp: (error: unknown) => string;
  /** Characters of the longest event. */
  readonly longest: number;
}

/**
 * Passes `events` on, the data of each put through `rewrite`. A stream that breaks is seen to break; a reader that
 * leaves ends `events` too. An event that no blank line ended is none, and left out.
 */
export function rewriteEvents(
  events: ReadableStream<Uint8Array>,
  { rewrite, giveUp, longest }: EventRewriting,
): ReadableStream<Uint8Array> {
  const reader = events.getReader();
  const encoder = new TextEncoder();
  const cutter = createEventCutter(longest, true);
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        let event: string | undefined;
        try {
          event = cutter.next();
          if (event !== undefined) {
            const data = dataOf(event);
            const replaced = data === "" ? data : await rewrite(data);
            return controller.enqueue(encoder.encode(withData(event, replaced)));
          }
        } catch (error) {
          await reader.cancel().catch(() => undefined);
          controller.enqueue(encoder.encode(`event: message\ndata: ${giveUp(error)}\n\n`));
          return controller.close();
        }
        // What this rejects with breaks the stream that is passed on.
        const { done, value } = await reader.read();
        if (done) {
          const left = cutter.lineEndsLeft();
          if (left !== "") controller.enqueue(encoder.encode(left));
          return controller.close();
        }
        cutter.push(value);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

export interface EventCutter {
  push(bytes: Uint8Array): void;
  /** The next whole event as it came; undefined when more bytes are needed. Throws for long events. */
  next(): string | undefined;
  /** The rest, when it is blank lines: the LF of a CRLF whose CR already ended the last event, for one. */
  lineEndsLeft(): string;
}

/** Cuts a stream into events of at most `longest` characters. `fatal`: bytes that are not UTF-8 make next() throw. */
export function createEventCutter(longest: number, fatal: boolean): EventCutter {
  const decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: false });
  const pushed: Uint8Array[] = [];
  let rest = "";
  // Only what is new is looked through for an end, with what may begin one: a long event comes in hundreds of pieces.
  let tail = "";
  let mayEnd = false;
  return {
    push: (bytes) => void pushed.push(bytes),
    next() {
      for (const bytes of pushed.splice(0)) {
        const text = decoder.decode(bytes, { stream: true });
        rest += text;
        mayEnd ||= EVENT_END.test(tail + text);
        tail = (tail + text).slice(-LONGEST_END + 1);
      }
      const end = mayEnd ? EVENT_END.exec(rest) : null;
      if (end === null) {
        mayEnd = false;
        if (rest.length > longest) throw new RangeError("An event is too long");
        return undefined;
      }
      const event = rest.slice(0, end.index + end[0].length);
      rest = rest.slice(event.length);
      return event;
    },
    lineEndsLeft: () => (/[^\r\n]/.test(rest) ? "" : rest),
  };
}

const isData = (line: string): boolean => line === "data" || line.startsWith("data:");

/** The data of an event; empty when it has none. */
export function dataOf(event: string): string {
  const lines = event.split(LINE_END).filter(isData);
  return lines.map((line) => line.slice(line.startsWith("data: ") ? 6 : 5)).join("\n");
}

/** The event with other data. One whose data stays is the same text. */
export function withData(event: string, data: string): string {
  if (data === dataOf(event)) return event;
  const others = event.split(LINE_END).filter((line) => line !== "" && !isData(line));
  // JSON has no line breaks in it unless somebody put them there.
  const written = data.split(LINE_END).map((line) => `data: ${line}`);
  return `${[...others, ...written].join("\n")}\n\n`;
}
