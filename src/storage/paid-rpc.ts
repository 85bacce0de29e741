// What crosses the border between the Worker and a ConnectionObject for a paid call.

import type { AnswerForm } from "../mcp/paid-answer.ts";
import type { GongAuthorization } from "./gong-tokens.ts";
import type { PresentedCredential } from "./presented-credential.ts";

/** A `tools/call` as its client sent it, and what was read from it. */
export interface PaidCallRequest extends AnswerForm {
  readonly credential: PresentedCredential;
  readonly tool: string;
  readonly arguments: unknown;
  /** SHA-256 of tool and arguments in canonical form. */
  readonly callHash: string;
  readonly shareable: boolean;
  readonly fresh: boolean;
  readonly progressTokenJson: string | undefined;
  /** The client's own headers; MCP's go on to Gong. */
  readonly headers: readonly (readonly [string, string])[];
  /** The very bytes that go to Gong. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** MCP 2025-11-25, Session Management: our id, as the client sent it, and Gong's. */
  readonly session: { readonly given: string; readonly upstream: string } | undefined;
}

export type GongToken = Extract<GongAuthorization, { ok: true }>;

/** What became of one caller, told when its line is no longer written to. */
export type PaidOutcome =
  /** The answer went over the line. */
  | { readonly kind: "answered" }
  /** The caller left, or cancelled the call. */
  | { readonly kind: "left" }
  /** The policy says that the tool costs nothing: the call may go straight to Gong. */
  | { readonly kind: "unpaid"; readonly gong: GongToken }
  /** `revoked`: while the call ran, so the rest of the answer was withheld. */
  | { readonly kind: "unauthorized"; readonly reason: string }
  /** `scope`: what to ask for; undefined when Gong did not say. */
  | { readonly kind: "insufficient_scope"; readonly scope: string | undefined }
  | {
      readonly kind: "failed";
      readonly status: 502 | 503 | 504;
      readonly reason: string;
      readonly retryAfterSeconds?: number | undefined;
    };

/** MCP 2025-11-25, Cancellation: which call of whom. */
export interface CancelRequest {
  readonly credential: PresentedCredential;
  readonly idJson: string;
  readonly session: string | undefined;
}
