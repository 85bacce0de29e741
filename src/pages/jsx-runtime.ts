// What JSX compiles to (tsconfig.json, jsxImportSource): markup, as text, at once. Pages have no state, context or
// promises to wait for, so this is all they need of Hono's JSX, whose types and `raw` it uses. Text from outside is
// escaped here and nowhere else; whether a URL may be linked to is links.ts's question.

import { raw } from "hono/html";
import type { JSX as HonoJsx } from "hono/jsx";
import type { HtmlEscapedString } from "hono/utils/html";

/** What may stand between two tags. A String object is markup, which only `raw` makes: no JSON or form becomes one. */
export type Child = HtmlEscapedString | string | number | boolean | null | undefined | readonly Child[];
export type PropsWithChildren<Props> = Props & { children?: Child };

type Props = Readonly<Record<string, unknown>> & { readonly children?: Child };

/** Calls a component, or makes an element of HTML (HTML Living Standard §13.1.2). Names are the code's own. */
export function jsx(tag: string | ((props: Props) => Child), { children, ...attributes }: Props): Child {
  if (typeof tag === "function")
    return tag(children === undefined ? attributes : { ...attributes, children });
  let html = `<${tag}`;
  for (const [name, value] of Object.entries(attributes)) html += attributeOf(name, value);
  return raw(VOID_ELEMENTS.has(tag) ? `${html}/>` : `${html}>${htmlOf(children)}</${tag}>`);
}

/** `<>…</>`. */
export const Fragment = ({ children }: { readonly children?: Child }): Child => raw(htmlOf(children));

// The names that compilers ask for: with several children, and in development builds.
export { jsx as jsxs, jsx as jsxDEV };

const VOID_ELEMENTS: ReadonlySet<string> = new Set(["br", "hr", "img", "input", "link", "meta"]);
/** Of these, `true` and `false` are values; any other attribute is then present or absent. HTML §2.3.2, ARIA 1.2 §6. */
const WITH_TRUE_AND_FALSE = /^(?:aria-|data-|spellcheck$)/;

function attributeOf(name: string, value: unknown): string {
  switch (typeof value) {
    case "string":
    case "number":
      return ` ${name}="${escapeHtml(String(value))}"`;
    case "boolean":
      if (WITH_TRUE_AND_FALSE.test(name)) return ` ${name}="${value}"`;
      return value ? ` ${name}=""` : "";
    default:
      return "";
  }
}

function htmlOf(child: Child): string {
  if (child === undefined || child === null || typeof child === "boolean") return "";
  if (Array.isArray(child)) return child.map(htmlOf).join("");
  return isMarkup(child) ? child.toString() : escapeHtml(String(child));
}

const isMarkup = (child: unknown): boolean =>
  typeof child === "object" && child !== null && Object.getPrototypeOf(child) === String.prototype;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");

/** How TypeScript checks JSX: the elements and attributes that Hono knows, and SVG. */
export declare namespace JSX {
  type Element = HtmlEscapedString;
  type ElementType = string | ((props: never) => Child);
  interface IntrinsicElements
    extends HonoJsx.IntrinsicElements, Record<"svg" | "path" | "circle" | "line" | "rect" | "text", Props> {}
  interface ElementChildrenAttribute {
    children: Child;
  }
}
