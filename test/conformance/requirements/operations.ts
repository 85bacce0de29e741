import type { Requirement } from "../requirement.ts";

export const operations = {
  "house.readme_links": {
    source: "gateway",
    behaviour:
      "Every link of a README leads to a file and a heading that are there, and README.md links to all others.",
  },
  "routes.acts": {
    source: "OWASP ASVS 5.0 3.5.1, 8.3.1",
    behaviour:
      "Every post of the router that needs a session is refused, and changes nothing, without its cookie, its form token or our own page, or in another form than that page sends.",
  },
  "routes.calm": {
    source: "OWASP ASVS 5.0 2.2.1, 15.3.6",
    behaviour:
      "No route of the router fails, reflects or writes anything for names that objects inherit, ids that are none, and odd or endless parameters.",
  },
  "routes.closed": {
    source: "OWASP ASVS 5.0 8.2.1, 8.2.2",
    behaviour:
      "Every page of the router under /admin and /account shows nothing, and is stored nowhere, without the session of its kind; and nothing of one person to another.",
  },
  "conformance.traceability": {
    source: "gateway",
    behaviour: "Every requirement is cited by a test, and every outer test block cites a requirement.",
  },
  "conformance.server": {
    source: "MCP 2025-11-25 and 2026-07-28, official conformance suite",
    behaviour: "Every check of the server suites ends the same through the gateway as without it.",
  },
  "conformance.client": {
    source: "MCP 2025-11-25 and 2026-07-28, official conformance suite",
    behaviour:
      "Client scenarios pass with the gateway in the middle and as Gong's client, or are listed with a reason.",
  },
  "conformance.authorization_server": {
    source: "MCP authorization, official conformance suite",
    behaviour: "The authorization server suite passes whole against the gateway.",
  },
  "oracle.differences": {
    source: "RFC 6749, RFC 7009, RFC 7591, RFC 7636, RFC 8414, RFC 8707, RFC 9207, RFC 9728",
    behaviour:
      "Black-box checks come out as the standards have it, and each difference to the field's library is listed with its reason.",
  },
  "conformance.expected_failures": {
    source: "gateway",
    behaviour: "A listed failure has a reason and still fails, so that the list only shrinks.",
  },
  "operations.memory_bounded": {
    source: "OWASP ASVS 15.1.3",
    behaviour: "What an isolate keeps between requests is bounded, whatever strangers ask for.",
  },
  "operations.refusal_logged": {
    source: "gateway",
    behaviour:
      "A call that is refused at /mcp is one line in the log, and what Gong did is not the client's.",
  },
  "operations.outage_logged": {
    source: "gateway",
    behaviour:
      "A failure of Gong's is a warning with Gong's status, and what only an operator can mend is an error.",
  },
  "operations.request_named": {
    source: "gateway",
    behaviour: "The request ID that an error page shows is in the line of the log that says why.",
  },
  "operations.log_described": {
    source: "gateway",
    behaviour:
      "Each event that can be in the log is described for operators with its level and its fields, and lines of a request name it.",
  },
  "operations.health": {
    source: "gateway",
    behaviour:
      "Wrong settings stop every route but /health with their names; an admin sees connections by state.",
  },
  "operations.warned": {
    source: "gateway",
    behaviour:
      "Admins read of a connection whose refreshes fail, or that will need its person within a week, before it stops working.",
  },
  "operations.refresh_logged": {
    source: "gateway",
    behaviour:
      "Each refresh of Gong's tokens is one line in the log, with its outcome in one of a few buckets.",
  },
  "main.story": {
    source: "gateway",
    behaviour: "An MCP client that has never heard of the gateway signs in and gets its answer from Gong.",
  },
  "keys.rotation": {
    source: "NIST SP 800-57 part 1 §5.3",
    behaviour: "Sealing keys rotate in two phases without loss, and a sweep says when an old key can go.",
  },
  "keys.every_sealed_field": {
    source: "NIST SP 800-57 part 1 §5.3",
    behaviour:
      "The key sweep seals every stored field again, or counts it by kid; what it does neither with is over before a key may go.",
  },
  "keys.sweep_in_parts": {
    source: "gateway",
    behaviour: "A key sweep in parts adds up what each part found, and lets no key go before the last.",
  },
  "keys.missing": {
    source: "gateway",
    behaviour: "A record whose key is missing is unreadable, named by its kid, and never overwritten.",
  },
  "gong.secret_changed": {
    source: "gateway",
    behaviour: "A client secret that Gong no longer accepts ends no connection; a new one heals them all.",
  },
  "integration.replaced": {
    source: "RFC 6749 §6",
    behaviour:
      "After a change of the client id at Gong no old refresh token is sent; the state says so, and signing in heals.",
  },
  "deployment.moved": {
    source: "RFC 8707 §2",
    behaviour: "After a change of PUBLIC_URL tokens of the old address are refused, and signing in heals.",
  },
  "restore.connection": {
    source: "gateway",
    behaviour:
      "A point-in-time restore revives no ended grant, token or account session and sends no spent Gong refresh token.",
  },
  "restore.barred": {
    source: "gateway",
    behaviour:
      "A client without a code that somebody ended opens no grant after a restore to before its first one, until it signs in by code.",
  },
  "restore.rotated": {
    source: "RFC 9700 §4.14.2; RFC 6749 §4.1.2",
    behaviour:
      "After a restore no refresh token and no code works that was spent before it: its grant ends, and others go on.",
  },
  "restore.registry": {
    source: "RFC 7591 §2; RFC 7523 §3, item 7; RFC 8628 §3.3",
    behaviour:
      "A restored shard revives no registration that was removed, no assertion that was used and no device that was answered.",
  },
  "restore.transaction": {
    source: "gateway",
    behaviour:
      "A finished sign-in that is restored to before its end opens no second grant and revives none.",
  },
  "restore.untold": {
    source: "gateway",
    behaviour:
      "What ended while the escrow could not be told is told by the next use, instance or alarm, and stays ended after a restore.",
  },
  "restore.admin": {
    source: "gateway",
    behaviour:
      "A restored AdminObject revives no ended session or machine client, and no policy or tool that admins had changed.",
  },
  "clients.sdk_v2_legacy": {
    source: "MCP 2025-11-25, Authorization; RFC 7591; RFC 6749 §2.3.1, §6; RFC 7009 §2.1",
    behaviour:
      "An unmodified TypeScript SDK 2 client signs in from a URL alone, registered or pre-registered, refreshes by itself, and after revocation signs in anew",
  },
  "clients.sdk_v2_modern": {
    source: "MCP 2026-07-28, Versioning and Transports",
    behaviour:
      "An SDK 2 client that probes for 2026-07-28, or takes nothing else, signs in and gets Gong's answer in that revision",
  },
  "clients.sdk_v1": {
    source: "MCP 2025-06-18 and 2025-11-25, Authorization",
    behaviour:
      "An unmodified TypeScript SDK 1 client signs in from a URL alone, refreshes by itself, and after revocation signs in anew",
  },
  "clients.mcp_remote": {
    source: "gateway",
    behaviour:
      "Both commands of mcp-remote, unmodified, sign in through a browser they open, call a tool, and reuse what they kept",
  },
  "clients.inspector": {
    source: "gateway",
    behaviour:
      "The command line of MCP Inspector, unmodified, signs in from a URL alone in both eras, refreshes, and signs in anew after revocation",
  },
  "operations.durable_over_kill": {
    source: "gateway",
    behaviour:
      "A client stays signed in and an open consent form stays good when the gateway is killed and started again on its state",
  },
  "operations.no_secret_leaves": {
    source: "OWASP ASVS 5.0 13.3, 14.2, 16.2.5",
    behaviour:
      "No token, code, client secret or admin token can be read from the stored state, the log or a page",
  },
  "operations.bodies_bounded": {
    source: "RFC 9110 §15.5.9, §15.5.14, OWASP ASVS 5.0 15.2.2",
    behaviour:
      "A body that is too long gets 413, one that is too slow 408, on every route, and nothing is written",
  },
  "operations.no_object_for_strangers": {
    source: "OWASP ASVS 5.0 2.4.1, gateway",
    behaviour: "Made-up tokens, states and client ids leave the files of the objects as they were",
  },
  "operations.reset_reaches_gong": {
    source: "gateway",
    behaviour:
      "When a client resets its connection in the middle of a stream, it ends at Gong too; a paid call is finished all the same",
  },
  "operations.failpoints_absent": {
    source: "gateway",
    behaviour: "A build that is deployed has no failpoint in it, and the campaign sweeps every one there is",
  },
  "operations.campaign": {
    source: "gateway",
    behaviour:
      "Races, kills, resets, failpoints, store failures and faults of Gong lose, double, revive, block and break nothing",
  },
  "operations.runs_outside_wrangler": {
    source: "gateway",
    behaviour:
      "The built Worker starts in workerd with its settings alone, keeps its objects over restarts, and ends without leftovers",
  },
  "operations.browser_required": {
    source: "gateway",
    behaviour: "Tests that need a browser find one or fail, saying how to get one; none is skipped",
  },
  "operations.npm_start": {
    source: "gateway",
    behaviour:
      "npm start shows the whole main job, keeps its state, ends all it started, and answers each mistake with one sentence",
  },
  "stand_in.discovery": {
    source: "test/gong/README.md, D1 to D6, C1 to C5",
    behaviour: "The stand-in serves Gong's metadata on its two origins and challenges every other request",
  },
  "stand_in.integrations": {
    source: "test/gong/README.md, I1 to I7",
    behaviour:
      "Integrations are made, edited and deleted as in Gong's admin center, and what is fixed stays so",
  },
  "stand_in.authorize": {
    source: "test/gong/README.md, A1 to A9",
    behaviour:
      "The stand-in authorizes exact redirect URIs only, and answers the browser as Gong is known to",
  },
  "stand_in.token": {
    source: "test/gong/README.md, T1 to T12",
    behaviour:
      "The stand-in redeems each code once, for the client that proves itself, and refuses as Gong would",
  },
  "stand_in.refresh": {
    source: "test/gong/README.md, R1 to R7",
    behaviour:
      "A refresh token of the stand-in works once by default, and in every other way that Gong could choose",
  },
  "stand_in.mcp": {
    source: "test/gong/README.md, M1 to M8",
    behaviour: "The stand-in speaks MCP in both eras, and an unmodified MCP client works with it",
  },
  "stand_in.tools": {
    source: "test/gong/README.md, K1 to K10",
    behaviour: "The tools answer from the caller's own data, cost credits, and can be cancelled or refused",
  },
  "stand_in.faults": {
    source: "test/gong/README.md, T9 to T11, R4",
    behaviour: "A scripted fault hits the call it is meant for and no other, and a reset ends it",
  },
  "stand_in.ledger": {
    source: "test/gong/README.md, L1",
    behaviour: "Every request, token and redemption is on record, and the log shows no value",
  },
  "stand_in.control": {
    source: "gateway",
    behaviour: "Knobs are turned over an API that refuses unknown names and requests from browsers",
  },
  "stand_in.everywhere": {
    source: "gateway",
    behaviour:
      "The same stand-in serves workerd and real sockets, where a dropped connection is a real reset",
  },
} as const satisfies Record<string, Requirement>;
