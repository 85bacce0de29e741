// The device grant, from the device's first request to the person's question: POST /device_authorization and
// POST /device. Consent, Gong and the grant are those of every other sign-in. RFC 8628 §3.1 to §3.3, §5.

import type { IntegrationConfig } from "../config.ts";
import { mintCredential, randomId } from "../crypto/credential.ts";
import { randomBytes, sha256 } from "../crypto/encoding.ts";
import { OAuthError } from "../errors.ts";
import { log } from "../log.ts";
import { reviveAuthorizationRequest } from "../oauth/authorization-request.ts";
import { DEVICE_CODE_GRANT, type Client } from "../oauth/client.ts";
import {
  DEVICE_CODE_TTL_SECONDS,
  POLL_INTERVAL_SECONDS,
  readUserCode,
  shownUserCode,
  userCodeOf,
} from "../oauth/device-authorization.ts";
import type { FormParameters } from "../oauth/form.ts";
import { ENDPOINTS } from "../oauth/metadata.ts";
import { resolveResource } from "../oauth/resource.ts";
import { formatScope, resolveScope } from "../oauth/scope.ts";
import { assertGrantTypeAllowed } from "../oauth/token-request.ts";
import { authenticateClient } from "./authenticate-client.ts";
import { findClient } from "./clients.ts";
import { integrationFor, type Gateway } from "./gateway.ts";
import { sealRequest } from "./sealed-request.ts";
import { DEVICE_CHALLENGE } from "./tell-client.ts";

/** RFC 8628 §3.2. There is no `verification_uri_complete`: a link that carries the code is what phishing needs. */
export interface DeviceAuthorizationResponse {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly expires_in: number;
  readonly interval: number;
}

/** A poll a moment after the end is told `expired_token`, and not that its code is unknown. */
const CREDENTIAL_SECONDS = DEVICE_CODE_TTL_SECONDS + 600;

const USER_CODE_TRIES = 3;

/** Begins a device authorization. `askedFrom` says where the request came from. Throws OAuthError. */
export async function authorizeDevice(
  gateway: Gateway,
  authorization: string | undefined,
  form: FormParameters,
  askedFrom: string,
): Promise<DeviceAuthorizationResponse> {
  const { config } = gateway;
  const client = await authenticateClient(gateway, authorization, form);
  assertGrantTypeAllowed(client, DEVICE_CODE_GRANT);
  if (config.clientPolicy === "listed" && client.registration !== "preregistered") {
    throw new OAuthError("unauthorized_client", "Ask the admin of this gateway to register this client.");
  }
  const resource = resolveResource(form.all("resource"), config.resources);
  const scope = formatScope(resolveScope(form.get("scope")));
  for (let attempt = 0; attempt < USER_CODE_TRIES; attempt += 1) {
    const begun = await beginOnAnyShard(gateway, {
      clientId: client.clientId,
      resource,
      scope,
      askedFrom,
      network: gateway.network ?? "unknown",
    });
    if (begun === "full") break;
    if (begun === "taken") continue;
    log("info", "device.begun", { client: client.clientId }, gateway);
    return {
      device_code: begun.deviceCode,
      user_code: shownUserCode(begun.userCode),
      verification_uri: config.publicUrl + ENDPOINTS.device,
      expires_in: DEVICE_CODE_TTL_SECONDS,
      interval: POLL_INTERVAL_SECONDS,
    };
  }
  throw new OAuthError(
    "temporarily_unavailable",
    "Too many devices are waiting. Try again in a few minutes.",
    { reason: "devices_full", retryAfterSeconds: 300 },
  );
}

/** What a device asks for, and where it asked from. */
interface DeviceRequest {
  readonly clientId: string;
  readonly resource: string;
  readonly scope: string;
  readonly askedFrom: string;
  readonly network: string;
}

/** Mints both codes and keeps their hashes, unless the shard is full or another device has the same user code. */
async function beginOnAnyShard(
  { keyring, objects, now }: Gateway,
  asked: DeviceRequest,
): Promise<{ readonly deviceCode: string; readonly userCode: string } | "full" | "taken"> {
  const shard = randomByte() % objects.registryShards;
  const userCode = userCodeOf(shard, randomByte);
  const device = await mintCredential(keyring, "device", {
    connectionId: randomId(),
    grantId: randomId(),
    generation: shard,
    expiresAt: now() + CREDENTIAL_SECONDS,
    resource: asked.resource,
  });
  const hashes = { deviceCodeHash: device.hash, userCodeHash: await userCodeHash(userCode) };
  const begun = await objects.registryShard(shard).beginDevice({ ...asked, ...hashes });
  return begun === "begun" ? { deviceCode: device.value, userCode } : begun;
}

export type EnteredCode =
  | {
      readonly kind: "ask";
      readonly client: Client;
      readonly scope: readonly string[];
      readonly integration: IntegrationConfig;
      readonly sealedRequest: string;
      readonly userCode: string;
      readonly askedFrom: string;
      readonly askedAt: number;
    }
  /** Nothing waits under that code. */
  | { readonly kind: "unknown" }
  /** Too many codes were tried from this address. */
  | { readonly kind: "wait"; readonly retryAfterSeconds: number };

/**
 * Finds what waits under a code that a person typed, and prepares the question for the browser that holds `binding`.
 * Tries are counted by address before the code is looked up (RFC 8628 §5.1). A right code is none, but forgives no
 * wrong one: anybody can ask for a code of their own.
 */
export async function enterUserCode(
  gateway: Gateway,
  typed: string,
  address: string,
  binding: string,
): Promise<EnteredCode> {
  const { config, objects } = gateway;
  const addressHash = await sha256(`device ${address}`);
  const retryAfterSeconds = await objects.admin().admitSignIn(addressHash);
  if (retryAfterSeconds > 0) return { kind: "wait", retryAfterSeconds };
  const code = readUserCode(typed, objects.registryShards);
  if (code === undefined) return { kind: "unknown" };
  const hash = await userCodeHash(code.userCode);
  const device = await objects.registryShard(code.shard).findDevice(hash);
  const client = device === undefined ? undefined : await findClient(gateway, device.clientId);
  if (device === undefined || client === undefined) return { kind: "unknown" };
  await objects.admin().takeBackAttempt(addressHash);
  const scope = resolveScope(device.scope);
  const request = reviveAuthorizationRequest({
    clientId: client.clientId,
    redirectUri: `${config.publicUrl}${ENDPOINTS.device}/done`,
    state: undefined,
    codeChallenge: DEVICE_CHALLENGE,
    resource: device.resource,
    scope,
    device: { shard: code.shard, userCodeHash: hash, deviceCodeHash: device.deviceCodeHash },
  });
  return {
    kind: "ask",
    client,
    scope,
    integration: integrationFor(config, device.resource),
    sealedRequest: await sealRequest(gateway, request, binding),
    userCode: shownUserCode(code.userCode),
    askedFrom: device.askedFrom,
    askedAt: device.askedAt,
  };
}

const userCodeHash = (userCode: string): Promise<string> => sha256(`user code ${userCode}`);

const randomByte = (): number => randomBytes(1)[0] ?? 0;
