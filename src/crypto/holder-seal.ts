// Sealing for the holder of a credential: the key is derived from the credential itself, so a stored token answer can
// be opened only by whoever presents that refresh token again (RFC 9700 §4.14.2: rotation with a lost response).

import { compactDecrypt, CompactEncrypt } from "jose";

const ALG = "dir";
const ENC = "A256GCM";

/** Seals `plaintext` under a key derived from `credential`. */
export async function sealForHolder(credential: string, plaintext: string): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(plaintext))
    .setProtectedHeader({ alg: ALG, enc: ENC })
    .encrypt(await keyOf(credential));
}

/** Opens what `sealForHolder` made with the same credential. Throws jose's error when it is another one. */
export async function openForHolder(credential: string, sealed: string): Promise<string> {
  const { plaintext } = await compactDecrypt(sealed, await keyOf(credential), {
    keyManagementAlgorithms: [ALG],
    contentEncryptionAlgorithms: [ENC],
    maxDecompressedLength: 0,
  });
  return new TextDecoder().decode(plaintext);
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
