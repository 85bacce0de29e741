// The HTML of the stand-in's authorize page, for real browsers and for people. Called by authorize.ts. Not Gong's page:
// that there is a button Allow is a third party's report, the rest is made up.
import { html } from "hono/html";
import type { Integration } from "./integrations.ts";
import type { Person } from "./people.ts";

interface AuthorizePage {
  ticket: string;
  integration: Integration;
  person: Person;
  people: Person[];
}

/** The page with the buttons Allow and Deny, and a choice of who is signed in. */
export function authorizePageHtml(page: AuthorizePage): Promise<string> {
  const reach = page.integration.access === "shared" ? "all Gong data of the company" : "your Gong data";
  const options = page.people.map(
    (person) =>
      html`<option value="${person.id}" ${person.id === page.person.id ? "selected" : ""}>
        ${person.name}
      </option>`,
  );
  return document(
    "Allow access to Gong",
    html`<p><strong>${page.integration.name}</strong> asks to read ${reach}.</p>
      <form method="post" action="/oauth2/authorize">
        <input type="hidden" name="ticket" value="${page.ticket}" />
        <p>
          <label
            >Signed in as
            <select name="person">
              ${options}
            </select></label
          >
        </p>
        <button type="submit" name="decision" value="allow">Allow</button>
        <button type="submit" name="decision" value="deny">Deny</button>
      </form>`,
  );
}

/** A page instead of a redirect. */
export function errorPageHtml(problem: string): Promise<string> {
  return document("Gong cannot go on", html`<p role="alert">${problem}</p>`);
}

async function document(title: string, content: ReturnType<typeof html>): Promise<string> {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title} (stand-in)</title>
      </head>
      <body>
        <h1>${title}</h1>
        ${content}
        <footer><small>This is a stand-in for tests. It is not Gong.</small></footer>
      </body>
    </html>`;
  return (await page).toString();
}
