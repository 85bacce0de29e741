// What the tools answer. Called by tools.ts. The JSON is modelled on the backing REST calls (ask-entity and get-brief,
// as a third party published them); how Gong wraps it over MCP is unknown. The content is made up.
import type { Grant } from "./grants.ts";
import { COMPANY_CANARY } from "./people.ts";
import type { World } from "./world.ts";

export interface AskArguments {
  /** What `crmAccount` or `crmDeal` held. */
  entity: string;
  question: string;
  includeSources: boolean;
}

/** K4, K9. The shape of ask-entity. The first answer item holds the canary of whoever's data it was made from. */
export function askAnswer(world: World, grant: Grant, asked: AskArguments): Record<string, unknown> {
  const findings = asked.includeSources
    ? [{ title: "Weekly call", url: "https://app.gong.test/call?id=1" }]
    : [];
  return {
    requestId: requestId(world),
    numOfCallsSearched: 1,
    numOfEmailsSearched: 13,
    answer: [
      {
        answerItems: [
          `${asked.entity}: renewal is on track. (${canaryOf(grant)})`,
          `You asked: ${asked.question}`,
        ],
        callFindings: findings,
        emailFindings: [],
      },
    ],
  };
}

/** K4, K9. The shape of get-brief. */
export function briefAnswer(
  world: World,
  grant: Grant,
  brief: { briefName: string; entity: string },
): Record<string, unknown> {
  return {
    requestId: requestId(world),
    numOfCallsSearched: 4,
    numOfEmailsSearched: 21,
    briefSections: [
      {
        title: brief.briefName,
        sectionSummary: [`${brief.entity} in brief. (${canaryOf(grant)})`],
        briefSectionType: "OPEN_ENDED",
        conversationFindings: [],
        webFindings: [],
      },
    ],
  };
}

/** K9. Personal access answers from the authorizing person's data, shared access from the company's (documented). */
function canaryOf(grant: Grant): string {
  return grant.access === "shared" ? COMPANY_CANARY : grant.person.canary;
}

/** Differs for each answer, so that a test can tell a repeated answer from a new one. */
function requestId(world: World): string {
  return `stand-in-${world.ledger.entries().length}`;
}
