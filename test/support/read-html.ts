// Reads rendered HTML as a parser sees it, with workerd's own HTMLRewriter: for tests of pages inside workerd.

export interface ReadElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ReadPage {
  readonly elements: readonly ReadElement[];
  /** All text, decoded, with white space runs as one space. */
  readonly text: string;
  /** Elements and the names of their attributes, in order: what a payload must not change. */
  readonly structure: string;
}

/** A rendered component as HTML. */
export function htmlOf(rendered: unknown): string {
  return String(rendered);
}

/** Parses a page, given as HTML or as a rendered component. */
export async function readHtml(rendered: unknown): Promise<ReadPage> {
  const elements: ReadElement[] = [];
  let text = "";
  const rewriter = new HTMLRewriter()
    .on("*", {
      element(element) {
        // The DOM's types and workerd's share the name Element; here it is workerd's, whose attributes are pairs.
        const pairs = element.attributes as unknown as Iterable<[string, string]>;
        const attributes = Object.fromEntries(Array.from(pairs, ([name, value]) => [name, decoded(value)]));
        elements.push({ tag: element.tagName, attributes });
      },
    })
    .onDocument({
      text(chunk) {
        text += chunk.text;
      },
    });
  await rewriter.transform(new Response(htmlOf(rendered))).text();
  const structure = elements
    .map(({ tag, attributes }) => `${tag} ${Object.keys(attributes).sort().join(" ")}`)
    .join("\n");
  return { elements, text: decoded(text).replaceAll(/\s+/gu, " "), structure };
}

/** The elements with this tag. */
export function elementsOf(page: ReadPage, tag: string): readonly ReadElement[] {
  return page.elements.filter((element) => element.tag === tag);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

function decoded(text: string): string {
  return text.replaceAll(/&(?:amp|lt|gt|quot|#39);/gu, (entity) => ENTITIES[entity] ?? entity);
}
