// A Gong that costs next to nothing, so that the bench measures what stands in front of it: a constant JSON answer, a
// short SSE answer, and as much of Gong's OAuth as a sign-in through the real flow needs. Started by run.ts as a
// process of its own: `node upstream.ts <port>`. How Gong really behaves is test/gong's business.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { SLOW_ANSWER_MS, SLOW_MARK } from "./upstream-marks.ts";

const port = Number(process.argv[2]);
const origin = `http://127.0.0.1:${port}`;

/** Bytes of the JSON answer: about what tools/list of a small server weighs. */
const ANSWER_BYTES = 977;
const empty = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: [], padding: "" } });
const answer = Buffer.from(empty.replace('""', `"${"x".repeat(ANSWER_BYTES - empty.length)}"`));

const FIRST_EVENT = `event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n`;
const LAST_EVENT = `event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{"prompts":[]}}\n\n`;
const UNTIL_LAST_EVENT_MS = 20;

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (body += chunk));
  request.on("end", () => serve(request, body, response));
});
server.listen(port, "127.0.0.1", 4096, () => process.send?.("ready"));
// The bench ended, however it ended.
process.once("disconnect", () => process.exit());

function serve(request: IncomingMessage, body: string, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", origin);
  switch (url.pathname) {
    case "/mcp":
      return serveMcp(request, body, response);
    case "/.well-known/oauth-protected-resource/mcp":
      return json(response, { resource: `${origin}/mcp`, authorization_servers: [origin] });
    case "/.well-known/oauth-authorization-server":
      return json(response, {
        issuer: origin,
        authorization_endpoint: `${origin}/oauth2/authorize`,
        token_endpoint: `${origin}/oauth2/token`,
        response_types_supported: ["code"],
        code_challenge_methods_supported: ["S256"],
      });
    case "/oauth2/authorize":
      return approve(url.searchParams, response);
    case "/oauth2/token":
      return json(response, {
        access_token: "upstream-access-token",
        refresh_token: "upstream-refresh-token",
        token_type: "bearer",
        expires_in: 86_400,
        uid: "7591",
      });
    default:
      response.writeHead(404).end();
  }
}

function serveMcp(request: IncomingMessage, body: string, response: ServerResponse): void {
  if (request.headers.authorization !== "Bearer upstream-access-token") {
    response.writeHead(401).end();
  } else if (body.includes('"prompts/list"')) {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.write(FIRST_EVENT);
    setTimeout(() => response.end(LAST_EVENT), UNTIL_LAST_EVENT_MS);
  } else if (body.includes(SLOW_MARK)) {
    setTimeout(() => answerJson(response), SLOW_ANSWER_MS);
  } else {
    answerJson(response);
  }
}

function answerJson(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": answer.byteLength });
  response.end(answer);
}

/** Gong's page, answered at once: the person at the bench always allows. */
function approve(query: URLSearchParams, response: ServerResponse): void {
  const target = new URL(query.get("redirect_uri") ?? "");
  target.searchParams.set("code", "upstream-code");
  target.searchParams.set("state", query.get("state") ?? "");
  response.writeHead(302, { location: target.href }).end();
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}
