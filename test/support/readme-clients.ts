// The README's section on clients, made from the very texts that the front page shows. `node
// test/support/readme-clients.ts` writes it into the README; test/conformance/readme-clients.test.ts fails when it is
// another.

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { keyLines } from "../../src/pages/agent-key-text.ts";
import { setupGroups } from "../../src/pages/client-setup.ts";
import { REPOSITORY } from "./tools.ts";

const README = path.join(REPOSITORY, "README.md");
const EXAMPLE = "https://gong-mcp.example.com/mcp";
const BEGIN = "<!-- The front page's own words: node test/support/readme-clients.ts writes them. -->";
const END = "<!-- The end of the front page's words. -->";

interface Step {
  readonly client: string;
  readonly before: string;
  readonly paste: string;
  readonly after?: string;
}

/** What stands between the two comments. Of the lines for agent keys only those that fit every client. */
export function clientsSection(): string {
  const forEveryClient = keyLines(EXAMPLE).filter(({ id }) => id === "key-settings" || id === "key-http");
  const groups = [
    ...setupGroups(EXAMPLE),
    { title: "Agents without a browser, with an agent key", steps: forEveryClient },
  ];
  return groups
    .map(({ title, steps }) =>
      [`<details>\n<summary>${title}</summary>`, ...steps.map(item), `</details>`].join("\n\n"),
    )
    .join("\n\n");
}

/** The README as it is, in three parts: before the section, the section, after it. Throws when a comment is missing. */
export function readmeParts(): readonly [before: string, section: string, after: string] {
  const text = readFileSync(README, "utf8");
  const [before, rest, ...more] = text.split(BEGIN);
  const [section, after, ...evenMore] = (rest ?? "").split(END);
  if (
    before === undefined ||
    section === undefined ||
    after === undefined ||
    more.length + evenMore.length > 0
  )
    throw new Error("README.md has not the two comments around the section on clients, once each");
  return [before, section.trim(), after];
}

/** The address itself, which half of the steps paste, stands once above the section. */
function item({ client, before, paste, after }: Step): string {
  const rest = after === undefined ? [] : [after];
  if (paste === EXAMPLE) return [`**${client}.** ${before}`, ...rest].join(" ");
  return [`**${client}.** ${before}`, `\`\`\`\n${paste}\n\`\`\``, ...rest].join("\n\n");
}

if (import.meta.main) {
  const [before, , after] = readmeParts();
  writeFileSync(README, `${before}${BEGIN}\n\n${clientsSection()}\n\n${END}${after}`);
}
