// The main job, shown: an unmodified MCP client that knows one URL signs in through the gateway, a person consents,
// and Gong answers. Every line is printed when it has happened. Called by start.ts.

import type { Client } from "@modelcontextprotocol/client";
import { createAgent, type Agent, type Observer } from "../support/agent.ts";
import { readHeading } from "../support/html.ts";
import { createPerson, type Visit } from "../support/person.ts";

const QUESTION = "Is the renewal on track?";
const ACCOUNT = "Globex";
const PERSON_AT_GONG = "ada";

/** Signs in a new agent, asks Gong a question and prints each step. Throws at the first step that fails. */
export async function showMainJob(publicUrl: string, print: (line: string) => void): Promise<void> {
  const tick = (step: string, what: string): void => print(`  \u2714 ${step.padEnd(14)}${what}`);
  const person = createPerson(observePerson(publicUrl, tick));
  const agent = createAgent({
    mcpUrl: `${publicUrl}/mcp`,
    person,
    name: "Demonstration agent",
    choices: { fields: { person: PERSON_AT_GONG } },
    observe: observeAgent(tick),
  });
  print(`An agent that knows only ${publicUrl}/mcp asks Gong a question:`);
  const client = await agent.connect();
  try {
    assertOwnToken(agent);
    await ask(client, tick, print);
  } finally {
    await client.close();
  }
}

type Tick = (step: string, what: string) => void;

/** What the agent itself does (MCP authorization, RFC 9728, RFC 8414, RFC 7591, RFC 6749). */
function observeAgent(tick: Tick): Observer {
  return ({ method, url, body }, response) => {
    const path = url.pathname;
    if (path === "/mcp" && response.status === 401) {
      tick("challenge", "401, as it should be: the answer says where to sign in");
    } else if (!response.ok) {
      return;
    } else if (path.startsWith("/.well-known/oauth-protected-resource")) {
      tick("discovery", `${path} names the authorization server`);
    } else if (path === "/.well-known/oauth-authorization-server") {
      tick("discovery", `${path} says how to register and sign in`);
    } else if (path === "/register") {
      tick("registration", "the agent registered itself (RFC 7591)");
    } else if (path === "/token") {
      tick("token", "the agent exchanges its code for the gateway's own tokens (PKCE)");
    } else if (path === "/mcp" && method === "POST" && body.includes('"initialize"')) {
      tick("initialize", "Gong's MCP server answers through the gateway");
    }
  };
}

/** What happens in the person's browser, told at the answers that end a step. */
function observePerson(publicUrl: string, tick: Tick): (visit: Visit) => void {
  return ({ method, url, status, html }) => {
    const here = url.origin === publicUrl;
    if (here && url.pathname === "/authorize" && method === "GET") {
      tick("consent", `the person is asked: ${readHeading(html)}`);
    } else if (here && url.pathname === "/authorize") {
      tick("consent", "the person presses Approve and goes on to Gong");
    } else if (!here && method === "POST") {
      tick("Gong", "the person presses Allow; Gong sends the browser back with a code");
    } else if (here && url.pathname === "/callback" && status < 400) {
      tick("callback", "the gateway exchanges Gong's code and seals Gong's tokens");
    }
  };
}

async function ask(client: Client, tick: Tick, print: (line: string) => void): Promise<void> {
  const { tools } = await client.listTools();
  tick("tools/list", tools.map((tool) => tool.name).join(", "));
  print(`  \u2026 tools/call    ask_account, ${ACCOUNT}: ${QUESTION}`);
  const result = await client.callTool({
    name: "ask_account",
    arguments: { crmAccount: ACCOUNT, question: QUESTION },
  });
  const [content] = result.content;
  if (result.isError === true || content?.type !== "text") {
    throw new Error(`Gong answered ask_account with an error: ${JSON.stringify(result)}`);
  }
  tick("tools/call", "answered");
  print(`\nGong's answer:\n${indent(readable(content.text))}\n`);
}

/** The point of it all: what the agent holds is the gateway's own token, and opens nothing at Gong. */
function assertOwnToken(agent: Agent): void {
  if (agent.tokens?.access_token.startsWith("gat_") === true) return;
  throw new Error("The agent holds an access token that is not the gateway's.");
}

/** JSON over several lines, anything else as it is. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
