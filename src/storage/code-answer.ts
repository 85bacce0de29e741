// Gong's answer to a code exchange while it is not a connection yet: sealed in its transaction before anybody reads it,
// so that a crash does not lose it. Whoever finishes the sign-in goes on from it: the Worker that asked, the one that
// serves the browser's reload, or the alarm.

import { integrationNamed, type Config, type IntegrationConfig, type IntegrationName } from "../config.ts";
import { open, seal, type SealContext } from "../crypto/seal.ts";
import { interpretTokenAnswer, type GongTokenAnswer, type GongTokens } from "../gong/oauth.ts";
import { namedConnectionId, sharedConnectionId, type Naming } from "./connection-names.ts";
import type { Authorization } from "./connection-rpc.ts";
import { readAnswer, writeAnswer } from "./gong-seals.ts";

export interface CodeAnswer {
  readonly integration: IntegrationName;
  /** Epoch milliseconds. */
  readonly answeredAt: number;
  readonly answer: GongTokenAnswer;
}

export interface Deployment extends Naming {
  readonly config: Config;
}

/** Seals the answer for the transaction `id`. */
export function sealCodeAnswer(
  deployment: Deployment,
  id: string,
  { answer, ...rest }: CodeAnswer,
): Promise<string> {
  const text = JSON.stringify({ ...rest, answer: writeAnswer(answer) });
  return seal(deployment.keyring, place(deployment, id), text);
}

/** Opens what `sealCodeAnswer` made for the same transaction. Throws Unsealable. */
export async function openCodeAnswer(
  deployment: Deployment,
  id: string,
  sealed: string,
): Promise<CodeAnswer> {
  const text = await open(deployment.keyring, place(deployment, id), sealed);
  const { answer, ...rest }: Omit<CodeAnswer, "answer"> & { answer: string } = JSON.parse(text);
  return { ...rest, answer: readAnswer(answer) };
}

/**
 * Puts the tokens in a kept answer where they belong when no browser comes back for them: a person's newest sign-in may
 * have ended the older ones at Gong. Throws GongError for an answer that can't be used.
 */
export async function adoptCodeAnswer(deployment: Deployment, id: string, sealed: string): Promise<void> {
  const { integration: name, answer, answeredAt } = await openCodeAnswer(deployment, id, sealed);
  const integration = integrationNamed(deployment.config, name);
  const tokens = interpretTokenAnswer(answer, integration.clientId);
  await adoptTokens(deployment, integration, tokens, { id, answeredAt });
}

/**
 * Keeps tokens that no agent was signed in for. Shared access: they are the connection. Personal: they heal the
 * person's connection, if there is one that nobody has ended; else nothing is kept.
 */
export async function adoptTokens(
  deployment: Deployment,
  integration: IntegrationConfig,
  tokens: GongTokens,
  authorization: Authorization,
): Promise<void> {
  const { objects } = deployment;
  const { name, access } = integration;
  const id =
    access === "shared"
      ? await sharedConnectionId(integration)
      : await namedConnectionId(deployment, integration, tokens.userId);
  if (id === undefined) return;
  if (access === "shared") await objects.admin().recordConnection({ id, integration: name }, undefined);
  else {
    const known = (await objects.admin().hasConnection(id))
      ? await objects.connection(id).describe()
      : undefined;
    if (known === undefined || known.state === "disconnected") return;
  }
  await objects.connection(id).connectGong(name, tokens, authorization, undefined);
}

const place = ({ config }: Deployment, id: string): SealContext => ({
  purpose: "transaction",
  environment: config.publicUrl,
  object: id,
  field: "answer",
  generation: 1,
});
