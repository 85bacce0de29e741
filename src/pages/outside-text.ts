// Makes text that a client chose safe to read: nothing invisible, nothing that turns the line round, no look-alike
// hosts. Called by the pages; escaping for HTML is hono/jsx's. Unicode TR36 §3, TR39 §5.

/** More than this many characters of a name tell a person nothing. */
const NAME_LENGTH = 64;

/** Marks stacked higher than any script needs run over the lines above and below. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;

// Controls, private use, unassigned, lone surrogates, and everything that is drawn as nothing: bidi and zero-width
// controls, Hangul fillers, variation selectors, the blank Braille cell.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;

const GRAPHEMES = new Intl.Segmenter("en");

const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]/gu;

/**
 * A client's own name as people may read it: one line, at most 64 characters, without controls, bidi and zero-width
 * characters. Undefined when nothing that can be seen is left.
 */
export function visibleName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const cleaned = name
    .replaceAll(/\s+/gu, " ")
    .replaceAll(UNSEEN, "")
    .normalize("NFC")
    .replaceAll(STACKED_MARKS, "$1")
    .replaceAll(/ +/gu, " ")
    .trim();
  const characters = Array.from(GRAPHEMES.segment(cleaned), ({ segment }) => segment);
  if (!/[\p{L}\p{N}\p{S}\p{P}]/u.test(cleaned)) return undefined;
  return characters.length > NAME_LENGTH ? `${characters.slice(0, NAME_LENGTH).join("")}…` : cleaned;
}

/** The text with every character that can't be seen spelt out, e.g. `⟨U+202E⟩`. Nothing is left out. */
export function spelledOut(text: string): string {
  return text.replaceAll(UNSEEN, codePoint);
}

/**
 * A URI or a host with everything but printable ASCII spelt out, e.g. `⟨U+0430⟩` for a Cyrillic a. A URI that keeps
 * to RFC 3986 §2 is returned as it is, character for character.
 */
export function asciiUri(uri: string): string {
  return uri.replaceAll(NOT_PRINTABLE_ASCII, codePoint);
}

function codePoint(character: string): string {
  const value = character.codePointAt(0) ?? 0;
  return `⟨U+${value.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
