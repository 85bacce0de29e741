// What middleware puts on a request for the routes behind it, how they read it, and how a set of routes is made: the
// only Hono generic in the project.

import type { Context } from "hono";
import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import type { AccountSession } from "./domain/account-session.ts";
import type { Actor, Gateway } from "./domain/gateway.ts";
import type { FormParameters } from "./oauth/form.ts";

export interface AdminViewer {
  /** The token that each form of this session carries. */
  readonly csrf: string;
  /** Who acts, as the audit names them. */
  readonly actor: string;
}

/** The person who looks at their account. */
export interface AccountVisitor {
  readonly session: AccountSession;
  /** The value of the account cookie. */
  readonly cookie: string;
  /** The token that each form of this session carries. */
  readonly csrf: string;
  readonly by: Actor;
}

export interface AppEnv {
  Bindings: Env;
  Variables: {
    gateway: Gateway;
    /** Shown on error pages and logged, so that a person can quote it. */
    requestId: string;
    /** Why this request was refused, a short constant: set by the error channels. */
    refusal?: string;
    /** Of this response's Content-Security-Policy. */
    secureHeadersNonce?: string;
    /** Whom Cloudflare Access names, in lower case; undefined while Access is off. */
    person?: { readonly email: string };
    /** The admin who asks for a page, behind the admin page middleware only. */
    viewer?: AdminViewer;
    /** The admin's session and the form it posted, behind the admin form middleware only. */
    act?: { readonly session: string; readonly actor: string; readonly form: FormParameters };
    /** The person behind the account middleware, and the form they posted. */
    visitor?: AccountVisitor;
    visitorForm?: FormParameters;
  };
}

/**
 * An empty set of routes. With one router, where Hono's preset carries two and picks one at the first request. It tells
 * `/token` from `/token/`: another spelling of a URL is no URL of ours.
 */
export const newRoutes = () => new HonoBase<AppEnv>({ router: new TrieRouter() });

/** The nonce of this response's Content-Security-Policy, for the styles and scripts of its page. */
export const nonceOf = (c: Context<AppEnv>): string => c.get("secureHeadersNonce") ?? "";

/** The query as it came. The URL itself is not parsed: a Host header can make it one that no parser takes. */
export function searchOf(c: Context<AppEnv>): string {
  const at = c.req.url.indexOf("?");
  return at === -1 ? "" : c.req.url.slice(at + 1);
}
