// What the routes of the admin's sections share: the frame's view, the list's query, who acts, and the way on.

import type { Context } from "hono";
import type { AppEnv } from "../context.ts";
import type { Actor } from "../domain/administer.ts";
import { parseListQuery, type ListPage, type ListQuery } from "../listing.ts";

/** What every admin page is given. */
export function frameOf(c: Context<AppEnv>): { readonly nonce: string; readonly csrf: string } {
  return { nonce: c.get("secureHeadersNonce") ?? "", csrf: c.get("viewer")?.csrf ?? "" };
}

/** The query of a list, with these filters. */
export function queryOf(c: Context<AppEnv>, filters: readonly string[] = []): ListQuery {
  return parseListQuery(new URL(c.req.url).searchParams, filters);
}

/** Who acts, for the audit. Behind the admin form middleware only. */
export function actorOf(c: Context<AppEnv>): Actor {
  return { actor: c.get("act")?.actor ?? "unknown", requestId: c.get("requestId") };
}

/** Leads on to a page of ours; 303, so that nothing is posted again. */
export function goTo(c: Context<AppEnv>, path: string): Response {
  return c.redirect(`${c.get("gateway").config.publicUrl}${path}`, 303);
}

/** The same page with other rows. */
export function mapPage<From, To>(page: ListPage<From>, map: (row: From) => To): ListPage<To> {
  return { ...page, rows: page.rows.map(map) };
}

/** ISO 8601, which pages read. */
export function date(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
