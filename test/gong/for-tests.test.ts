// The door through which workerd tests reach the stand-in: by host name, as a function and over Node.js sockets.
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ASK_ACCOUNT, driver, type Fetch } from "./driver.ts";
import { standInForTests, standInOnSockets } from "./for-tests.ts";

const ORIGINS = { mcpOrigin: "https://mcp.gong.test", appOrigin: "https://app.gong.test" };

function control(fetch: Fetch, method: string, path: string, body?: unknown): Promise<Response> {
  const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return fetch(new Request(`http://control.gong.test${path}`, init));
}

/** A door like the one that a miniflare opens for its Worker. */
async function openDoor(): Promise<{ readonly fetch: Fetch; close(): void }> {
  const server = createServer((incoming, outgoing) => void standInOnSockets(incoming, outgoing));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    fetch: over((server.address() as AddressInfo).port),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Sends `request` to the port, with the host it was meant for in `Host`, as miniflare does. */
function over(port: number): Fetch {
  return async (request) => {
    const url = new URL(request.url);
    const body = await request.text();
    const headers = { ...Object.fromEntries(request.headers), host: url.host };
    const path = `${url.pathname}${url.search}`;
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        { host: "127.0.0.1", port, method: request.method, path, headers },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            const received = new Headers();
            for (const [name, value] of Object.entries(answer.headers)) received.set(name, String(value));
            const init = { status: answer.statusCode ?? 0, headers: received };
            resolve(new Response(chunks.length === 0 ? null : Buffer.concat(chunks), init));
          });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  };
}

test(
  verifies(
    "stand_in.everywhere",
    "as a function: both origins, control, and 501 with a note for any other host",
  ),
  async () => {
    await control(standInForTests, "POST", "/reset");
    const client = driver(standInForTests, ORIGINS);
    const { access_token } = await client.connect();
    expect(await (await client.post(ASK_ACCOUNT, access_token)).text()).toContain("CANARY-ada");
    expect((await standInForTests(new Request("https://example.com/"))).status).toBe(501);
    const ledger = await (await control(standInForTests, "GET", "/ledger")).text();
    expect(ledger).toContain('"host":"example.com"');
  },
);

test(verifies("stand_in.everywhere", "over sockets: a drop is a reset"), async () => {
  const door = await openDoor();
  try {
    const client = driver(door.fetch, ORIGINS);
    const { refresh_token } = await client.connect();
    await control(door.fetch, "POST", "/faults", { endpoint: "token", fault: { kind: "drop_before" } });
    await expect(client.refresh(refresh_token)).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect((await client.refresh(refresh_token)).status).toBe(200);
  } finally {
    door.close();
  }
});

test(
  verifies(
    "stand_in.everywhere",
    "over sockets: each port has an instance of its own, for files that run at once",
  ),
  async () => {
    const doors = [await openDoor(), await openDoor()] as const;
    try {
      await control(doors[0].fetch, "PATCH", "/knobs", { signedInAs: "grace" });
      for (const [at, person] of ["grace", "ada"].entries()) {
        const knobs = await control((doors[at] ?? doors[0]).fetch, "GET", "/knobs");
        expect(await knobs.json()).toMatchObject({ signedInAs: person });
      }
    } finally {
      for (const door of doors) door.close();
    }
  },
);
