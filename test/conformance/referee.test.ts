// The official MCP conformance runner against the gateway, from all four sides: as an MCP server, as the middle of an
// MCP client, as an OAuth client of Gong, and as an authorization server. README.md here says what each run means.

import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWorker } from "../support/workerd.ts";
import { type Desk, serveDesk } from "./desk.ts";
import { readExpectations, staleEntries, unexpectedFailures } from "./expectations.ts";
import { type Fixture, serveFixture } from "./fixture.ts";
import { countChecks, differences, type Results, runReferee } from "./referee.ts";
import { runAuthorizationSuite } from "./run-authorization.ts";
import { useThroughGateway } from "./run-client.ts";
import { signInAt } from "./run-sign-in.ts";
import { serveForwarder, type Stage, startStage } from "./stage.ts";
import { verifies } from "./verifies.ts";

const REVISIONS = ["2025-11-25", "2026-07-28"] as const;
type Revision = (typeof REVISIONS)[number];

/** Time for one run of the runner on a slow and busy machine, and for one scenario in it, which waits for its turn. */
const PATIENCE_MS = 150_000;
const SCENARIO_MS = 120_000;

let fixture: Fixture;
let stage: Stage;
let desk: Desk;
const serverRuns: Results[] = [];
const clientRuns: Results[] = [];

beforeAll(async () => {
  const build = await buildWorker();
  fixture = await serveFixture();
  stage = await startStage(build, new URL(fixture.mcpUrl));
  desk = await serveDesk((task) =>
    task.scenario.startsWith("auth/") ? signInAt(build, task) : useThroughGateway(stage, task),
  );
});
afterAll(() => Promise.all([desk.close(), stage.stop(), fixture.close()]));

describe(verifies("conformance.server", "MCP server conformance, with the fixture as Gong's server"), () => {
  it.each(REVISIONS)(
    "MCP %s: every check ends the same through the gateway as without it",
    async (revision) => {
      stage.pointAt(new URL(fixture.mcpUrl));
      const direct = await serverSuite(fixture.mcpUrl, revision);
      const forwarder = await serveForwarder(stage);
      const proxied = await serverSuite(`${forwarder.origin}/mcp`, revision);
      await forwarder.close();
      report(`server ${revision}, direct`, direct);
      report(`server ${revision}, through the gateway`, proxied);
      expect(differences(direct, proxied)).toEqual([]);
      expect(unexpectedFailures("server", proxied)).toEqual([]);
      expect(countChecks(proxied).passed).toBeGreaterThanOrEqual(PASSED_BY_FIXTURE[revision]);
      serverRuns.push(proxied);
    },
    PATIENCE_MS,
  );
});

/** So that a fixture that loses what the scenarios ask for can't pass by failing alike on both sides. */
const PASSED_BY_FIXTURE: Readonly<Record<Revision, number>> = { "2025-11-25": 84, "2026-07-28": 164 };

describe(
  verifies(
    "conformance.client",
    "MCP client conformance, with the gateway in the middle or as the client of Gong",
  ),
  () => {
    it.each(REVISIONS)(
      "MCP %s: every check of the client scenarios passes, or is a listed failure",
      async (revision) => {
        const results = await clientSuite(revision);
        const middle = new Map([...results].filter(([scenario]) => !scenario.startsWith("auth/")));
        const signIn = new Map([...results].filter(([scenario]) => scenario.startsWith("auth/")));
        report(`client ${revision}, gateway in the middle`, middle);
        report(`client ${revision}, gateway as Gong's client`, signIn);
        // Says why, where a check can only say that.
        for (const [scenario, reason] of desk.failures)
          console.log(`The client of ${scenario} ended: ${reason}`);
        expect(unexpectedFailures("client", results)).toEqual([]);
        expect(countChecks(middle).passed).toBeGreaterThan(0);
        expect(countChecks(signIn).passed).toBeGreaterThan(0);
        clientRuns.push(results);
      },
      PATIENCE_MS,
    );
  },
);

describe(verifies("conformance.authorization_server", "Authorization server conformance"), () => {
  it(
    "MCP authorization, RFC 8414 §3.2, RFC 6749 §4.1: metadata and the code grant pass every check",
    async () => {
      const results = await runAuthorizationSuite(stage);
      report("authorization server", results);
      expect([...results.keys()]).toEqual([
        "authorization-code-grant",
        "authorization-server-metadata-endpoint",
      ]);
      expect(countChecks(results)).toEqual({ passed: 3, failed: 0 });
    },
    PATIENCE_MS,
  );
});

describe(verifies("conformance.expected_failures", "expected-failures.yaml"), () => {
  it("every entry still fails, so that the list only shrinks", () => {
    expect(serverRuns.length + clientRuns.length).toBe(2 * REVISIONS.length);
    expect(staleEntries("server", serverRuns)).toEqual([]);
    expect(staleEntries("client", clientRuns)).toEqual([]);
  });

  it("every entry has a reason and is there once", () => {
    const entries = readExpectations().map(({ role, entry }) => `${role} ${entry}`);
    expect(entries.length).toBeGreaterThan(0);
    expect(new Set(entries).size).toBe(entries.length);
  });
});

function serverSuite(url: string, revision: Revision): Promise<Results> {
  return runReferee("server", ["--url", url, "--requirements", revision]);
}

function clientSuite(revision: Revision): Promise<Results> {
  const command = `${process.execPath} ${path.join(import.meta.dirname, "run-scenario.ts")}`;
  const options = ["--command", command, "--requirements", revision, "--timeout", String(SCENARIO_MS)];
  return runReferee("client", options, desk.environment);
}

function report(what: string, results: Results): void {
  const { passed, failed } = countChecks(results);
  console.log(`${what}: ${results.size} scenarios, ${passed} checks passed, ${failed} not`);
}
