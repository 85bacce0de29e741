// src/json.ts: whatever two readers of one JSON text could disagree on is refused.
import { describe, expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { JsonRefused, parseStrictJson } from "../../src/json.ts";

function reasonFor(text: string): string {
  try {
    parseStrictJson(text);
  } catch (error) {
    if (error instanceof JsonRefused) return error.reason;
    throw error;
  }
  return "accepted";
}

describe(verifies("json.strict", "strict JSON"), () => {
  test.each([
    ["an object", '{"a":1,"b":[true,null,"x"]}', { a: 1, b: [true, null, "x"] }],
    ["the same key in two objects", '[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ["the same key in an object and in its child", '{"a":{"a":1}}', { a: { a: 1 } }],
    ["a key again as a value", '{"a":"a"}', { a: "a" }],
    ["braces and colons inside strings", '{"a":"{\\"a\\":1}","b":"\\\\"}', { a: '{"a":1}', b: "\\" }],
    ["white space before the colon", '{"a" \n\t: 1}', { a: 1 }],
    ["the empty key", '{"":1}', { "": 1 }],
    ["a scalar", "12", 12],
  ])("RFC 8259: %s is read as JSON.parse reads it", (_, text, value) => {
    expect(parseStrictJson(text)).toEqual(value);
  });

  test.each([
    ["plain", '{"a":1,"a":2}'],
    ["apart", '{"a":1,"b":{"c":1},"a":2}'],
    ["escaped", '{"a":1,"\\u0061":2}'],
    ["with white space before the colon", '{"a":1,"a" :2}'],
    ["deep inside", '[[{"x":{"a":1,"a":2}}]]'],
  ])("RFC 8259 §4: a repeated key is refused (%s)", (_, text) => {
    expect(reasonFor(text)).toBe("duplicate_key");
  });

  test.each([
    ["plain", '{"__proto__":{"a":1}}'],
    ["escaped", '{"__pr\\u006fto__":1}'],
  ])("OWASP ASVS 15.3.6: the key __proto__ is refused (%s)", (_, text) => {
    expect(reasonFor(text)).toBe("forbidden_key");
  });

  test("OWASP ASVS 15.3.6: the text __proto__ as a value is no key", () => {
    expect(parseStrictJson('{"a":"__proto__"}')).toEqual({ a: "__proto__" });
  });

  test("RFC 8259 §9: 64 levels are read and 65 are refused", () => {
    expect(parseStrictJson("[".repeat(64) + "]".repeat(64))).toBeInstanceOf(Array);
    expect(reasonFor("[".repeat(65) + "]".repeat(65))).toBe("too_deep");
  });

  test("RFC 8259 §9: the number of levels is the caller's choice", () => {
    expect(parseStrictJson('{"a":1}', 1)).toEqual({ a: 1 });
    expect(() => parseStrictJson('{"a":[]}', 1)).toThrow(JsonRefused);
  });

  test.each([
    "",
    " ",
    "{",
    '{"a":1',
    '{"a"}',
    '"open',
    '"a\\"',
    "{'a':1}",
    '{"a":1}}',
    "[1,]",
    "NaN",
    "\uFEFF{}",
    '{"\\x":1}',
  ])("RFC 8259 §2: %j is not JSON", (text) => {
    expect(reasonFor(text)).toBe("not_json");
  });

  test("100,000 open brackets are refused at the limit, without recursion", () => {
    expect(reasonFor("[".repeat(100_000))).toBe("too_deep");
  });
});
