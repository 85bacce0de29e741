// Every link in a README leads somewhere: to a file of this repository, and to a heading that is there.

import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "../support/tools.ts";
import { verifies } from "./verifies.ts";

const READMES = globSync("{.,src,src/*,test/*}/README.md", { cwd: REPOSITORY });

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(file: string): readonly string[] {
  const text = readFileSync(file, "utf8").replaceAll(/^```[^]*?^```/gm, "");
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function isBroken(readme: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? readme : path.join(path.dirname(readme), file);
  if (!existsSync(target)) return true;
  return anchor !== undefined && !anchorsOf(target).includes(anchor);
}

describe(verifies("house.readme_links", "the links of the READMEs"), () => {
  it("gateway: there are READMEs, and the first one links to each of the others", () => {
    const links = linksOf(path.join(REPOSITORY, "README.md"));
    for (const readme of READMES.filter((one) => one !== "README.md")) {
      expect(links.some((link) => link.split("#")[0] === readme)).toBe(true);
    }
    expect(READMES.length).toBeGreaterThan(3);
  });

  it.each(READMES)("gateway: every link in %s leads to a file and a heading", (readme) => {
    const file = path.join(REPOSITORY, readme);
    expect(linksOf(file).filter((link) => isBroken(file, link))).toEqual([]);
  });
});

/** The relative links of a page. */
function linksOf(file: string): readonly string[] {
  const links = Array.from(readFileSync(file, "utf8").matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
  return links.filter((link) => !/^https?:/.test(link));
}
