// Bytes to the gateway as no HTTP client would send them, and the answers taken apart by a parser of our own, so that a
// request that was smuggled in shows as an answer too many. RFC 9112. Called by raw-*.test.ts.

import { connect, type Socket } from "node:net";

const AT_ONCE = 20;

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; a header that came twice is joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawExchange {
  readonly answers: readonly RawAnswer[];
  /** Whether the gateway closed the connection. */
  readonly closed: boolean;
  /** Bytes behind the last whole answer. */
  readonly rest: string;
}

export interface RawOptions {
  /** Stop listening when this many final answers have come and nothing else has in `quietMs`. Default 1. */
  readonly expect?: number;
  readonly quietMs?: number;
  /** Stop listening after this long. Default 3 s. */
  readonly longestMs?: number;
  /** The answers are to HEAD: headers that speak of a body, and none. */
  readonly head?: boolean;
}

/** Sends `parts`, one after the other, over a connection of their own; a number is a pause in milliseconds. */
export async function raw(
  port: number,
  parts: string | ReadonlyArray<string | number>,
  options: RawOptions = {},
): Promise<RawExchange> {
  const { expect = 1, quietMs = 60, longestMs = 3000, head = false } = options;
  const socket = await connected(port);
  let bytes = Buffer.alloc(0);
  let closed = false;
  const done = new Promise<void>((resolve) => {
    const deadline = setTimeout(resolve, longestMs);
    let quiet: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(deadline);
      clearTimeout(quiet);
      resolve();
    };
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      clearTimeout(quiet);
      if (parse(bytes, head).answers.length >= expect) quiet = setTimeout(finish, quietMs);
    });
    // A reset is how the gateway refuses to read on; "close" follows.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      closed = true;
      finish();
    });
  });
  for (const part of typeof parts === "string" ? [parts] : parts) {
    if (typeof part === "number") await new Promise((resolve) => setTimeout(resolve, part));
    else if (!socket.destroyed) socket.write(part);
  }
  await done;
  socket.destroy();
  return { ...parse(bytes, head), closed };
}

/** The first answer to each request over a connection of its own, twenty at a time. */
export async function oneAnswerEach(
  port: number,
  requests: readonly string[],
): Promise<readonly (RawAnswer | undefined)[]> {
  const answers: (RawAnswer | undefined)[] = [];
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    const exchanges = requests
      .slice(at, at + AT_ONCE)
      .map((request) => raw(port, request, { quietMs: 5, head: request.startsWith("HEAD ") }));
    answers.push(...(await Promise.all(exchanges)).map((exchange) => exchange.answers[0]));
  }
  return answers;
}

/** A connection to a loopback port. */
export function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.setNoDelay(true);
    socket.once("error", reject);
  });
}

/** The text of a request: a line, headers and a body, with nothing added. */
export function written(line: string, headers: readonly string[], body = ""): string {
  return `${[line, ...headers].join("\r\n")}\r\n\r\n${body}`;
}

/** The whole final answers in `bytes`: RFC 9112 §6.3, without the forms that workerd never sends. */
function parse(bytes: Buffer, head: boolean): { answers: readonly RawAnswer[]; rest: string } {
  const answers: RawAnswer[] = [];
  let text = bytes.toString("latin1");
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    if (end === -1) break;
    const [line = "", ...lines] = text.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1]);
    const headers: Record<string, string> = {};
    for (const header of lines) {
      const colon = header.indexOf(":");
      const name = header.slice(0, colon).toLowerCase();
      const value = header.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const bodiless = head || status === 204 || status < 200;
    const body = bodiless ? { text: "", length: 0 } : bodyOf(text.slice(end + 4), headers);
    if (body === undefined) break;
    text = text.slice(end + 4 + body.length);
    if (status >= 200) answers.push({ status, headers, body: body.text });
  }
  return { answers, rest: text };
}

function bodyOf(
  text: string,
  headers: Readonly<Record<string, string>>,
): { text: string; length: number } | undefined {
  if (headers["transfer-encoding"] !== "chunked") {
    const length = Number(headers["content-length"] ?? "0");
    return text.length < length ? undefined : { text: text.slice(0, length), length };
  }
  let whole = "";
  for (let at = 0; ;) {
    const line = text.indexOf("\r\n", at);
    const size = line === -1 ? Number.NaN : Number.parseInt(text.slice(at, line), 16);
    if (Number.isNaN(size) || text.length < line + 2 + size + 2) return undefined;
    whole += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
    if (size === 0) return { text: whole, length: at };
  }
}
