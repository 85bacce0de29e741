// A person with a browser, scripted over plain HTTP: cookies, redirects, meta refresh, forms and the request headers
// that browsers send (Fetch Metadata; Origin, RFC 6454). For sign-ins that need no real browser: test/e2e, test/start
// and test/bench. Layout, scripts and Content-Security-Policy are browser.ts's business.

import http from "node:http";
import https from "node:https";
import { CookieJar, type Site } from "./cookie-jar.ts";
import { type Button, type Form, readForms, readRefresh, readText } from "./html.ts";

/** What the person sees after everything that moves on by itself has moved on. */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly html: string;
  /** The page's words without markup. */
  readonly text: string;
  readonly forms: readonly Form[];
  /** Every URL on the way here, this one last. */
  readonly trail: readonly URL[];
}

/** What the person presses on the way through a sign-in. */
export interface Choices {
  /** On the gateway's consent page. Default: Approve. */
  readonly consent?: "Approve" | "Deny";
  /** On Gong's page. Default: Allow. */
  readonly gong?: string;
  /** Typed into, or chosen in, any form field of that name on the way: who signs in at the stand-in Gong, say. */
  readonly fields?: Readonly<Record<string, string>>;
}

export interface Person {
  /** Types an address. Follows redirects and meta refresh until a page stays. */
  open(url: string | URL): Promise<Page>;
  /**
   * Presses the button of that text or value, as in a same-origin form post. A box among `fields` is ticked. Throws
   * when the page has no such button.
   */
  press(page: Page, button: string, fields?: Readonly<Record<string, string>>): Promise<Page>;
  /**
   * Goes through a whole sign-in from the authorization URL of RFC 6749 §4.1.1 and returns the URL at the client's
   * redirect URI that the browser was sent to, without visiting it. Throws, quoting the page, when it ends elsewhere.
   */
  authorize(authorizationUrl: string | URL, choices?: Choices): Promise<URL>;
  readonly cookies: CookieJar;
}

/** One answer that the browser got, pages that moved on by themselves included. */
export interface Visit {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly status: number;
  readonly html: string;
}

/** Makes a person with an empty browser. `onVisit` hears of every answer the browser gets. */
export function createPerson(onVisit: (visit: Visit) => void = () => {}): Person {
  const cookies = new CookieJar();
  const browser: Browser = { cookies, onVisit };
  const open: Person["open"] = async (url) => stayed(await navigate(browser, typed(new URL(url))));
  const press: Person["press"] = async (page, button, fields) =>
    stayed(await navigate(browser, pressing(page, button, fields)));

  return {
    cookies,
    open,
    press,
    async authorize(authorizationUrl, { consent = "Approve", gong = "Allow", fields = {} } = {}) {
      const start = new URL(authorizationUrl);
      const home = new URL(start.searchParams.get("redirect_uri") ?? "");
      let page = await navigate(browser, typed(start), home);
      // Consent, Gong's log-in and Gong's approval; a page more is a page too many.
      for (let pressed = 0; pressed < 4 && !(page instanceof URL); pressed += 1) {
        const choice = page.url.origin === start.origin ? consent : gong;
        page = await navigate(browser, pressing(page, choice, fields), home);
      }
      if (page instanceof URL) return page;
      throw new Error(`The sign-in did not return to ${home}, but stays at ${describePage(page)}`);
    },
  };
}

interface Browser {
  readonly cookies: CookieJar;
  readonly onVisit: (visit: Visit) => void;
}

interface Navigation {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly body?: string;
  readonly site: Site;
  /** Origin of the page that holds the form. */
  readonly from?: string;
}

const MOST_HOPS = 15;

/** Goes where `first` leads. Returns the page that stays, or the URL at `home` that the browser would leave for. */
async function navigate({ cookies, onVisit }: Browser, first: Navigation, home?: URL): Promise<Page | URL> {
  const trail: URL[] = [];
  let navigation = first;
  while (trail.length < MOST_HOPS) {
    if (home !== undefined && sameAddress(navigation.url, home)) return navigation.url;
    trail.push(navigation.url);
    const { url, response, html } = await send(cookies, navigation);
    const { location } = response.headers;
    const status = response.statusCode ?? 0;
    onVisit({ method: navigation.method, url, status, html });
    const refresh = readRefresh(html);
    if (status >= 300 && status < 400 && location !== undefined) {
      navigation = redirected(navigation, new URL(location, url), status);
    } else if (refresh !== undefined) {
      const next = new URL(refresh, url);
      navigation = { url: next, method: "GET", site: siteOf(url.origin, next) };
    } else {
      const { headers } = response;
      return { url, status, headers, html, text: readText(html), forms: readForms(html), trail };
    }
  }
  throw new Error(
    `More than ${MOST_HOPS} redirects: ${trail.map((url) => url.origin + url.pathname).join(" → ")}`,
  );
}

/** Fetch §4.4: 303, and 301 or 302 after a POST, become a GET; once a chain was cross-site it stays so. */
function redirected(navigation: Navigation, url: URL, status: number): Navigation {
  const step = siteOf(navigation.url.origin, url);
  const site =
    [navigation.site, step].includes("cross-site") && navigation.site !== "none"
      ? "cross-site"
      : navigation.site;
  return status === 307 || status === 308 ? { ...navigation, url, site } : { url, method: "GET", site };
}

function typed(url: URL): Navigation {
  return { url, method: "GET", site: "none" };
}

function pressing(page: Page, label: string, typedFields: Readonly<Record<string, string>> = {}): Navigation {
  const [form, button] = findButton(page, label);
  const fields: string[][] = form.fields.map(([name, value]) => [name, typedFields[name] ?? value]);
  // Of radio buttons one is chosen already: choosing another replaces it.
  const isHeld = (name: string) => form.fields.some(([held]) => held === name);
  fields.push(
    ...form.unticked
      .filter(([name]) => typedFields[name] !== undefined && !isHeld(name))
      .map((field) => [...field]),
  );
  if (button.name !== undefined) fields.push([button.name, button.value]);
  const body = new URLSearchParams(fields).toString();
  const url = new URL(form.action, page.url);
  const site = siteOf(page.url.origin, url);
  if (form.method === "POST") return { url, method: "POST", body, site, from: page.url.origin };
  url.search = body;
  return { url, method: "GET", site };
}

function findButton(page: Page, label: string): readonly [Form, Button] {
  const wanted = label.toLowerCase();
  for (const form of page.forms) {
    // A name may go on, for those who only hear it, with what the button is about.
    const button = form.buttons.find(({ text, value }) =>
      [text, value].some((name) => `${name} `.toLowerCase().startsWith(`${wanted} `)),
    );
    if (button !== undefined) return [form, button];
  }
  throw new Error(`No button "${label}" on ${describePage(page)}`);
}

interface Answer {
  readonly url: URL;
  readonly response: http.IncomingMessage;
  readonly html: string;
}

/** One request with a browser's headers. node:http, because fetch in Node.js sends its own Sec-Fetch-Mode. */
function send(cookies: CookieJar, { url, method, body, site, from }: Navigation): Promise<Answer> {
  const cookie = cookies.header(url, site, method);
  const headers = {
    accept: "text/html,application/xhtml+xml,*/*;q=0.8",
    "accept-language": "en",
    "upgrade-insecure-requests": "1",
    "sec-fetch-site": site,
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    ...(cookie === undefined ? {} : { cookie }),
    ...(from === undefined ? {} : { origin: from }),
    ...(body === undefined
      ? {}
      : { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === "https:" ? https : http;
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        cookies.store(url, response.headers["set-cookie"] ?? []);
        resolve({ url, response, html: Buffer.concat(chunks).toString("utf8") });
      });
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** Fetch Metadata §2.4. A site is scheme and host: other ports of localhost are the same site. */
function siteOf(origin: string, url: URL): Site {
  const from = new URL(origin);
  if (from.origin === url.origin) return "same-origin";
  return from.protocol === url.protocol && from.hostname === url.hostname ? "same-site" : "cross-site";
}

function sameAddress(one: URL, other: URL): boolean {
  return one.protocol === other.protocol && one.host === other.host && one.pathname === other.pathname;
}

function stayed(page: Page | URL): Page {
  if (page instanceof URL) throw new Error(`Left for ${page.origin}`);
  return page;
}

function describePage(page: Page): string {
  return `${page.url.origin}${page.url.pathname} (${page.status}): ${page.text.slice(0, 300)}`;
}
