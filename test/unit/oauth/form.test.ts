// Subject: src/oauth/form.ts. RFC 6749 §3.1, §3.2 and Appendix B.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { formDecode, parseForm } from "../../../src/oauth/form.ts";
import { expectRefused, refusalOf, SEED } from "./refusal.ts";

describe(verifies("token.form", "parameters"), () => {
  it("RFC 6749 Appendix B: reads names and values, with plus as a space", () => {
    const form = parseForm("a=1+2&b%20c=%C3%A9%26%3D&&d==x=");
    expect(form.get("a")).toBe("1 2");
    expect(form.get("b c")).toBe("é&=");
    expect(form.get("d")).toBe("=x=");
    expect(form.get("absent")).toBeUndefined();
  });

  it("RFC 6749 §3.2: a parameter without a value counts as omitted", () => {
    const form = parseForm("a=&b&resource=&c=1");
    expect([form.has("a"), form.has("b"), form.has("resource"), form.has("c")]).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(form.get("a")).toBeUndefined();
    expect(form.all("resource")).toEqual([]);
  });

  it("an empty body has no parameters", () => {
    expect(parseForm("").has("")).toBe(false);
  });

  it.each([
    "a=1&a=2",
    "a=1&a=1",
    "a=1&%61=2",
    "a=&a=1",
    "a&a",
    "__proto__=1&__proto__=2",
    "resource[]=1&resource[]=2",
  ])("RFC 6749 §3.2: %s repeats a parameter and is refused", (body) =>
    expectRefused(() => parseForm(body), "invalid_request", "repeated_parameter"),
  );

  it("RFC 8707 §2: resource may repeat, and keeps its order", () => {
    const form = parseForm("resource=b&x=1&resource=a");
    expect(form.all("resource")).toEqual(["b", "a"]);
    expect(form.get("resource")).toBe("b");
  });

  it("names of object properties are names like any other and change no object", () => {
    const form = parseForm("__proto__=polluted&constructor=x");
    expect(form.get("__proto__")).toBe("polluted");
    expect(form.get("toString")).toBeUndefined();
    expect(form.has("hasOwnProperty")).toBe(false);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it.each([
    "a=%",
    "a=%4",
    "a=%zz",
    "%=1",
    "a=%ff",
    "a=%C3",
    "a=%c0%af",
    "a=%ed%a0%80",
    "a=é",
    "a=\ufffd",
    "a=\0",
    "a=1\n",
    "\ufeffa=1",
  ])("RFC 6749 Appendix B: %j is refused", (body) =>
    expectRefused(() => parseForm(body), "invalid_request", "bad_encoding"),
  );

  it("a value of 16 KiB passes, one character more is refused", () => {
    expect(parseForm(`a=${"x".repeat(16_384)}`).get("a")).toHaveLength(16_384);
    expectRefused(() => parseForm(`a=${"x".repeat(16_385)}`), "invalid_request", "parameter_too_long");
  });

  it("a name is as short as a value must be", () => {
    expectRefused(() => parseForm(`${"x".repeat(16_385)}=1`), "invalid_request", "parameter_too_long");
  });

  it("40 parameters pass, 41 are refused, repeats of resource count too", () => {
    const body = (count: number) => Array.from({ length: count }, () => "resource=x").join("&");
    expect(parseForm(body(40)).all("resource")).toHaveLength(40);
    expectRefused(() => parseForm(body(41)), "invalid_request", "too_many_parameters");
    expectRefused(() => parseForm(body(5_000)), "invalid_request", "too_many_parameters");
  });

  it("65,536 characters in all pass, one more is refused", () => {
    const filled = ["a", "b", "c", "d"].map((name) => `${name}=${"x".repeat(16_000)}`).join("&");
    const body = (length: number) => `${filled}&e=`.padEnd(length, "x");
    expect(parseForm(body(65_536)).has("e")).toBe(true);
    expectRefused(() => parseForm(body(65_537)), "invalid_request", "request_too_long");
  });

  it("RFC 6749 Appendix B: what a serializer wrote is read back", () => {
    const pairs = fc.uniqueArray(
      fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary", minLength: 1 })),
      {
        selector: ([name]) => name,
        maxLength: 10,
      },
    );
    fc.assert(
      fc.property(pairs, (written) => {
        const form = parseForm(new URLSearchParams(written).toString());
        for (const [name, value] of written) expect(form.get(name)).toBe(value);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("no body makes it fail in another way than a refusal", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("a", "=", "&", "%", "+", "2", "c", "C", "3", "f", "é", "\n", "\0"),
        }),
        (body) => {
          expect(refusalOf(() => parseForm(body))?.code ?? "invalid_request").toBe("invalid_request");
        },
      ),
      { seed: SEED, numRuns: 5_000 },
    );
  });
});

describe(verifies("token.form", "decoding form values"), () => {
  it.each([
    ["a+b", "a b"],
    ["%3A%2B%25", ":+%"],
    ["%C3%A9", "é"],
    ["", ""],
    ["%", undefined],
    ["%C3", undefined],
  ])("RFC 6749 Appendix B: %j stands for %j", (text, expected) => {
    expect(formDecode(text)).toBe(expected);
  });
});
