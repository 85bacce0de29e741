// The last step of an authorization: how the client hears of it. By redirect with a code or an error, or, for a device,
// by its next poll; the browser then stays on a page of ours. RFC 6749 §4.1.2, RFC 8628 §3.5.

import type { OAuthError } from "../errors.ts";
import { log } from "../log.ts";
import { reviveRedirectTarget, type AuthorizationRequestParts } from "../oauth/authorization-request.ts";
import { codeRedirect, errorRedirect } from "../oauth/authorization-response.ts";
import type { Gateway } from "./gateway.ts";

/** In the place of a PKCE challenge: a device code is never redeemed as a code, and no verifier has this challenge. */
export const DEVICE_CHALLENGE = "device";

/** What the page at the end of a device authorization tells. */
export type DeviceEnd = "connected" | "denied" | "late" | "failed";

export interface OpenedForClient {
  readonly connectionId: string;
  readonly grantId: string;
  readonly codeValue: string;
}

/** Hands a grant to its client. Returns where the browser goes. A device that waits no longer gets nothing. */
export async function tellGranted(
  gateway: Gateway,
  request: AuthorizationRequestParts,
  opened: OpenedForClient,
): Promise<string> {
  const { device } = request;
  if (device === undefined) return codeRedirect(targetOf(gateway, request), opened.codeValue);
  const { connectionId, grantId } = opened;
  const { objects } = gateway;
  const told = await objects
    .registryShard(device.shard)
    .settleDevice(device.userCodeHash, { connectionId, grantId });
  if (told) return deviceEnd(gateway, "connected");
  await objects.connection(connectionId).endGrant(grantId, "device_gone");
  return deviceEnd(gateway, "late");
}

/**
 * Tells the client that there is no grant. Returns where the browser goes. A device hears of a denial only: after
 * anything else its person can enter the code again.
 */
export async function tellRefused(
  gateway: Gateway,
  request: AuthorizationRequestParts,
  error: OAuthError,
): Promise<string> {
  const { device } = request;
  if (device === undefined) return errorRedirect(targetOf(gateway, request), error);
  if (error.code !== "access_denied") return deviceEnd(gateway, "failed");
  await gateway.objects.registryShard(device.shard).settleDevice(device.userCodeHash, undefined);
  log("info", "device.denied", { client: request.clientId }, gateway);
  return deviceEnd(gateway, "denied");
}

const deviceEnd = (gateway: Gateway, end: DeviceEnd): string =>
  `${gateway.config.publicUrl}/device/done?end=${end}`;

function targetOf(gateway: Gateway, { redirectUri, state }: AuthorizationRequestParts) {
  return reviveRedirectTarget({ redirectUri, state, issuer: gateway.config.publicUrl });
}
