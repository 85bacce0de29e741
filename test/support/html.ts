// Reads what a scripted person needs from a page: its forms, its title and where a meta refresh leads. Only for the
// well-formed pages of this repository (ours and the stand-in Gong's); not an HTML parser. Called by person.ts.

/** A button that sends its form. */
export interface Button {
  readonly text: string;
  readonly name: string | undefined;
  readonly value: string;
}

export interface Form {
  readonly action: string;
  readonly method: "GET" | "POST";
  /** What the form holds as it was served, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Boxes that are not ticked: the name and what each sends once it is. */
  readonly unticked: readonly (readonly [name: string, value: string])[];
  readonly buttons: readonly Button[];
}

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Text up to the next tag. */
  readonly text: string;
}

const TAG = /<(?<name>\/?[a-zA-Z][a-zA-Z0-9]*)(?<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>(?<text>[^<]*)/g;
const ATTRIBUTE =
  /(?<name>[^\s"'=/>]+)(?:\s*=\s*(?:"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<bare>[^\s"'>]+)))?/g;
const INLINE_TAG = /<\/?(?:a|abbr|b|code|em|i|small|span|strong)\b[^>]*>/gi;
const HIDDEN_TEXT = /<!--[\s\S]*?-->|<(?<raw>script|style|title)\b[\s\S]*?<\/\k<raw>\s*>/gi;

/** All forms of a page, in order. */
export function readForms(html: string): readonly Form[] {
  const forms: Form[] = [];
  let tags: Tag[] | undefined;
  for (const tag of readTags(html)) {
    if (tag.name === "form") tags = [tag];
    else if (tag.name === "/form" && tags !== undefined) {
      forms.push(readForm(tags));
      tags = undefined;
    } else tags?.push(tag);
  }
  return forms;
}

/** Where `<meta http-equiv="refresh">` leads, or undefined when the page stays. */
export function readRefresh(html: string): string | undefined {
  const refresh = readTags(html).find(
    ({ name, attributes }) => name === "meta" && attributes.get("http-equiv")?.toLowerCase() === "refresh",
  );
  const content = refresh?.attributes.get("content") ?? "";
  const { quoted, bare } =
    /^\s*\d+\s*[;,]\s*url\s*=\s*(?:(["'])(?<quoted>.*?)(?:\1|$)|(?<bare>.*))/i.exec(content)?.groups ?? {};
  return quoted ?? bare;
}

/** The first heading, or "" when there is none. */
export function readHeading(html: string): string {
  return readText(/<h1[^>]*>(?<heading>[\s\S]*?)<\/h1>/i.exec(html)?.groups?.["heading"] ?? "");
}

/** What the page shows, without markup, white space collapsed. */
export function readText(html: string): string {
  const visible = html
    .replace(HIDDEN_TEXT, " ")
    .replace(INLINE_TAG, "")
    .replace(/<[^>]*>/g, " ");
  return unescapeHtml(visible).replace(/\s+/g, " ").trim();
}

function readTags(html: string): readonly Tag[] {
  return [...html.replace(HIDDEN_TEXT, "").matchAll(TAG)].map(({ groups = {} }) => ({
    name: (groups["name"] ?? "").toLowerCase(),
    attributes: readAttributes(groups["attributes"] ?? ""),
    text: unescapeHtml(groups["text"] ?? ""),
  }));
}

function readAttributes(source: string): ReadonlyMap<string, string> {
  return new Map(
    [...source.matchAll(ATTRIBUTE)].map(({ groups = {} }) => [
      (groups["name"] ?? "").toLowerCase(),
      unescapeHtml(groups["double"] ?? groups["single"] ?? groups["bare"] ?? ""),
    ]),
  );
}

function readForm([form, ...tags]: readonly Tag[]): Form {
  const fields: (readonly [string, string])[] = [];
  const unticked: (readonly [string, string])[] = [];
  const buttons: Button[] = [];
  let select: string | undefined;
  for (const [at, { name: tag, attributes, text }] of tags.entries()) {
    const name = attributes.get("name");
    const type = attributes.get("type")?.toLowerCase() ?? (tag === "button" ? "submit" : "text");
    const value = attributes.get("value");
    if (tag === "select") select = name;
    else if (tag === "/select") select = undefined;
    else if (tag === "option" && select !== undefined)
      choose(fields, select, value ?? text.trim(), attributes);
    else if (tag === "textarea" && name !== undefined) fields.push([name, text]);
    else if ((tag === "button" || tag === "input") && type === "submit") {
      buttons.push({
        text: tag === "button" ? contentText(tags, at) : (value ?? ""),
        name,
        value: value ?? "",
      });
    } else if (tag === "input" && name !== undefined && type !== "button") {
      const box = type === "checkbox" || type === "radio";
      if (!box || attributes.has("checked")) fields.push([name, value ?? (box ? "on" : "")]);
      else unticked.push([name, value ?? "on"]);
    }
  }
  const method = form?.attributes.get("method")?.toUpperCase() === "POST" ? "POST" : "GET";
  return { action: form?.attributes.get("action") ?? "", method, fields, unticked, buttons };
}

/** A select sends its selected option, or else its first. */
function choose(
  fields: (readonly [string, string])[],
  select: string,
  value: string,
  attributes: ReadonlyMap<string, string>,
): void {
  const at = fields.findIndex(([name]) => name === select);
  if (at === -1) fields.push([select, value]);
  else if (attributes.has("selected")) fields[at] = [select, value];
}

/** Text of the button that opens at `at`, with the markup inside it left out. */
function contentText(tags: readonly Tag[], at: number): string {
  const end = tags.findIndex((tag, index) => index > at && tag.name === "/button");
  const inside = tags.slice(at, end === -1 ? at + 1 : end).map((tag) => tag.text);
  return inside.join(" ").replace(/\s+/g, " ").trim();
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

function unescapeHtml(text: string): string {
  return text.replace(/&(?:#(?<decimal>\d+)|#x(?<hex>[0-9a-f]+)|(?<named>[a-z]+));/gi, (whole, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    if (groups["named"] !== undefined) return NAMED[groups["named"]] ?? whole;
    const code = groups["hex"] === undefined ? Number(groups["decimal"]) : Number.parseInt(groups["hex"], 16);
    return String.fromCodePoint(code);
  });
}
