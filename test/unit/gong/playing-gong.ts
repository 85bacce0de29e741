// Plays Gong's answers, odd ones included, to functions that take a `fetch`: for what a faithful stand-in never sends.

import { GongError } from "../../../src/errors.ts";

/** What was asked of the played Gong. */
export interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: string;
}

/** A `fetch` that answers by `answer` and writes down in `asked` what it was asked. */
export function playingGong(answer: (url: string) => Response | Promise<Response>): {
  readonly fetcher: typeof fetch;
  readonly asked: Asked[];
} {
  const asked: Asked[] = [];
  const fetcher = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { url, method, headers, redirect } = request;
    asked.push({
      url,
      method,
      headers,
      redirect,
      body: new TextDecoder().decode(await request.arrayBuffer()),
    });
    const given = init?.signal;
    const aborted = new Promise<never>((_, reject) => {
      given?.addEventListener("abort", () => reject(new Error("aborted")));
    });
    return await Promise.race([answer(url), aborted]);
  };
  return { fetcher, asked };
}

/** The kind of GongError that a call ends in; "none" when it succeeds. */
export async function kindOf(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof GongError) return error.kind;
    throw error;
  }
  return "none";
}
