// GET /authorize/waiting/<transaction>: shared access, once an admin has decided. Gong is not visited again; the
// client gets a code on the integration's one connection.

import { sha256 } from "../crypto/encoding.ts";
import { OAuthError } from "../errors.ts";
import type { AuthorizationRequestParts } from "../oauth/authorization-request.ts";
import { log } from "../log.ts";
import { isClientGone } from "./clients.ts";
import { sharedConnectionId } from "../storage/connection-names.ts";
import { actorIn, integrationFor, type Gateway } from "./gateway.ts";
import { openGrantFor } from "./open-grant.ts";
import { personRow } from "./people.ts";
import { tellGranted, tellRefused } from "./tell-client.ts";
import {
  approvalCode,
  finishTransaction,
  isBindingOf,
  openContinuation,
  openOutcome,
  type Continuation,
} from "./transaction.ts";

export type FinishedApproval =
  | { readonly kind: "redirect"; readonly url: string }
  | { readonly kind: "waiting"; readonly code: string; readonly clientName: string | undefined }
  | {
      readonly kind: "refused";
      readonly reason: "state_unknown" | "other_browser" | "expired" | "used" | "failed";
    };

/** Goes on once an admin decided about the transaction of the browser that holds `binding`. */
export async function finishApproval(
  gateway: Gateway,
  transactionId: string,
  binding: string | undefined,
): Promise<FinishedApproval> {
  if (binding === undefined || !(await isBindingOf(gateway, transactionId, binding))) {
    return { kind: "refused", reason: "other_browser" };
  }
  const taken = await gateway.objects.transaction(transactionId).takeDecided(await sha256(binding));
  switch (taken.kind) {
    case "waiting": {
      const { request, clientName } = await openContinuation(
        gateway,
        transactionId,
        taken.continuationSealed,
      );
      // At Gong, and no admin's to decide.
      if (request === undefined) return { kind: "refused", reason: "state_unknown" };
      return { kind: "waiting", code: await approvalCode(transactionId), clientName };
    }
    case "busy":
    case "lost":
      return { kind: "waiting", code: await approvalCode(transactionId), clientName: undefined };
    case "done":
      return { kind: "redirect", url: await openOutcome(gateway, transactionId, taken.outcomeSealed) };
    case "refused":
      return { kind: "refused", reason: taken.reason === "unknown" ? "state_unknown" : taken.reason };
    case "taken": {
      const continuation = await openContinuation(gateway, transactionId, taken.continuationSealed);
      const { request } = continuation;
      if (request === undefined) return { kind: "refused", reason: "failed" };
      gateway.attempt.clientId = request.clientId;
      gateway.attempt.clientName = continuation.clientName;
      const url = await answer(gateway, transactionId, request, continuation, taken.denied);
      await finishTransaction(gateway, transactionId, url);
      return { kind: "redirect", url };
    }
  }
}

async function answer(
  gateway: Gateway,
  transactionId: string,
  request: AuthorizationRequestParts,
  { clientName, actor }: Continuation,
  denied: boolean,
): Promise<string> {
  const refuse = (error: OAuthError): Promise<string> => {
    gateway.attempt.reason = error.code;
    return tellRefused(gateway, request, error);
  };
  if (denied) return refuse(new OAuthError("access_denied", "An admin denied the request."));
  if (await isClientGone(gateway, request.clientId)) {
    return refuse(new OAuthError("unauthorized_client", "Add the connection in your client again."));
  }
  const integration = integrationFor(gateway.config, request.resource);
  const connectionId = await sharedConnectionId(integration);
  const person = actor === undefined ? undefined : await personRow(gateway, actor);
  const opened = await openGrantFor(gateway, connectionId, transactionId, request, clientName, person);
  const { objects } = gateway;
  if (person !== undefined) await objects.admin().recordPerson(person);
  await objects
    .admin()
    .recordConnection({ id: connectionId, integration: integration.name }, request.clientId);
  const { grant, code, codeValue } = opened;
  if (!(await objects.connection(connectionId).openGrant({ grant, code }))) {
    const gone = new OAuthError(
      "temporarily_unavailable",
      "Shared access is not connected. Tell your admin.",
    );
    return refuse(gone);
  }
  if (actor !== undefined) {
    await objects.admin().recordAct(actorIn(gateway, actor, "person"), "connection.used", connectionId);
  }
  log("info", "callback.completed", { client: request.clientId, connection: connectionId }, gateway);
  return tellGranted(gateway, request, { connectionId, grantId: grant.id, codeValue });
}
