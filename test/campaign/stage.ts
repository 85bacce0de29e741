// Where a campaign plays: the real Worker in workerd on a state folder of its own, the stand-in Gong on sockets in this
// process, a registered client, and people. Set anew for every episode, so that memory stays flat and a seed stands
// alone. Called by the campaigns.

import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import type { KnobChanges } from "../gong/knobs.ts";
import { serveStandIn, type ServedStandIn } from "../gong/serve.ts";
import { temporaryFolder } from "../support/leftovers.ts";
import { freePort, startGateway, type Build, type Gateway } from "../support/workerd.ts";
import { IDENTITY_SETTINGS } from "./identity.ts";
import { answerFaults } from "./answers.ts";
import { CONTROL_PATH } from "./arming.ts";
import { brokenInvariants, CREDENTIAL } from "./invariants.ts";
import { historyOf, type History } from "./history.ts";
import { requestsTo, type AskFunction } from "./http.ts";
import { REDIRECT_URI, registerClient, type Site } from "./story.ts";

/** One episode: from an empty state folder to its end. */
export interface Stage extends Site {
  readonly gateway: Gateway;
  /** A new person with a paid seat at Gong. */
  newPerson(): string;
  /** What happened at Gong since the episode began. */
  readonly history: History;
  /** Ends the access tokens of a person at Gong: the next call must refresh. */
  expire(person: string): void;
  /** SIGKILL. Returns the moment, in epoch milliseconds. */
  kill(): Promise<number>;
  /** Starts again on the same state. */
  restart(): Promise<void>;
}

export interface StageSettings {
  readonly knobs: KnobChanges;
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Theatre {
  /** Plays one episode on a fresh stage and clears it away, also when the episode fails. */
  play<T>(settings: StageSettings, episode: (stage: Stage) => Promise<T>): Promise<T>;
  /** What was broken when the episodes since the last question were over. */
  broken(): readonly string[];
  close(): Promise<void>;
}

const SETTINGS = {
  GONG_CLIENT_ID: "gong-client-personal",
  GONG_CLIENT_SECRET: "per:sonal+secret%/1",
  GONG_ACCESS: "personal",
  ...IDENTITY_SETTINGS,
  SEALING_KEYS: "k1:SHzxbxWiepx3ED9375enhpKmnG0pRUXkvmeDUn0wEBg",
};

/** A killed process loses nothing that the kernel holds: memory is as good a disk as any here, and twice as fast. */
const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const SECRETS = [SETTINGS.GONG_CLIENT_SECRET, SETTINGS.SEALING_KEYS.slice("k1:".length)];

/** Opens the stand-in and reserves a port; workerd starts with each episode. */
export async function openTheatre(build: Build, withFailpoints = false): Promise<Theatre> {
  let broken: string[] = [];
  const port = await freePort();
  const served = await serveStandIn({
    mcpPort: 0,
    appPort: 0,
    controlPort: 0,
    redirectUris: [`http://localhost:${port}/callback`],
    knobs: { authorizePage: "approve" },
  });
  const targets = [REDIRECT_URI, `${served.appOrigin}/oauth2/authorize`];
  return {
    async play(settings, episode) {
      const stateDir = temporaryFolder("campaign", MEMORY);
      served.standIn.reset();
      served.standIn.setKnobs(settings.knobs);
      const gateway = await startGateway({
        build,
        port,
        stateDir,
        settings: { ...SETTINGS, GONG_MCP_URL: `${served.mcpOrigin}/mcp`, ...settings.settings },
      });
      const requests = requestsTo(port);
      const issued = new Set<string>();
      const ask: AskFunction = async (where, what) => {
        const outcome = await requests.ask(where, what);
        // The runtime itself answers 500 for a Worker that is held for ever.
        const isRuntimes = withFailpoints && outcome?.status === 500;
        if (outcome !== undefined && where !== CONTROL_PATH && !isRuntimes)
          broken.push(...answerFaults(where, outcome, [gateway.origin, ...targets]));
        const told = `${outcome?.headers.location} ${outcome?.body}`;
        for (const [credential] of told.matchAll(CREDENTIAL)) issued.add(credential);
        return outcome;
      };
      try {
        const clientId = await registerClient(ask);
        return await episode(stageOn(gateway, served, ask, clientId));
      } finally {
        requests.close();
        await gateway.kill();
        const logs = gateway.logs();
        broken.push(...brokenInvariants({ stateDir, logs, secrets: SECRETS, issued, withFailpoints }));
        rmSync(stateDir, { recursive: true, force: true });
      }
    },
    broken() {
      const told = broken;
      broken = [];
      return told;
    },
    close: () => served.close(),
  };
}

function stageOn(gateway: Gateway, { standIn }: ServedStandIn, ask: Site["ask"], clientId: string): Stage {
  let people = 0;
  return {
    gateway,
    gong: standIn,
    origin: gateway.origin,
    ask,
    clientId,
    newPerson: () => {
      people += 1;
      return standIn.addPerson(`person-${people}`).id;
    },
    history: historyOf(() => standIn.ledger()),
    expire: (person) => void standIn.killTokens({ kind: "access", person }),
    async kill() {
      const killing = gateway.kill();
      const at = Date.now();
      await killing;
      return at;
    },
    restart: () => gateway.restart(),
  };
}
