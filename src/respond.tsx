// Two error channels, each chosen by a sub-app and never guessed: JSON for OAuth endpoints (RFC 6749 §5.2) and a page
// for people. The other two are the Bearer challenge, in routes/mcp, and the redirect, in oauth/.

import type { Context, ErrorHandler } from "hono";
import { routePath } from "hono/route";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { nonceOf, type AppEnv } from "./context.ts";
import { ClientDocumentError, failureOf, GongError, OAuthError, type ConfigError } from "./errors.ts";
import { errorFields, log, type LogFields } from "./log.ts";
import { documentText } from "./pages/document-text.ts";
import { ErrorPage, type ErrorView } from "./pages/error.tsx";
import { problemText, type Problem } from "./pages/problem-text.ts";

const HOME = { label: "How to connect a client", url: "/" };

/** RFC 6749 §5.2, RFC 7591 §3.2.2: the OAuth error as JSON. */
export const asJson: ErrorHandler<AppEnv> = (error, c) => {
  const failure = asOAuthError(error, c);
  c.header("Cache-Control", "no-store");
  c.header("Pragma", "no-cache");
  if (failure.retryAfterSeconds !== undefined) c.header("Retry-After", String(failure.retryAfterSeconds));
  if (failure.code === "invalid_client" && c.req.header("Authorization") !== undefined) {
    c.header("WWW-Authenticate", 'Basic realm="token"');
  }
  c.set("refusal", failure.reason ?? failure.code);
  logRefused(c, "token.refused", { code: failure.code, reason: failure.reason });
  const body = { error: failure.code, error_description: failure.description };
  return c.json(body, failure.status);
};

/** A page in plain words, with nothing from outside in it but the address of a client's document. */
export const asPage: ErrorHandler<AppEnv> = (error, c) => {
  if (error instanceof GongError) return problemPage(c, "gong_unavailable", 503);
  if (error instanceof ClientDocumentError) return documentPage(c, error);
  const failure = asOAuthError(error, c);
  const { code, status, description, retryAfterSeconds } = failure;
  if (code !== "server_error" && retryAfterSeconds !== undefined)
    c.header("Retry-After", String(retryAfterSeconds));
  if (status === 429) return refusalPage(c, "too_often", problemText("too_often"), status, failure);
  if (code === "server_error" || !(error instanceof OAuthError))
    return refusalPage(c, "failed", problemText("failed"), status, failure);
  const view = {
    title: "This sign-in can't go on",
    text: "The client's request can't be used. Nothing was connected and nothing was changed.",
    hint: description,
    details: [{ label: "Error code", value: code }],
  };
  return refusalPage(c, failure.reason ?? code, view, status === 401 ? 400 : status, failure);
};

/**
 * A page about a problem that people meet: what happened, what to do,
 * and where, if that is not the problem's own place.
 */
export function problemPage(
  c: Context<AppEnv>,
  problem: Problem,
  status: ContentfulStatusCode,
  action?: typeof HOME,
): Response | Promise<Response> {
  const view = problemText(problem);
  return refusalPage(c, problem, action === undefined ? view : { ...view, action }, status);
}

/** A page about a client's document: which one, at which host, and why it can't be used. */
function documentPage(c: Context<AppEnv>, error: ClientDocumentError): Response | Promise<Response> {
  const host = URL.parse(error.url)?.host ?? "";
  const view = {
    ...documentText(error.problem),
    details: [
      { label: "Document", value: error.url },
      ...(host === "" ? [] : [{ label: "Its host", value: host }]),
    ],
  };
  return refusalPage(c, `document_${error.problem}`, view, 400);
}

/** Every refusal that a person sees: one line in the log, one page. `reason` is a constant, for the client doctor. */
function refusalPage(
  c: Context<AppEnv>,
  reason: string,
  view: Omit<ErrorView, "nonce" | "requestId">,
  status: ContentfulStatusCode,
  failure?: OAuthError,
): Response | Promise<Response> {
  c.set("refusal", reason);
  logRefused(c, "page.refused", { code: failure?.code, reason: failure?.reason ?? reason });
  c.header("Cache-Control", "no-store");
  return c.html(
    <ErrorPage nonce={nonceOf(c)} action={HOME} {...view} requestId={c.get("requestId")} />,
    status,
  );
}

/** Settings that are missing or wrong, by name. The same for every route, because none can work. */
export function misconfigured(error: ConfigError): Response {
  log("error", "config.invalid", { problems: error.problems.join("; ") });
  return Response.json(
    {
      error: "temporarily_unavailable",
      error_description: "The gateway's settings are incomplete. Its admin can mend them.",
      problems: error.problems,
    },
    { status: 503, headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" } },
  );
}

function asOAuthError(error: unknown, c: Context<AppEnv>): OAuthError {
  if (error instanceof OAuthError) return error;
  log(
    "error",
    "request.failed",
    { route: routeOf(c), ...errorFields(error) },
    { requestId: c.get("requestId") },
  );
  return failureOf(error);
}

const logRefused = (c: Context<AppEnv>, event: "page.refused" | "token.refused", fields: LogFields): void =>
  log("info", event, { ...fields, route: routeOf(c) }, { requestId: c.get("requestId") });

/** The route's pattern, for the log: the path itself is text from outside, and somebody may have put a code into it. */
const routeOf = (c: Context<AppEnv>): string => routePath(c, -1);
