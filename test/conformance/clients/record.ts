// Records what a real client sends, as a file of the format in recording.ts: a gateway and a stand-in Gong on loopback,
// a proxy between client and gateway that writes down every exchange, and a person who approves whatever is opened.
//   node test/conformance/clients/record.ts <out.json> <client's name> -- <command…>
// In the command, {url} is the MCP URL. Several commands are separated by `;;` and run one after the other.

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import http from "node:http";
import { PERSONAL_CLIENT_ID } from "../../gong/integrations.ts";
import { serveStandIn } from "../../gong/serve.ts";
import { createMachine } from "../../e2e/opened-urls.ts";
import { buildWorker, freePort, startGateway } from "../../support/workerd.ts";
import { serveRelay } from "../relay.ts";
import { CLIENT_SITES } from "./documents.ts";
import type { Exchange, Recording } from "./recording.ts";

/** Of the connection, not of the client's making. */
const OF_THE_CONNECTION = new Set(
  "host connection content-length accept-encoding transfer-encoding keep-alive upgrade http2-settings".split(
    " ",
  ),
);

interface Passed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
  readonly answerHeaders: http.IncomingHttpHeaders;
}

/** Listens on `port` and passes everything to `target`; every finished exchange goes to `passed`. */
function startProxy(port: number, target: number, passed: Passed[]): Promise<http.Server> {
  const server = http.createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "GET", url: path = "/", headers } = incoming;
      const body = Buffer.concat(chunks);
      const onward = http.request({ host: "127.0.0.1", port: target, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        const parts: Buffer[] = [];
        const entry = { method, path, headers: flat(headers), body: body.toString("utf8") };
        const note = { ...entry, status: answer.statusCode ?? 0, answerHeaders: answer.headers };
        const index = passed.push({ ...note, answer: "" }) - 1;
        answer.on("data", (chunk: Buffer) => {
          parts.push(chunk);
          outgoing.write(chunk);
          passed[index] = { ...note, answer: Buffer.concat(parts).toString("utf8") };
        });
        answer.on("end", () => outgoing.end());
      });
      onward.on("error", () => outgoing.destroy());
      outgoing.on("close", () => onward.destroy());
      onward.end(body);
    });
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OF_THE_CONNECTION.has(name))
      .map(([name, value]) => [name, String(value)]),
  );
}

/** The exchanges without the person's own, with braces for what was new in this run. */
function toExchanges(passed: readonly Passed[], origin: string): Exchange[] {
  const values = new Map<string, string>([[origin, "{origin}"]]);
  const note = (value: unknown, name: string): void => {
    if (typeof value === "string" && value !== "") values.set(value, `{${name}}`);
  };
  const exchanges: Exchange[] = [];
  for (const { method, path, headers, body, status, answer, answerHeaders } of passed) {
    const isPersons = headers["sec-fetch-mode"] === "navigate";
    const url = new URL(path, origin);
    if (
      isPersons &&
      !(method === "GET" && url.pathname === "/authorize" && url.searchParams.has("client_id"))
    )
      continue;
    if (url.pathname === "/authorize") {
      note(url.searchParams.get("state"), "state");
      note(url.searchParams.get("code_challenge"), "code_challenge");
    }
    if (url.pathname === "/token") {
      // As they are written: programs differ in which characters they escape.
      for (const name of ["code", "code_verifier"])
        note(new RegExp(`(?:^|&)${name}=([^&]*)`).exec(body)?.[1], name);
      const [, basic] = /^Basic (.+)$/.exec(headers["authorization"] ?? "") ?? [];
      note(basic, "basic");
    }
    const text = braced(body, values);
    exchanges.push({
      ...(isPersons ? { browser: braced(path, values) } : { request: `${method} ${braced(path, values)}` }),
      ...(isPersons
        ? {}
        : {
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, value]) => [name, braced(value, values)]),
            ),
            ...bodyOf(text),
            status,
          }),
    });
    if (url.pathname === "/token" || url.pathname === "/register") {
      const said = status < 300 ? (JSON.parse(answer) as Record<string, unknown>) : {};
      for (const name of ["client_id", "client_secret", "access_token", "refresh_token"])
        note(said[name], name);
    }
    note(answerHeaders["mcp-session-id"], "session");
  }
  return exchanges;
}

function bodyOf(text: string): Pick<Exchange, "json" | "body"> {
  if (text === "") return {};
  try {
    const json: unknown = JSON.parse(text);
    return JSON.stringify(json) === text ? { json } : { body: text };
  } catch {
    return { body: text };
  }
}

/** Longest first, because the origin is part of other values; as it is and as a form writes it. */
function braced(text: string, values: ReadonlyMap<string, string>): string {
  let result = text;
  for (const [value, name] of [...values].sort(([one], [other]) => other.length - one.length)) {
    result = result.replaceAll(value, name).replaceAll(encodeURIComponent(value), name);
  }
  return result;
}

async function main([file = "", client = "", ...rest]: readonly string[]): Promise<void> {
  const ports = [await freePort(), await freePort()] as const;
  const origin = `http://localhost:${ports[0]}`;
  const gong = await serveStandIn({
    mcpPort: 0,
    appPort: 0,
    controlPort: 0,
    redirectUris: [`${origin}/callback`],
  });
  gong.standIn.editIntegration(PERSONAL_CLIENT_ID, { clientSecret: "recorded-gong-client-secret" });
  // All that the gateway fetches: Gong on this machine, and clients' documents.
  const outbound = await serveRelay(({ url = "" }) => {
    const { protocol, host, hostname, pathname } = new URL(url);
    const site = CLIENT_SITES[`https://${host.replace(/:443$/, "")}${pathname}`];
    if (site !== undefined) return site;
    if (protocol === "http:" && hostname === "127.0.0.1") return { to: new URL(url), headers: { host } };
    return { status: 404, document: {} };
  });
  const gateway = await startGateway({
    outbound: new URL(outbound.origin).host,
    build: await buildWorker(),
    port: ports[1],
    settings: {
      PUBLIC_URL: origin,
      SEALING_KEYS: "k1:SHzxbxWiepx3ED9375enhpKmnG0pRUXkvmeDUn0wEBg",
      GONG_MCP_URL: `${gong.mcpOrigin}/mcp`,
      GONG_CLIENT_ID: PERSONAL_CLIENT_ID,
      GONG_CLIENT_SECRET: "recorded-gong-client-secret",
    },
  });
  const passed: Passed[] = [];
  const proxy = await startProxy(ports[0], ports[1], passed);
  const machine = createMachine();
  const words = rest.slice(rest.indexOf("--") + 1).map((word) => word.replaceAll("{url}", `${origin}/mcp`));
  while (words.length > 0) {
    const end = words.indexOf(";;");
    const [command = "", ...args] = words.splice(0, end === -1 ? words.length : end + 1);
    await run(
      command,
      args.filter((word) => word !== ";;"),
      { ...process.env, ...machine.environment },
    );
  }
  await machine.close();
  proxy.closeAllConnections();
  proxy.close();
  await gateway.stop();
  await outbound.close();
  await gong.close();
  const verifier = passed
    .map(({ path, body }) => (path === "/token" ? new URLSearchParams(body).get("code_verifier") : null))
    .find((value) => value !== null);
  const recording: Recording = {
    client,
    evidence: "recorded",
    habits: [],
    verifierLength: verifier?.length ?? 43,
    exchanges: toExchanges(passed, origin),
  };
  writeFileSync(file, `${JSON.stringify(recording, null, 2)}\n`);
  console.log(recording.exchanges.map(({ request, browser, status }) => `${request ?? browser} ${status}`));
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    // Some clients end with their standard input, so it stays open.
    const child = spawn(command, args, { env, stdio: ["pipe", "inherit", "inherit"] });
    const timer = setTimeout(() => child.kill(), 60_000);
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

await main(process.argv.slice(2));
