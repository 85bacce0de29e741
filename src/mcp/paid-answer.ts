// Gong's answer to a paid call, read once, and put into the form of each caller: its
// own id, its own protocol revision, and a note of how it was served. Called by
// storage/. JSON-RPC 2.0 §5; MCP 2026-07-28 Results and `_meta`, 2025-11-25 Progress.
import { isJsonObject, parseKeepingNumbers, type JsonObject } from "../json.ts";
import type { BudgetWarning } from "./budgets.ts";

/** The keys of our notes in a result's `_meta`. */
const SERVED_KEY = "gong-mcp-gateway/served";
const BUDGET_KEY = "gong-mcp-gateway/budget";

/** How a caller other than the payer got the answer. */
export interface ServedNote {
  readonly how: "joined" | "recovered" | "reused";
  /** Since Gong answered; 0 for an answer that Gong gives now. */
  readonly ageSeconds: number;
}

/** What Gong answered, without the id of the caller that asked. */
export interface PaidAnswer {
  readonly kind: "result" | "error";
  /** The JSON of the result, or of the error. */
  readonly json: string;
  /** A result that says `isError`. */
  readonly isError: boolean;
  /** MCP 2026-07-28, Multi Round-Trip Requests: a question to the caller instead of a result. */
  readonly asksBack: boolean;
  /** Gong says that its credits are used up. */
  readonly outOfCredits: boolean;
}

export type GongMessage =
  | { readonly kind: "answer"; readonly answer: PaidAnswer }
  /** `params` of a progress notification, as parsed. */
  | { readonly kind: "progress"; readonly params: JsonObject }
  /** A request of the server to its client: elicitation, sampling (MCP 2025-11-25). */
  | { readonly kind: "request" }
  | { readonly kind: "other" };

/** Reads one message of Gong's answer. Text that is no JSON-RPC message counts as `other`. */
export function readGongMessage(text: string): GongMessage {
  const message = messageIn(text);
  if (message === undefined) return { kind: "other" };
  const { method, params, result, error } = message;
  if (method === "notifications/progress" && isJsonObject(params)) return { kind: "progress", params };
  if (typeof method === "string") return { kind: message["id"] === undefined ? "other" : "request" };
  if (isJsonObject(result)) return { kind: "answer", answer: resultOf(result) };
  if (!isJsonObject(error)) return { kind: "other" };
  const json = JSON.stringify(error);
  const outOfCredits = saysOutOfCredits(String(error["message"]));
  return { kind: "answer", answer: { kind: "error", json, isError: true, asksBack: false, outOfCredits } };
}

function messageIn(text: string): JsonObject | undefined {
  try {
    const message = parseKeepingNumbers(text);
    return isJsonObject(message) ? message : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** The same message with `warning` in the `_meta` of its result. The same text, if it is no response with a result. */
export function withWarning(text: string, warning: BudgetWarning): string {
  const message = messageIn(text);
  const result = message?.["result"];
  if (!isJsonObject(result)) return text;
  const meta = isJsonObject(result["_meta"]) ? result["_meta"] : {};
  return JSON.stringify({ ...message, result: { ...result, _meta: { ...meta, [BUDGET_KEY]: warning } } });
}

/** The answer that `json`, a kept result, stands for. */
export function keptAnswer(json: string): PaidAnswer {
  const result = parseKeepingNumbers(json);
  return resultOf(isJsonObject(result) ? result : {});
}

function resultOf(result: JsonObject): PaidAnswer {
  const isError = result["isError"] === true;
  return {
    kind: "result",
    json: JSON.stringify(result),
    isError,
    asksBack: result["resultType"] === "input_required",
    outOfCredits: isError && saysOutOfCredits(textOf(result)),
  };
}

function textOf({ content }: JsonObject): string {
  if (!Array.isArray(content)) return "";
  const texts = content.map((item: unknown) => (isJsonObject(item) ? item["text"] : undefined));
  return texts.filter((text) => typeof text === "string").join("\n");
}

const LONGEST_NOTICE = 500;
const CREDITS_GONE =
  /\b(no|not enough|insufficient|out of|exceeded|used up|run out of)\b.{0,40}\bcredits?\b|\bcredits?\b.{0,40}\b(used up|exhausted|depleted|exceeded|insufficient|none left|run out)\b/i;

/** Gong's wording over MCP is not known: a short error text that says credits are gone. */
function saysOutOfCredits(text: string): boolean {
  return text.length <= LONGEST_NOTICE && CREDITS_GONE.test(text);
}

/** The caller's side of an answer. */
export interface AnswerForm {
  /** JSON of the caller's own JSON-RPC id. */
  readonly idJson: string;
  /** MCP 2026-07-28 or later, where a result says of which type it is. */
  readonly modern: boolean;
}

/** The JSON-RPC response with this answer for one caller. */
export function responseFor(form: AnswerForm, answer: PaidAnswer, note: ServedNote | undefined): string {
  if (answer.kind === "error") return errorFor(form, answer.json);
  const parsed = parseKeepingNumbers(answer.json);
  const { resultType, _meta: meta, ...result } = isJsonObject(parsed) ? parsed : {};
  const members = {
    ...typeOf(form, resultType),
    ...result,
    _meta: { ...(isJsonObject(meta) ? meta : {}), ...(note === undefined ? {} : { [SERVED_KEY]: note }) },
  };
  return `{"jsonrpc":"2.0","id":${form.idJson},"result":${JSON.stringify(members)}}`;
}

/** The JSON-RPC response with this error, given as JSON, for one caller. */
export function errorFor({ idJson }: AnswerForm, errorJson: string): string {
  return `{"jsonrpc":"2.0","id":${idJson},"error":${errorJson}}`;
}

/** MCP 2026-07-28 demands a type of every result; revisions before it know only complete ones. */
function typeOf(form: AnswerForm, resultType: unknown): JsonObject {
  if (form.modern) return { resultType: resultType ?? "complete" };
  return resultType === undefined || resultType === "complete" ? {} : { resultType };
}

/** A progress notification under the caller's own token, given as JSON. MCP 2025-11-25, Progress. */
export function progressFor(tokenJson: string, params: JsonObject): string {
  const { progressToken: _, ...rest } = params;
  const text = JSON.stringify(rest);
  const members = text === "{}" ? "" : `,${text.slice(1, -1)}`;
  return `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${tokenJson}${members}}}`;
}

/** A tool result of our own, for a call that was refused before Gong was asked. MCP, Tool Execution Errors. */
export function refusedResult(text: string): PaidAnswer {
  return resultOf({ content: [{ type: "text", text }], isError: true });
}
