// Sealing of what Gong gave us, for one connection: each value is bound to the deployment, the connection, its field
// and its generation, so a value copied to another row or kept from an older generation does not open.

import type { Keyring } from "../crypto/keyring.ts";
import { open, seal, type SealContext } from "../crypto/seal.ts";
import type { GongTokenAnswer, GongTokens } from "../gong/oauth.ts";

/** The sealed columns of one generation of tokens. */
export interface SealedTokens {
  readonly accessTokenSealed: string;
  readonly refreshTokenSealed: string | null;
}

/** What a sealed value of Gong's is bound to. */
export type SealedField = "access_token" | "refresh_token" | "answer";

export interface GongSeals {
  sealTokens(
    tokens: Pick<GongTokens, "accessToken" | "refreshToken">,
    generation: number,
  ): Promise<SealedTokens>;
  openAccessToken(sealed: string, generation: number): Promise<string>;
  openRefreshToken(sealed: string, generation: number): Promise<string>;
  /** `generation` is the one whose refresh token was spent for the answer. */
  sealAnswer(answer: GongTokenAnswer, generation: number): Promise<string>;
  openAnswer(sealed: string, generation: number): Promise<GongTokenAnswer>;
  /** The same value under the first key of the ring. Throws Unsealable. */
  reseal(field: SealedField, sealed: string, generation: number): Promise<string>;
}

/** The seals of the connection `id` in the deployment `environment`. */
export function createGongSeals(keyring: Keyring, environment: string, id: string): GongSeals {
  const at = (field: SealedField, generation: number): SealContext => ({
    purpose: "gong-tokens",
    environment,
    object: id,
    field,
    generation,
  });
  return {
    sealTokens: async (tokens, generation) => ({
      accessTokenSealed: await seal(keyring, at("access_token", generation), tokens.accessToken),
      refreshTokenSealed:
        tokens.refreshToken === undefined
          ? null
          : await seal(keyring, at("refresh_token", generation), tokens.refreshToken),
    }),
    openAccessToken: (sealed, generation) => open(keyring, at("access_token", generation), sealed),
    openRefreshToken: (sealed, generation) => open(keyring, at("refresh_token", generation), sealed),
    sealAnswer: (answer, generation) => seal(keyring, at("answer", generation), writeAnswer(answer)),
    openAnswer: async (sealed, generation) =>
      readAnswer(await open(keyring, at("answer", generation), sealed)),
    reseal: async (field, sealed, generation) =>
      seal(keyring, at(field, generation), await open(keyring, at(field, generation), sealed)),
  };
}

/** An answer of Gong's as text, for sealing. */
export function writeAnswer(answer: GongTokenAnswer): string {
  return JSON.stringify({ ...answer, body: [...answer.body] });
}

/** The answer that `writeAnswer` wrote. */
export function readAnswer(text: string): GongTokenAnswer {
  const { body, ...rest }: Omit<GongTokenAnswer, "body"> & { body: number[] } = JSON.parse(text);
  return { ...rest, body: Uint8Array.from(body) };
}
