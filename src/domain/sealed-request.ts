// The validated authorization request on its way through the consent form. Nothing is stored before a person approves:
// the request travels in the form, sealed, bound to the browser that asked, good for ten minutes and one approval.

import { constantTimeEqual, encodeBase64Url, randomBytes, sha256 } from "../crypto/encoding.ts";
import { isId, randomId } from "../crypto/credential.ts";
import { open, seal, Unsealable, type SealContext } from "../crypto/seal.ts";
import type {
  AuthorizationRequestParts,
  ValidatedAuthorizationRequest,
} from "../oauth/authorization-request.ts";
import type { Gateway } from "./gateway.ts";

const FORM_TTL_SECONDS = 600;
const LONGEST_SEALED = 16_384;

export interface SealedRequestContent {
  /** Names the transaction that an approval begins, so that one form begins one. */
  readonly transactionId: string;
  readonly request: AuthorizationRequestParts;
  readonly bindingHash: string;
  readonly expiresAt: number;
}

/** Why a form is refused. */
export type FormRefusal = "form_unreadable" | "form_expired" | "other_browser";

/** A fresh value for the consent cookie. */
export const newBinding = (): string => encodeBase64Url(randomBytes(32));

/** Seals a validated request for the consent form of the browser that holds `binding`. */
export async function sealRequest(
  gateway: Gateway,
  request: ValidatedAuthorizationRequest,
  binding: string,
): Promise<string> {
  const content: SealedRequestContent = {
    transactionId: randomId(),
    request,
    bindingHash: await sha256(binding),
    expiresAt: gateway.now() + FORM_TTL_SECONDS,
  };
  return seal(gateway.keyring, place(gateway), JSON.stringify(content));
}

/** Opens the form's request for the browser that holds `binding`; anything else is a refusal. */
export async function openRequest(
  gateway: Gateway,
  sealed: string | undefined,
  binding: string | undefined,
): Promise<SealedRequestContent | FormRefusal> {
  if (sealed === undefined || sealed.length > LONGEST_SEALED) return "form_unreadable";
  if (binding === undefined) return "other_browser";
  const content = await opened(gateway, sealed);
  if (content === undefined || !isId(content.transactionId)) return "form_unreadable";
  if (!constantTimeEqual(content.bindingHash, await sha256(binding))) return "other_browser";
  return content.expiresAt <= gateway.now() ? "form_expired" : content;
}

async function opened(gateway: Gateway, sealed: string): Promise<SealedRequestContent | undefined> {
  try {
    const content: SealedRequestContent = JSON.parse(await open(gateway.keyring, place(gateway), sealed));
    return content;
  } catch (error) {
    if (error instanceof Unsealable) return undefined;
    throw error;
  }
}

function place(gateway: Gateway): SealContext {
  return {
    purpose: "authorization-request",
    environment: gateway.config.publicUrl,
    object: "consent-form",
    field: "request",
    generation: 0,
  };
}
