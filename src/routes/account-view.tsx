// What the routes of /account show: the sign-in, the account, a new
// agent key; and the way back to the account after an act.

import type { Context } from "hono";
import { nonceOf, type AccountVisitor, type AppEnv } from "../context.ts";
import {
  accountCalls,
  accountEvents,
  accountKeys,
  describeAccount,
  type Account,
} from "../domain/account.ts";
import { listConnectionsOf } from "../domain/account-access.ts";
import { personalIntegration } from "../domain/account-sign-in.ts";
import { KEY_LIFETIMES_DAYS } from "../domain/agent-keys.ts";
import { keptQuestionsDays } from "../domain/call-contents.ts";
import { connectionSpend } from "../domain/spend.ts";
import { AccountCallsPage } from "../pages/account-calls.tsx";
import { AccountKeyMadePage } from "../pages/account-keys.tsx";
import { AccountPage, type AccountView } from "../pages/account.tsx";
import { AccountSignInPage } from "../pages/account-sign-in.tsx";
import { doneInWords } from "../pages/account-text.ts";
import type { EnteredKey } from "../pages/agent-key-form.tsx";
import type { AgentKeyRefusal } from "../pages/agent-key-text.ts";
import { queryOf } from "./admin-parts.ts";

/** Events on the page itself; the downloads have all. */
const EVENTS_SHOWN = 10;

/** The visitor, behind the account middleware. */
export function visitorOf(c: Context<AppEnv>): AccountVisitor {
  const visitor = c.get("visitor");
  if (visitor === undefined) throw new Error("The account middleware has not run");
  return visitor;
}

/** Back to the account page after an act, 303, so that nothing is posted again; `done` says which act. */
export function backToAccount(c: Context<AppEnv>, done?: string): Response {
  const url = `${c.get("gateway").config.publicUrl}/account`;
  return c.redirect(done === undefined ? url : `${url}?done=${done}`, 303);
}

/** The ways to sign in. */
export async function showSignIn(c: Context<AppEnv>): Promise<Response> {
  const person = c.get("person");
  const nonce = nonceOf(c);
  if (person === undefined) return c.html(<AccountSignInPage nonce={nonce} />, 401);
  const connections = await listConnectionsOf(c.get("gateway"), person.email);
  return c.html(<AccountSignInPage nonce={nonce} person={{ email: person.email, connections }} />, 401);
}

/** The visitor's account, with why no agent key was made when one was asked for in vain. */
export async function showAccount(
  c: Context<AppEnv>,
  visitor: AccountVisitor,
  refusal?: AgentKeyRefusal,
  entered?: EnteredKey,
): Promise<Response> {
  const gateway = c.get("gateway");
  const account = await describeAccount(gateway, visitor.session);
  if (account === undefined) return showSignIn(c);
  const [keys, events, calls] = await Promise.all([
    accountKeys(gateway, account),
    accountEvents(gateway, visitor.session),
    accountCalls(gateway, visitor.session),
  ]);
  const page = (
    <AccountPage
      {...viewOf(account, events)}
      nonce={nonceOf(c)}
      csrf={visitor.csrf}
      keys={{ ...keys, refusal, entered, lifetimes: KEY_LIFETIMES_DAYS }}
      calls={new Map(calls.map((agent) => [agent.id, agent]))}
      done={doneInWords(c.req.query("done"))}
    />
  );
  return c.html(page, refusal === undefined ? 200 : 400);
}

/** A new agent key, this once. */
export function showMadeKey(
  c: Context<AppEnv>,
  made: { readonly name: string; readonly key: string; readonly expiresAt: number },
): Response | Promise<Response> {
  return c.html(
    <AccountKeyMadePage
      nonce={nonceOf(c)}
      name={made.name}
      value={made.key}
      resource={personalIntegration(c.get("gateway"))?.resource ?? ""}
      expiresAt={made.expiresAt}
    />,
  );
}

/** The calls by day, and the way to erase them. */
export async function showCalls(c: Context<AppEnv>): Promise<Response> {
  const gateway = c.get("gateway");
  const { session, csrf } = visitorOf(c);
  const { filters } = queryOf(c, ["by", "from", "to"]);
  const [spend, readableDays] = await Promise.all([
    connectionSpend(gateway, session.connectionId, filters),
    keptQuestionsDays(gateway),
  ]);
  const keptDays = gateway.config.ledgerSeconds / 86_400;
  return c.html(
    <AccountCallsPage nonce={nonceOf(c)} csrf={csrf} {...{ keptDays, readableDays }} {...spend} />,
  );
}

type Events = Awaited<ReturnType<typeof accountEvents>>;

function viewOf(
  described: Account,
  events: Events,
): Omit<AccountView, "nonce" | "csrf" | "done" | "keys" | "calls"> {
  return {
    shortId: described.connectionId.slice(0, 8),
    state: described.state,
    reason: described.reason,
    since: described.since,
    outOfCreditsSince: described.outOfCreditsSince,
    agents: described.agents.map((agent) => ({
      ...agent,
      scopes: agent.scope.split(" "),
    })),
    events: events.slice(0, EVENTS_SHOWN).map(({ at, action, name, reason }) => ({
      at,
      action,
      name: name ?? undefined,
      reason: reason ?? undefined,
    })),
  };
}
