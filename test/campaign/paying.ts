// A paid call while something fails: its person asks the same again until it is answered. Judged by what Gong charged
// and by the ledger on disk: no charge without a row, and no second row while a whole answer was waiting. Called by
// sweep.ts.

import { paidRowsOnDisk } from "./disk.ts";
import type { Errand } from "./errands.ts";
import type { Outcome } from "./http.ts";
import { persist, type Actor, type Fault } from "./recovery.ts";
import type { Stage } from "./stage.ts";
import { describe } from "./story.ts";

/** One question of this person's own, asked until it is answered. */
export function paying(stage: Stage, actor: Actor): Errand {
  const ask = (): Promise<Outcome> => askAccount(stage, actor.tokens.access, `Question of ${actor.person}`);
  return {
    actor,
    run: ask,
    goOn: async (heard) => {
      const outcome = heard?.status === 200 ? heard : await persist(ask);
      if (outcome?.status !== 200) return [["stuck", `${actor.person}'s paid call: ${describe(outcome)}`]];
      return [...judge(stage, actor), ...expectOwn(stage, actor, outcome.body)];
    },
  };
}

/** The answer is of this person's data, and of nobody else's. */
function expectOwn(stage: Stage, { person }: Actor, answer: string): readonly Fault[] {
  const seen = [...stage.gong.memory().people.values()].filter(({ canary }) => answer.includes(canary));
  const owners = seen.map(({ id }) => id);
  return owners.length === 1 && owners[0] === person
    ? []
    : [["broken", `${person} was answered from the data of ${owners.join(", ") || "nobody"}`]];
}

function judge(stage: Stage, { person, tokens }: Actor): readonly Fault[] {
  const charged = stage.gong
    .ledger()
    .filter(
      (entry) => entry.kind === "tool_call" && entry.person === person && entry.event === "charged",
    ).length;
  const rows = paidRowsOnDisk(stage.gateway.stateDir, tokens.access);
  const told = `${person}: ${charged} charged; ${rows.map((row) => `${row.outcome} ${row.delivered}`).join(", ")}`;
  if (charged > rows.length) return [["doubled", `${told}; a charge without a row`]];
  const waiting = rows.slice(0, -1).find(({ outcome, delivered }) => outcome === "ok" && delivered === 0);
  return waiting === undefined ? [] : [["doubled", `${told}; paid again while an answer was waiting`]];
}

function askAccount(stage: Stage, accessToken: string, question: string): Promise<Outcome> {
  return stage.ask("/mcp", {
    method: "POST",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "ask_account", arguments: { crmAccount: "Globex", question } },
    }),
  });
}
