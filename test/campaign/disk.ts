// What was on disk when the Worker was killed: whether Gong's answer to the refresh in flight had been kept. Read from
// copies of the objects' databases, because opening the originals would change them. Called by kills.ts and sweep.ts.

import { createHash, createHmac } from "node:crypto";
import { cpSync, existsSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "../support/leftovers.ts";

/**
 * Whether the connection that `credential` belongs to had Gong's last answer on disk: committed, or sealed in the
 * connection or in its escrow. Asked between a kill and the restart.
 */
export function answerOnDisk(stateDir: string, credential: string): boolean {
  const id = connectionIdIn(credential);
  const attempt = read(stateDir, "ConnectionObject", id, (database) => {
    return database.prepare("SELECT attempt_id, attempt_answer_sealed FROM connection").get();
  });
  if (attempt === undefined) return false;
  const { attempt_id: attemptId, attempt_answer_sealed: kept } = attempt;
  // The intent is on disk before Gong is asked, and only a commit clears it.
  if (attemptId === null || kept !== null) return true;
  const inEscrow = read(stateDir, "EscrowObject", id, (database) => {
    return database.prepare("SELECT 1 FROM answers WHERE attempt_id = ?").get(attemptId ?? "");
  });
  return inEscrow !== undefined;
}

/** Whether Gong's answer to the sign-in that `cookie` belongs to is on disk, or the sign-in is finished. */
export function signInOnDisk(stateDir: string, cookie: string): boolean {
  const [, id = ""] = /__Host-txn-([\w-]+)=/.exec(cookie) ?? [];
  const found = read(stateDir, "TransactionObject", id, (database) => {
    return database
      .prepare("SELECT 1 FROM transaction_record WHERE answer_sealed IS NOT NULL OR status = 'done'")
      .get();
  });
  return found !== undefined;
}

/** The rows of paid calls in the ledger of the connection that `credential` belongs to, oldest first. */
export function paidRowsOnDisk(
  stateDir: string,
  credential: string,
): readonly { readonly outcome: string; readonly delivered: number }[] {
  const rows = read(stateDir, "ConnectionObject", connectionIdIn(credential), (database) =>
    database.prepare("SELECT outcome, delivered FROM paid_calls WHERE served = 'paid' ORDER BY seq").all(),
  );
  return (rows ?? []).map((row) => ({
    outcome: String(row["outcome"]),
    delivered: Number(row["delivered"]),
  }));
}

/**
 * Copies the connection that `credential` belongs to, and returns how to put the copy back while the Worker is dead: a
 * point-in-time restore of that object alone.
 */
export function copyConnection(stateDir: string, credential: string): () => void {
  const folder = path.join(stateDir, "gateway-ConnectionObject");
  const file = `${objectId("gateway-ConnectionObject", connectionIdIn(credential))}.sqlite`;
  const copy = temporaryFolder("copy");
  for (const part of [file, `${file}-wal`]) cpSync(path.join(folder, part), path.join(copy, part));
  return () => {
    rmSync(path.join(folder, `${file}-shm`), { force: true });
    cpSync(copy, folder, { recursive: true });
    rmSync(copy, { recursive: true, force: true });
  };
}

/** Credentials of ours carry the connection's id in bytes 5 to 20. */
function connectionIdIn(credential: string): string {
  const bytes = Buffer.from(credential.slice(credential.indexOf("_") + 1), "base64url");
  return bytes.subarray(5, 21).toString("base64url");
}

function read<T>(
  stateDir: string,
  className: string,
  name: string,
  ask: (database: DatabaseSync) => T | undefined,
): T | undefined {
  const file = `${objectId(`gateway-${className}`, name)}.sqlite`;
  const folder = path.join(stateDir, `gateway-${className}`);
  if (!existsSync(path.join(folder, file))) return undefined;
  const copy = temporaryFolder("disk");
  try {
    copyDatabase(folder, file, copy);
    const database = new DatabaseSync(path.join(copy, file));
    try {
      return ask(database);
    } finally {
      database.close();
    }
  } catch (error) {
    // Killed before its schema was there.
    if (error instanceof Error && /no such table/.test(error.message)) return undefined;
    throw error;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * Copies a database with its log. An object that was aborted in a living Worker closes its database meanwhile, which
 * moves the log into the file: then both are copied again.
 */
function copyDatabase(folder: string, file: string, copy: string): void {
  const log = `${file}-wal`;
  for (;;) {
    cpSync(path.join(folder, file), path.join(copy, file));
    if (!existsSync(path.join(folder, log))) return;
    try {
      cpSync(path.join(folder, log), path.join(copy, log));
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
}

/** How workerd names the file of an object that was made by name. */
function objectId(uniqueKey: string, name: string): string {
  const key = createHash("sha256").update(uniqueKey).digest();
  const half = (bytes: string | Buffer): Buffer =>
    createHmac("sha256", key).update(bytes).digest().subarray(0, 16);
  const nameHalf = half(name);
  return Buffer.concat([nameHalf, half(nameHalf)]).toString("hex");
}
