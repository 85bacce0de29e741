// The stand-in Gong of a local run: its two origins and its control port on loopback, with this machine's secrets and
// redirect URI registered as a tech admin would at Gong. It remembers over restarts, as Gong does. Called by start.ts.

import { PERSONAL_CLIENT_ID, SHARED_CLIENT_ID } from "../gong/integrations.ts";
import { serveStandIn } from "../gong/serve.ts";
import { keepMemory, readMemory } from "./gong-memory.ts";
import type { Ports } from "./ports.ts";
import type { Settings } from "./secrets.ts";

export interface LocalGong {
  readonly mcpOrigin: string;
  readonly controlOrigin: string;
  /** The settings that point the gateway at it. */
  readonly vars: Settings;
  /** What a person should hear about how it started, or undefined. */
  readonly notice: string | undefined;
  /** Cuts every connection, and writes down what it knows for the next start. */
  stop(): Promise<void>;
}

/** Serves the stand-in on 127.0.0.1. There, not on localhost, so that the gateway's cookies are not sent to it. */
export async function startGong(ports: Ports, publicUrl: string, secrets: Settings): Promise<LocalGong> {
  const { memory, notice } = readMemory();
  const served = await serveStandIn({
    ...(memory === undefined ? {} : { memory }),
    mcpPort: ports.gongMcp,
    appPort: ports.gongApp,
    controlPort: ports.gongControl,
    redirectUris: [`${publicUrl}/callback`],
  });
  const { standIn, mcpOrigin, controlOrigin } = served;
  standIn.editIntegration(PERSONAL_CLIENT_ID, { clientSecret: secrets["GONG_CLIENT_SECRET"] ?? "" });
  standIn.editIntegration(SHARED_CLIENT_ID, { clientSecret: secrets["GONG_SHARED_CLIENT_SECRET"] ?? "" });
  const keeper = keepMemory(() => standIn.memory());
  return {
    mcpOrigin,
    controlOrigin,
    notice,
    vars: {
      GONG_MCP_URL: `${mcpOrigin}/mcp`,
      GONG_CLIENT_ID: PERSONAL_CLIENT_ID,
      GONG_ACCESS: "personal",
      GONG_SHARED_CLIENT_ID: SHARED_CLIENT_ID,
    },
    async stop() {
      await served.close();
      keeper.stop();
    },
  };
}
