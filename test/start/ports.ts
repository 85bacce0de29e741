// The loopback ports of `npm start`: which they are, and whether they are free. Called by start.ts.

import { createServer } from "node:net";
import { Mistake } from "./mistake.ts";

export interface Ports {
  /** The gateway's. */
  readonly gateway: number;
  /** The stand-in Gong's: its MCP and metadata origin, its sign-in and token origin, and the knobs of the tests. */
  readonly gongMcp: number;
  readonly gongApp: number;
  readonly gongControl: number;
}

const NAMES = {
  gateway: ["PORT", 8787],
  gongMcp: ["GONG_MCP_PORT", 8788],
  gongApp: ["GONG_APP_PORT", 8789],
  gongControl: ["GONG_CONTROL_PORT", 8790],
} as const satisfies Record<keyof Ports, readonly [name: string, fallback: number]>;

/** Reads the ports from the environment. Throws Mistake for one that is no port, or named twice. */
export function readPorts(environment: Readonly<Record<string, string | undefined>>): Ports {
  const port = (key: keyof Ports): number => {
    const [name, fallback] = NAMES[key];
    const value = environment[name];
    if (value === undefined || value === "") return fallback;
    const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
    if (number < 1 || number > 65_535) throw new Mistake(`${name} must be a port from 1 to 65535.`);
    return number;
  };
  const ports = {
    gateway: port("gateway"),
    gongMcp: port("gongMcp"),
    gongApp: port("gongApp"),
    gongControl: port("gongControl"),
  };
  if (new Set(Object.values(ports)).size < 4) {
    const names = Object.values(NAMES).map(([name]) => name);
    throw new Mistake(`${names.join(", ")} must be four different ports.`);
  }
  return ports;
}

/** Throws Mistake naming the first port that something already listens on. */
export async function assertFree(ports: Ports): Promise<void> {
  for (const key of Object.keys(NAMES) as (keyof Ports)[]) {
    const [name] = NAMES[key];
    const port = ports[key];
    if (await isFree(port)) continue;
    throw new Mistake(
      `Port ${port} is taken. Stop what listens there, or choose another one: ${name}=${port + 100} npm start`,
    );
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
