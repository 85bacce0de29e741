// What the pages weigh, and how long a browser waits for their first byte: each beside a Worker that answers with a
// page of the same size and does nothing else, in turns. Called by run.ts.

import http from "node:http";
import { gzipSync } from "node:zlib";
import { createAgent } from "../support/agent.ts";
import { createPerson, type Person } from "../support/person.ts";
import type { Gateway } from "../support/workerd.ts";
import { median } from "./measure.ts";
import { markdownTable } from "./report.ts";

const TURNS = 60;
/** So that a list of 50 rows a page is full. */
const CLIENTS = 60;

interface Visited {
  readonly name: string;
  readonly url: URL;
  readonly person: Person;
}

/** Measures the main pages of a gateway that nobody has used yet. `bare` is the Worker of page.js. */
export async function measurePages(gateway: Gateway, bare: Gateway, adminToken: string): Promise<string> {
  const { pages, list } = await preparePages(gateway, adminToken);
  const rows: string[][] = [];
  for (const page of pages) rows.push(await measurePage(page, bare));
  for (let client = 1; client < CLIENTS; client += 1) await signIn(gateway, createPerson());
  rows.push(await measurePage(list, bare));
  const header = ["page", "first byte ms", "beside a bare page", "HTML KB", "gzipped KB", "of it styles"];
  return [
    markdownTable(header, rows),
    "",
    `Medians of ${TURNS} in turns, one after another. ${CLIENTS} clients had signed in for the list. Styles and scripts are in the page:`,
    "nothing else is loaded.",
  ].join("\n");
}

/** Signs in as agent, person and admin. */
async function preparePages(
  gateway: Gateway,
  adminToken: string,
): Promise<{ readonly pages: readonly Visited[]; readonly list: Visited }> {
  const { origin } = gateway;
  const consents: URL[] = [];
  const person = createPerson(({ method, url }) => {
    if (method === "GET" && url.pathname === "/authorize") consents.push(url);
  });
  await signIn(gateway, person);
  const [consent] = consents;
  if (consent === undefined) throw new Error("The sign-in showed no consent page");
  await person.press(await person.open(`${origin}/account`), "Sign in at Gong");
  const admin = createPerson();
  await admin.press(await admin.open(`${origin}/admin`), "Sign in", { token: adminToken });
  const at = (path: string): URL => new URL(path, origin);
  const pages = [
    { name: "`/`", url: at("/"), person },
    { name: "consent", url: consent, person },
    { name: "`/account`", url: at("/account"), person },
    { name: "`/admin`", url: at("/admin"), person: admin },
  ];
  const list = { name: "`/admin/clients`, 50 rows", url: at("/admin/clients"), person: admin };
  return { pages, list };
}

/** A client of its own signs in. */
async function signIn({ origin }: Gateway, person: Person): Promise<void> {
  await createAgent({ mcpUrl: `${origin}/mcp`, person, name: "Bench" }).signIn();
}

async function measurePage({ name, url, person }: Visited, bare: Gateway): Promise<string[]> {
  const agent = new http.Agent({ keepAlive: true });
  const cookie = person.cookies.header(url, "none", "GET");
  const { html } = await visit(url, agent, cookie);
  const empty = new URL(`/${html.byteLength}`, bare.origin);
  const own: number[] = [];
  const floor: number[] = [];
  // The first ones open connections and warm the code.
  for (let turn = -5; turn < TURNS; turn += 1) {
    const [with_, without] = [await visit(url, agent, cookie), await visit(empty, agent, undefined)];
    if (turn < 0) continue;
    own.push(with_.firstByteMs);
    floor.push(without.firstByteMs);
  }
  agent.destroy();
  const styles = [...html.toString("utf8").matchAll(/<style[^>]*>(.*?)<\/style>/gs)].map(([, text]) => text);
  const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);
  return [
    name,
    median(own).toFixed(2),
    `${(median(own) / median(floor)).toFixed(1)}×`,
    kilobytes(html.byteLength),
    kilobytes(gzipSync(html).byteLength),
    kilobytes(gzipSync(styles.join("")).byteLength),
  ];
}

interface Visit {
  readonly firstByteMs: number;
  readonly html: Buffer;
}

function visit(url: URL, agent: http.Agent, cookie: string | undefined): Promise<Visit> {
  const headers = {
    accept: "text/html",
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    ...(cookie === undefined ? {} : { cookie }),
  };
  const sent = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      let firstByteMs = Number.NaN;
      response.on("data", (chunk: Buffer) => {
        if (chunks.push(chunk) === 1) firstByteMs = performance.now() - sent;
      });
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve({ firstByteMs, html: Buffer.concat(chunks) });
        else reject(new Error(`${url.pathname} answered ${response.statusCode}`));
      });
    });
    request.once("error", reject);
  });
}
