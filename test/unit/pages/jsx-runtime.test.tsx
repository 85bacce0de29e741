// Markup from JSX: what is escaped, and how attributes are spelt.
import { raw } from "hono/html";
import { describe, expect, it } from "vitest";
import { readHtml } from "../../support/read-html.ts";
import { verifies } from "../../conformance/verifies.ts";
import { XSS_CORPUS } from "../../support/xss-corpus.ts";

const List = ({ items }: { items: readonly string[] }) => (
  <ul>
    {items.map((item) => (
      <li>{item}</li>
    ))}
  </ul>
);

describe(verifies("pages.escaping", "JSX is text and markup, never mixed up"), () => {
  it.each(XSS_CORPUS)("HTML §13.1.2: %j is text between tags and in an attribute", async (payload) => {
    const { structure } = await readHtml(<p title={payload}>{payload}</p>);
    expect(structure).toBe((await readHtml(<p title="harmless">harmless</p>)).structure);
  });

  it("gateway: only markup that the code made is markup; an object that looks like it is text", () => {
    const posing = Object.assign(Object.create(null), {
      isEscaped: true,
      toString: () => "<b>no</b>",
    }) as string;
    expect(String(<p>{posing}</p>)).toBe("<p>&lt;b&gt;no&lt;/b&gt;</p>");
    expect(String(<p>{raw("<b>yes</b>")}</p>)).toBe("<p><b>yes</b></p>");
  });

  it("gateway: components, lists, fragments and what is left out", () => {
    expect(
      String(
        <>
          <List items={["1 < 2", "b"]} />
          {0}
          {false}
          {null}
          {undefined}
        </>,
      ),
    ).toBe("<ul><li>1 &lt; 2</li><li>b</li></ul>0");
  });

  it("HTML §2.3.2: a boolean attribute is there or not; aria-* and data-* say true or false", () => {
    expect(String(<input type="checkbox" checked={true} disabled={false} aria-invalid={false} />)).toBe(
      '<input type="checkbox" checked="" aria-invalid="false"/>',
    );
  });
});
