// What a page is to somebody who hears it, beyond what axe-core asks for: one heading of the first level and no step
// left out, landmarks and tables that have names, controls whose names say what they do out of their place, and errors
// that belong to a field which has the focus. Names are the browser's own (Accessible Name and Description Computation
// 1.2).

import type { Page } from "playwright-core";

/** For launchBrowser: lets a page ask for the names that the browser computes. */
export const NAMES_FLAG = "--enable-blink-features=ComputedAccessibilityInfo";

/** What somebody who hears the page would miss. The browser must have been started with `NAMES_FLAG`. */
export function listenTo(page: Page): Promise<readonly string[]> {
  return page.evaluate(findingsOf);
}

/** Runs in the page. */
function findingsOf(): string[] {
  const findings: string[] = [];
  type Heard = Element & { readonly computedName: string; readonly computedRole: string };
  const all = (selector: string): Heard[] => [...document.querySelectorAll<Heard>(selector)];
  const tagOf = (element: Element): string => element.outerHTML.slice(0, 140);
  const expect = (isSo: boolean, what: string, element?: Element): void => {
    if (!isSo) findings.push(element === undefined ? what : `${what}: ${tagOf(element)}`);
  };
  const repeated = (texts: readonly string[]): string[] =>
    texts.filter((text, at) => texts.indexOf(text) !== at);

  // What opens is heard once it is open, and what only script shows once there is script.
  for (const details of document.querySelectorAll("details")) details.open = true;
  document.documentElement.classList.add("script");

  expect(document.documentElement.lang === "en", "no language");
  expect(document.title.includes(" · "), "no title of its own");
  expect(all("main").length === 1 && all("body > header, body > footer").length === 2, "landmarks");

  const levels = all("h1,h2,h3,h4,h5,h6").map((heading) => Number(heading.localName.slice(1)));
  expect(
    levels[0] === 1 && levels.filter((level) => level === 1).length === 1,
    `headings ${levels.join(" ")}`,
  );
  expect(
    levels.every((level, at) => level <= (levels[at - 1] ?? 0) + 1),
    `headings ${levels.join(" ")} leave a step out`,
  );

  // Landmarks, tables, pictures, lists of facts that scroll: each is announced by its name.
  const named = all("section,nav,table,fieldset,figure,svg:not([aria-hidden]),[role=region],[tabindex='0']");
  for (const element of named)
    expect(element.computedName !== "" || element.localName === "figure", "no name", element);
  const places = all("section,nav,form[role=search]").map(
    ({ computedRole, computedName }) => `${computedRole} ${computedName}`,
  );
  expect(repeated(places).length === 0, `the same landmark twice: ${repeated(places).join(", ")}`);
  for (const table of all("table")) {
    const headings = [...table.querySelectorAll<Heard>("thead th")];
    expect(
      headings.length > 1 && headings.every(({ computedRole }) => computedRole === "columnheader"),
      "columns",
      table,
    );
    for (const row of table.querySelectorAll<Heard>("tbody tr"))
      expect(row.querySelector<Heard>("th")?.computedRole === "rowheader", "a row without a heading", row);
  }

  // The same name must mean the same thing, and one word says too little, but for answers to the page's own question.
  const controls = all("a[href],button,summary,input:not([type=hidden]),select,textarea");
  const meanings = new Map<string, string>();
  for (const control of controls) {
    const { computedName: name, computedRole: role } = control;
    expect(name !== "", "no name", control);
    if (role === "radio" || role === "checkbox") continue;
    const form = control.closest("form");
    const leads =
      control.getAttribute("href") ?? `${form?.action ?? ""} ${control.getAttribute("value") ?? ""}`;
    const own = control.matches("a,button") ? leads : control.id || tagOf(control.parentElement ?? control);
    const within = all("fieldset,form[aria-label],form[aria-labelledby]").filter((group) =>
      group.contains(control),
    );
    const heard = [...within.map(({ computedName }) => computedName), role, name].join(" ");
    // Whoever chose a name may have chosen it twice.
    const isChosen = control.querySelector("bdi") !== null;
    expect(isChosen || (meanings.get(heard) ?? own) === own, `"${name}" twice`, control);
    meanings.set(heard, own);
    const isVague =
      /^(?:End|Stop|Revoke|Remove|Change|Read|Open|Save|Delete|Settings|CSV|NDJSON|Copy|Here|More)…?$/i;
    expect(!isVague.test(name), `"${name}" says too little`, control);
  }

  // Errors: told at once, tied to a field, and the field has the focus.
  const wrong = all("[aria-invalid]");
  for (const field of wrong) {
    const ids = (field.getAttribute("aria-describedby") ?? "").split(" ");
    expect(
      ids.some((id) => /problem/.test(id) && document.getElementById(id)?.textContent !== ""),
      "an error apart",
      field,
    );
  }
  const [first] = wrong;
  if (first !== undefined)
    expect(
      all("[autofocus]")[0]?.matches("[aria-invalid],.bad") === true,
      "the focus is not on the error",
      first,
    );

  for (const told of all("main .bad[role=alert]"))
    expect(all("[autofocus]").length > 0, "the focus is not on the error", told);

  for (const attribute of ["aria-describedby", "aria-labelledby", "for"])
    for (const element of all(`[${attribute}]`))
      for (const id of (element.getAttribute(attribute) ?? "").split(" "))
        expect(document.getElementById(id) !== null, `${attribute} of nothing`, element);
  const ids = all("[id]").map(({ id }) => id);
  expect(repeated(ids).length === 0, `the same id twice: ${repeated(ids).join(", ")}`);
  return findings;
}
