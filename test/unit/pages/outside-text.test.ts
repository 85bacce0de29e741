// src/pages/outside-text.ts: names and addresses from outside can't hide anything and can't turn the line round.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { asciiUri, spelledOut, visibleName } from "../../../src/pages/outside-text.ts";

describe(verifies("pages.escaping", "text from outside"), () => {
  test.each([
    ["an ordinary name", "Claude Code (gong)", "Claude Code (gong)"],
    ["another script", "סוכן המכירות", "סוכן המכירות"],
    ["accents", "Cafe\u0301 Zürich", "Café Zürich"],
    ["a right-to-left override", "Gong\u202Emoc.live", "Gongmoc.live"],
    ["bidi isolates", "a\u2066b\u2067c\u2068d\u2069e", "abcde"],
    ["zero-width characters", "G\u200Bo\u200Cn\u200Dg\uFEFF\u2060", "Gong"],
    ["controls", "a\u0000b\u001Bc\u0085d\u007Fe", "abcde"],
    ["line breaks", "a\r\nb\u2028c\u2029d", "a b c d"],
    ["white space", "  a \t  b  ", "a b"],
    ["tag characters and variation selectors", "a\u{E0041}b\uFE0F\u{E0100}c", "abc"],
    ["Hangul fillers and blank Braille", "a\u3164\u115F\uFFA0\u2800b", "ab"],
    ["lone surrogates and private use", "a\uD800b\uE000c", "abc"],
    ["stacked marks", `Z${"\u0351".repeat(30)}`, "Z\u0351\u0351\u0351"],
  ])("TR36 §3: %s in a name reads as it looks", (_, name, expected) => {
    expect(visibleName(name)).toBe(expected);
  });

  test.each([
    ["nothing", undefined],
    ["the empty name", ""],
    ["only white space", " \n\t\u3000"],
    ["only what is drawn as nothing", "\u200B\u202E\u3164\u2800"],
    ["only marks", "\u0301\u0302"],
  ])("a client that gives %s has no name", (_, name) => {
    expect(visibleName(name)).toBeUndefined();
  });

  test("a name of 64 characters is whole, one of 65 is cut and says so", () => {
    expect(visibleName("a".repeat(64))).toBe("a".repeat(64));
    expect(visibleName("a".repeat(65))).toBe(`${"a".repeat(64)}…`);
  });

  test("the cut never splits a character", () => {
    expect(visibleName("👍".repeat(65))).toBe(`${"👍".repeat(64)}…`);
  });

  test("RFC 3986 §2: an address of printable ASCII is shown character for character", () => {
    const uri = "https://u.test:8443/a%20b/%2e%2e/;x=1?q=%E2%80%AE&r=[]#f'\"<>";
    expect(asciiUri(uri)).toBe(uri);
  });

  test.each([
    ["a Cyrillic look-alike", "https://g\u043Eng.io/", "https://g⟨U+043E⟩ng.io/"],
    ["an override", "https://a.test/\u202Ex", "https://a.test/⟨U+202E⟩x"],
    ["a tab", "https://a.test/\tx", "https://a.test/⟨U+0009⟩x"],
    ["a character beyond the first plane", "https://a.test/\u{1F44D}", "https://a.test/⟨U+1F44D⟩"],
  ])("TR39 §5: %s in an address is spelt out", (_, uri, expected) => {
    expect(asciiUri(uri)).toBe(expected);
  });

  test("a detail keeps every character, the unseen ones by number", () => {
    expect(spelledOut("Zürich\u202E\u200B\uD800!")).toBe("Zürich⟨U+202E⟩⟨U+200B⟩⟨U+D800⟩!");
  });
});
