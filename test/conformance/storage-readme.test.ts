// src/storage/README.md names every table and every field that the code creates, and no other.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RESEALED_COLUMNS } from "../../src/storage/reseal.ts";
import { verifies } from "./verifies.ts";

const STORAGE = join(import.meta.dirname, "../../src/storage");

/** Each table of the schemas in `source`, with its columns. */
function tablesOf(source: string): Map<string, readonly string[]> {
  const tables = new Map<string, readonly string[]>();
  for (const [, name = "", body = ""] of source.matchAll(/CREATE TABLE (\w+) \((.*?)\) STRICT/gs)) {
    const columns = [...body.matchAll(/(?:^|,)\s*([a-z_]+) (?:TEXT|INTEGER|REAL|BLOB)\b/g)];
    tables.set(name, columns.map(([, column = ""]) => column).sort());
  }
  for (const [, name = "", column = ""] of source.matchAll(/ALTER TABLE (\w+) ADD COLUMN (\w+)/g)) {
    tables.set(name, [...(tables.get(name) ?? []), column].sort());
  }
  for (const [, name = "", newName = ""] of source.matchAll(/ALTER TABLE (\w+) RENAME TO (\w+)/g)) {
    tables.set(newName, tables.get(name) ?? []);
    tables.delete(name);
  }
  for (const [, name = "", old = "", column = ""] of source.matchAll(
    /ALTER TABLE (\w+) RENAME COLUMN (\w+) TO (\w+)/g,
  )) {
    tables.set(name, (tables.get(name) ?? []).map((known) => (known === old ? column : known)).sort());
  }
  for (const [, name = "", column = ""] of source.matchAll(/ALTER TABLE (\w+) DROP COLUMN (\w+)/g)) {
    tables.set(
      name,
      (tables.get(name) ?? []).filter((known) => known !== column),
    );
  }
  return tables;
}

/** Each table that the page describes, with the fields in the first column of its rows. */
function tablesDescribed(page: string): Map<string, readonly string[]> {
  const sections = page.split(/^### /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [, name = ""] = /^`(\w+)`/.exec(section) ?? [];
      const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = ""]) => cell);
      const fields = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, field = ""]) => field));
      return [name, fields.sort()];
    }),
  );
}

describe(verifies("storage.described", "the description of what is stored"), () => {
  it("OWASP ASVS 14.1.1: every table and field of the code is described, and no other", () => {
    const sources = readdirSync(STORAGE).filter((file) => file.endsWith(".ts") && file !== "migrations.ts");
    const code = tablesOf(sources.map((file) => readFileSync(join(STORAGE, file), "utf8")).join("\n"));
    const page = tablesDescribed(readFileSync(join(STORAGE, "README.md"), "utf8"));
    expect(code.size).toBeGreaterThan(10);
    expect(Object.fromEntries(page)).toEqual(Object.fromEntries(code));
  });

  it("OWASP ASVS 14.1.1: a field is called sealed or hashed exactly when its name says so", () => {
    const page = readFileSync(join(STORAGE, "README.md"), "utf8");
    const rows = [...page.matchAll(/^\| (`[^|]*) \| ([^|]*) \|/gm)];
    const wrong = rows
      .flatMap(([, cell = "", kept = ""]) =>
        [...cell.matchAll(/`(\w+)`/g)].map(([, field = ""]) => ({ field, kept: kept.split(/[ ,:;]/)[0] })),
      )
      .filter(({ field, kept }) => kept !== expectedOf(field));
    expect(wrong).toEqual([]);
  });
});

/**
 * What the key sweep does with each sealed field. One that is "passing" lives shorter than the page tells an admin to
 * wait.
 */
const SWEPT: Readonly<Record<string, "resealed" | "counted" | "copy" | "passing">> = {
  "connection.gong_access_token_sealed": "resealed",
  "connection.gong_refresh_token_sealed": "resealed",
  "connection.attempt_answer_sealed": "resealed",
  "connection.quarantined_answer_sealed": "resealed",
  "kept_parts.result_sealed": "counted",
  "call_contents.arguments_sealed": "counted",
  // While it is needed, the sweep seals it again as the connection's attempt_answer_sealed.
  "answers.answer_sealed": "copy",
  "identity.key_sealed": "resealed",
  "people.email_sealed": "resealed",
  "transaction_record.continuation_sealed": "passing",
  "transaction_record.outcome_sealed": "passing",
  "transaction_record.answer_sealed": "passing",
};

describe(verifies("keys.every_sealed_field", "the key sweep and what is sealed"), () => {
  it("NIST SP 800-57 part 1 §5.3: no sealed field is forgotten when a key rotates", () => {
    const page = readFileSync(join(STORAGE, "README.md"), "utf8");
    const sealed = page
      .split(/^### /m)
      .slice(1)
      .flatMap((section) => {
        const [, table = ""] = /^`(\w+)`/.exec(section) ?? [];
        const rows = [...section.matchAll(/^\| (`[^|]*) \| sealed(?! for its holder)/gm)];
        return rows.flatMap(([, cell = ""]) =>
          [...cell.matchAll(/`(\w+)`/g)].map(([, field = ""]) => `${table}.${field}`),
        );
      });
    expect(sealed.length).toBeGreaterThan(5);
    expect(sealed.sort()).toEqual(Object.keys(SWEPT).sort());
    const columns = Object.entries(SWEPT).flatMap(([field, how]) =>
      how === "resealed" && field.startsWith("connection.") ? [field.slice("connection.".length)] : [],
    );
    expect(RESEALED_COLUMNS.map(([column]) => column).sort()).toEqual(columns.sort());
  });
});

function expectedOf(field: string): string {
  if (field.endsWith("_sealed")) return "sealed";
  return field === "hash" || field.endsWith("_hash") ? "hashed" : "plain";
}
