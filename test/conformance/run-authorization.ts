// The runner's authorization server suite against ours: it prints the authorization URL for somebody to open, and
// waits on a loopback port for the redirect. Called by referee.test.ts.

import { createPerson } from "../support/person.ts";
import { freePort } from "../support/workerd.ts";
import { type Results, runReferee } from "./referee.ts";
import { PUBLIC_CLIENT_ID, type Stage } from "./stage.ts";

/** Runs the suite with a scripted person who approves. */
export async function runAuthorizationSuite(stage: Stage): Promise<Results> {
  const port = await freePort();
  const options = [
    "--url",
    stage.gateway.origin,
    "--client-id",
    PUBLIC_CLIENT_ID,
    "--resource",
    stage.mcpUrl,
  ];
  let visit: Promise<void> | undefined;
  const results = await runReferee("authorization", [...options, "--port", String(port)], {}, (output) => {
    const url = /https?:\/\/\S+\/authorize\?\S+(?=\s)/.exec(output)?.[0];
    if (url !== undefined) visit ??= approve(url);
  });
  await visit;
  return results;
}

async function approve(authorizationUrl: string): Promise<void> {
  const callback = await createPerson().authorize(authorizationUrl);
  const response = await fetch(callback);
  await response.body?.cancel();
}
