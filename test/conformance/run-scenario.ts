// The command that the runner starts for each client scenario, with the URL of the scenario's MCP server as argument.
// It hands the scenario to the desk of the referee that started the runner, which has a gateway at hand, and ends as
// the desk says: loading all of it again for each scenario would take minutes.

import { argv, env } from "node:process";

const [, , scenarioUrl] = argv;
const { CONFORMANCE_DESK: desk = "", MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_PROTOCOL_VERSION } = env;

const response = await fetch(desk, {
  method: "POST",
  body: JSON.stringify({
    scenario: MCP_CONFORMANCE_SCENARIO,
    revision: MCP_CONFORMANCE_PROTOCOL_VERSION,
    url: scenarioUrl,
    context: JSON.parse(env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as unknown,
  }),
});
if (response.status !== 204) {
  console.error(await response.text());
  process.exitCode = 1;
}
