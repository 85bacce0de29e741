// Server-sent events as MCP uses them: the messages in Gong's stream, read as they come, and events of our own. Called
// by storage/paid-flight.ts and storage/paid-caller.ts. WHATWG HTML §9.2 (parsing), MCP 2025-11-25 Streamable HTTP.

/** A comment: keeps a silent stream alive, and every client skips it. */
export const KEEP_ALIVE = ": keep-alive\n\n";

export interface EventReader {
  /** Takes the next bytes of the stream; `onMessage` hears of every event that they complete. */
  push(bytes: Uint8Array): void;
  /** Whether the stream is between two events, where something of ours may stand. */
  readonly betweenEvents: boolean;
}

/** Reads a stream of events; `onMessage` gets the data of each one that has any. */
export function createEventReader(onMessage: (data: string) => void): EventReader {
  const decoder = new TextDecoder();
  let rest = "";
  let lines: string[] = [];
  let afterCarriageReturn = false;
  let between = true;

  const take = (line: string): void => {
    if (line === "") {
      if (lines.length > 0) onMessage(lines.join("\n"));
      lines = [];
    } else if (line.startsWith("data:")) {
      lines.push(line.slice(line.startsWith("data: ") ? 6 : 5));
    }
    between = line === "";
  };

  return {
    push(bytes) {
      let text = decoder.decode(bytes, { stream: true });
      if (text === "") return;
      // A line end of two characters may come in two pieces.
      if (afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
      afterCarriageReturn = text.endsWith("\r");
      // Only what is new is looked through: a line of megabytes comes in hundreds of pieces.
      const [first = "", ...others] = text.split(/\r\n|\n|\r/);
      rest += first;
      for (const next of others) {
        take(rest);
        rest = next;
      }
    },
    get betweenEvents() {
      return between && rest === "";
    },
  };
}

/** One event with a JSON message, which has no line breaks in it. */
export function messageEvent(json: string): string {
  return `event: message\ndata: ${json}\n\n`;
}
