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

/** The sites of one network. */
export interface ThirdParties {
  /** Whether `url` is theirs: by its host, or because a test scripted what it answers. */
  own(url: string): boolean;
  /** Answers as a client's web site, or takes a script. */
  answer(request: Request): Promise<Response>;
}

const CONTROL_HOST = "control.client.test";

/** Whether `host` is where tests script the others; it is reached by http. */
export function isThirdPartyControl(host: string): boolean {
  return host === CONTROL_HOST;
}

/** Sites that nobody has scripted and nobody has asked. */
export function createThirdParties(): ThirdParties {
  const answers = new Map<string, ScriptedAnswer>();
  const asked: AskedOf[] = [];

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

  return {
    own: (url) => /[.-]client\.test$/.test(new URL(url).host) || answers.has(url),
    async answer(request) {
      const body = await request.text();
      if (isThirdPartyControl(new URL(request.url).host)) return control(request, body);
      const { method, url } = request;
      asked.push({ method, url, headers: Object.fromEntries(request.headers), body });
      return perform(answers.get(url) ?? { status: 404 }, request.signal);
    },
  };
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
