// The web sites of MCP clients as the Worker under test meets them: hosts below client.test, or below a domain that
// ends in -client.test, that answer what a test scripted, badly too, and keep a log of what they were asked. Runs in
// Node.js beside the stand-in Gong (test/gong/for-tests.ts); test/support/client-site.ts is how tests script it.
import { gzipSync } from "node:zlib";
import { bodyOf, ConnectionDropped, wait } from "../gong/streams.ts";

/** What a URL answers. Without a script it answers 404. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The body this many times over. */
  readonly times?: number;
  /** Compressed, and said to be so. */
  readonly gzip?: boolean;
  /** Before the headers. */
  readonly delayMs?: number;
  /** Between the bytes of the body, which are then sent one at a time. */
  readonly byteMs?: number;
  /** No answer: the connection is reset. */
  readonly drop?: boolean;
}

export interface AskedOf {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const CONTROL_HOST = "control.client.test";
const answers = new Map<string, ScriptedAnswer>();
const asked: AskedOf[] = [];

/** Whether `host` is one of a client's, or the control host, which is reached by http. */
export function isThirdParty(host: string): boolean {
  return /[.-]client\.test$/.test(host);
}

/** Whether a test has scripted what this URL answers, whosever it is. */
export function isScripted(url: string): boolean {
  return answers.has(url);
}

/** Whether `host` is where tests script the others. */
export function isThirdPartyControl(host: string): boolean {
  return host === CONTROL_HOST;
}

/** Answers as a client's web site, or takes a script. */
export async function answerAsThirdParty(request: Request): Promise<Response> {
  const body = await request.text();
  if (new URL(request.url).host === CONTROL_HOST) return control(request, body);
  asked.push({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body,
  });
  return perform(answers.get(request.url) ?? { status: 404 }, request.signal);
}

function control(request: Request, body: string): Response {
  switch (`${request.method} ${new URL(request.url).pathname}`) {
    case "POST /reset":
      answers.clear();
      asked.length = 0;
      return Response.json({});
    case "POST /answers": {
      const { url, answer } = JSON.parse(body) as { url: string; answer: ScriptedAnswer };
      answers.set(url, answer);
      return Response.json({}, { status: 201 });
    }
    case "GET /requests":
      return Response.json(asked);
    default:
      return new Response("Not found\n", { status: 404 });
  }
}

async function perform(answer: ScriptedAnswer, gone: AbortSignal): Promise<Response> {
  await wait(answer.delayMs ?? 0, gone);
  if (answer.drop === true || gone.aborted) throw new ConnectionDropped();
  const plain = Buffer.from((answer.body ?? "").repeat(answer.times ?? 1));
  const bytes = new Uint8Array(answer.gzip === true ? gzipSync(plain) : plain);
  const headers = { ...answer.headers, ...(answer.gzip === true ? { "content-encoding": "gzip" } : {}) };
  const { byteMs, status = 200 } = answer;
  if (byteMs === undefined) return new Response(bytes.length === 0 ? null : bytes, { status, headers });
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  return new Response(bodyOf(single, "close", byteMs), { status, headers });
}
