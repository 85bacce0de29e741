// The clients that admins make for machines: made from a form, listed, ended together with everything they were given.
// Called by routes/admin-machine-clients. RFC 6749 §2.3.1 and §4.4, RFC 7591 §2.

import { encodeBase64Url, randomBytes } from "../crypto/encoding.ts";
import { randomId } from "../crypto/credential.ts";
import { JsonRefused, parseStrictJson } from "../json.ts";
import type { ListPage, ListQuery } from "../listing.ts";
import { log } from "../log.ts";
import { CLIENT_CREDENTIALS } from "../oauth/client.ts";
import { hashClientSecret } from "../oauth/client-authentication.ts";
import { documentUrlHost } from "../oauth/client-id-url.ts";
import { parseClientKeys, type ClientKeys } from "../oauth/client-keys.ts";
import { displayName } from "../oauth/client-metadata.ts";
import type { FormParameters } from "../oauth/form.ts";
import { SCOPES } from "../oauth/scope.ts";
import type { MachineClientDescription, NewMachineClient } from "../storage/machine-clients.ts";
import { retrying } from "../storage/stubs.ts";
import { sharedConnectionId } from "../storage/connection-names.ts";
import type { Actor, Gateway } from "./gateway.ts";

export type { MachineClientDescription };

const DAY = 86_400;
/** The choices of the form, in days; 0 is never. */
export const EXPIRY_DAYS = [30, 90, 365, 0] as const;

/** What is wrong with the form, as a constant that the page has words for. */
export type MachineClientProblem =
  | "name"
  | "scope"
  | "proof"
  | "keys"
  | "key_set_url"
  | "expiry"
  | "too_many"
  | "name_taken";

export type MadeMachineClient =
  | { readonly kind: "made"; readonly clientId: string; readonly secret: string | undefined }
  | { readonly kind: "refused"; readonly problem: MachineClientProblem };

/** Makes a machine client. Its secret is in the answer and nowhere else; only its hash is kept. */
export async function makeMachineClient(
  gateway: Gateway,
  form: FormParameters,
  by: Actor,
): Promise<MadeMachineClient> {
  const name = displayName(form.get("name"));
  const scope = SCOPES.filter((one) => form.has(`scope:${one}`));
  const days = EXPIRY_DAYS.find((choice) => String(choice) === form.get("days"));
  if (name === undefined) return refused("name");
  if (scope.length === 0) return refused("scope");
  if (days === undefined) return refused("expiry");
  const secret = form.get("proof") === "secret" ? `gcs_${encodeBase64Url(randomBytes(32))}` : undefined;
  const keys = secret === undefined ? readKeys(gateway, form) : undefined;
  if (typeof keys === "string") return refused(keys);
  const proof: NewMachineClient["proof"] =
    keys === undefined
      ? { kind: "secret", secretHash: await hashClientSecret(secret ?? "") }
      : { kind: "keys", keys };
  const id = `gmc_${randomId()}`;
  const expiresAt = days === 0 ? undefined : gateway.now() + days * DAY;
  const made = await gateway.objects.admin().addMachineClient({ id, name, proof, scope, expiresAt }, by);
  if (made !== "made") return refused(made);
  log("info", "admin.acted", { action: "machine_client.created", client: id }, gateway);
  return { kind: "made", clientId: id, secret };
}

/** A page of all machine clients. */
export function listMachineClients(
  gateway: Gateway,
  query: ListQuery,
): Promise<ListPage<MachineClientDescription>> {
  return retrying(async () => gateway.objects.admin().listMachineClients(query));
}

/**
 * Ends a machine client for good. Its tokens first, so that the client is only called ended once nothing of it works;
 * trying again after a failure does what is left. False when there is no such client, or it was ended before.
 */
export async function endMachineClient(gateway: Gateway, clientId: string, by: Actor): Promise<boolean> {
  const { config, objects } = gateway;
  const known = await objects.admin().connectionsOfMachine(clientId);
  if (known === undefined) return false;
  const current = config.integrations.filter(({ access }) => access === "shared");
  const ids = new Set([
    ...(await Promise.all(current.map(sharedConnectionId))),
    // Also where an integration that the settings no longer name let it in.
    ...known,
  ]);
  for (const connectionId of ids) {
    const barred = { id: randomId(), clientId, grantType: CLIENT_CREDENTIALS, resource: "" } as const;
    await retrying(async () => objects.connection(connectionId).barClient(barred, "ended_by_admin"));
  }
  const ended = await objects.admin().endMachineClient(clientId, by);
  log("info", "admin.acted", { action: "machine_client.ended", client: clientId }, gateway);
  return ended;
}

function readKeys(gateway: Gateway, form: FormParameters): ClientKeys | MachineClientProblem {
  if (form.get("proof") === "key_set_url") {
    const uri = form.get("jwks_uri")?.trim() ?? "";
    const host = documentUrlHost(uri, gateway.config.publicUrl);
    return host === undefined ? "key_set_url" : { kind: "uri", uri };
  }
  if (form.get("proof") !== "keys") return "proof";
  const keys = parseKeySet(form.get("jwks") ?? "");
  return keys === undefined ? "keys" : { kind: "inline", keys };
}

function parseKeySet(text: string): ReturnType<typeof parseClientKeys> {
  try {
    return parseClientKeys(parseStrictJson(text));
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
}

function refused(problem: MachineClientProblem): MadeMachineClient {
  return { kind: "refused", problem };
}
