// Sealing for the holder of a credential: the key is derived from the credential itself, so a stored token answer can
// be opened only by whoever presents that refresh token again (RFC 9700 §4.14.2: rotation with a lost response).

import { decrypt, encrypt, headerFor } from "./jwe.ts";

/** Seals `plaintext` under a key derived from `credential`. */
export async function sealForHolder(credential: string, plaintext: string): Promise<string> {
  const [header, ...parts] = await encrypt(await keyOf(credential), headerFor(undefined), plaintext);
  // RFC 7516 §7.1: with a shared key the part of the encrypted key is empty.
  return [header, "", ...parts].join(".");
}

/** Opens what `sealForHolder` made with the same credential. Throws when it is another one. */
export async function openForHolder(credential: string, sealed: string): Promise<string> {
  const [header = "", shared, ...parts] = sealed.split(".");
  const isOurs = header === headerFor(undefined) && shared === "";
  const text = isOurs ? await decrypt(await keyOf(credential), [header, ...parts]) : undefined;
  if (text === undefined) throw new Error("The answer is sealed for another credential");
  return text;
}

async function keyOf(credential: string): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey("raw", encoder.encode(credential), "HKDF", false, [
    "deriveKey",
  ]);
  return crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(32),
      info: encoder.encode("gong-mcp-gateway answer"),
    },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
