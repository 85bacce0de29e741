// An admin at the set-up, inside workerd: signs in, runs the checks, signs in at Gong, and reads what the page says of
// each.

import { encodeBase64Url, randomBytes } from "../../src/crypto/encoding.ts";
import { agreeAtGong, askOutside, leadsTo, TestBrowser } from "./flow.ts";
import { readForms, readText } from "./html.ts";
import { gatewayWith, type Ask } from "./settings.ts";

/** Settings that pass the checks: the ones that all tests share stand in this project, and the checks say so. */
export const GOOD_SETTINGS = {
  SEALING_KEYS: `s1:${encodeBase64Url(randomBytes(32))}`,
  ADMIN_TOKEN: encodeBase64Url(randomBytes(24)),
} as const;

/** One check as the page shows it. */
export interface ShownCheck {
  readonly title: string;
  readonly verdict: string;
  /** Everything below the title. */
  readonly text: string;
}

export class SetupAdmin {
  readonly browser: TestBrowser;
  readonly #token: string;

  constructor(changes: Readonly<Record<string, string>> = {}, gateway?: Ask) {
    const settings = { ...GOOD_SETTINGS, ...changes };
    this.#token = settings.ADMIN_TOKEN;
    this.browser = new TestBrowser(gateway ?? gatewayWith(settings));
  }

  async signIn(): Promise<this> {
    const answer = await this.browser.post("/admin/sign-in", { token: this.#token });
    if (answer.status !== 303) throw new Error(`Admin sign-in answered ${answer.status}`);
    return this;
  }

  async page(): Promise<string> {
    const answer = await this.browser.open("/admin/setup");
    if (answer.status !== 200) throw new Error(`The set-up answered ${answer.status}`);
    return answer.text();
  }

  /** The fields of the form that posts there; for a sign-in, of that integration. */
  async fields(action: string, integration?: string): Promise<Record<string, string>> {
    const forms = readForms(await this.page()).filter((form) => form.action.endsWith(action));
    const form = forms
      .map(({ fields }): Record<string, string> => Object.fromEntries(fields))
      .find((fields) => integration === undefined || fields["integration"] === integration);
    if (form === undefined) throw new Error(`The set-up has no form for ${action}`);
    return form;
  }

  /** Runs what needs nobody at Gong. */
  async check(): Promise<void> {
    const answer = await this.browser.post("/admin/setup/check", await this.fields("/setup/check"));
    if (answer.status !== 303) throw new Error(`Running the checks answered ${answer.status}`);
  }

  /** Presses the button that leads to Gong; returns where. */
  async leave(integration: "main" | "shared"): Promise<URL> {
    const fields = await this.fields("/setup/sign-in", integration);
    const answer = await this.browser.post("/admin/setup/sign-in", fields);
    return leadsTo(await answer.text());
  }

  /** To Gong and back; returns the callback's path, for a reload, or undefined when Gong sends nobody back. */
  async signInAtGong(integration: "main" | "shared"): Promise<string | undefined> {
    const url = await this.leave(integration);
    if ((await askOutside(url.href)).headers.get("location") === null) return undefined;
    const callback = await agreeAtGong(url);
    const answer = await this.browser.open(callback);
    if (!leadsTo(await answer.text()).href.endsWith("/admin/setup")) throw new Error("Led elsewhere");
    return callback;
  }

  /** Every check on the page, by the beginning of its title. */
  async shown(title: string): Promise<readonly ShownCheck[]> {
    return readChecks(await this.page()).filter((check) => check.title.startsWith(title));
  }
}

function readChecks(html: string): readonly ShownCheck[] {
  return [
    ...html.matchAll(
      /<li><div class="row"><h3>(.*?)<\/h3><span class="badge[^>]*>(.*?)<\/span><\/div>(.*?)<\/li>/gs,
    ),
  ].map(([, title = "", verdict = "", rest = ""]) => ({
    title: readText(title),
    verdict: readText(verdict),
    text: readText(rest),
  }));
}
