// Preloaded (`node --import`) into programs under test: a connection to anything but this machine fails and is written,
// one name a line, to the file that REFUSED_CONNECTIONS names. Called by test/e2e/mcp-remote.test.ts.

import { appendFileSync } from "node:fs";
import net from "node:net";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"]);
const connect = Reflect.get(net.Socket.prototype, "connect");

/** @param {unknown[]} args */
net.Socket.prototype.connect = function loopbackOnly(...args) {
  // Node hands its own calls over as one normalized array.
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = typeof first === "object" ? (first.host ?? "localhost") : args[1];
  const isLocal = typeof first === "object" && first.path !== undefined ? true : LOOPBACK.has(String(host));
  if (!isLocal) {
    appendFileSync(process.env.REFUSED_CONNECTIONS ?? "/dev/stderr", `${String(host)}\n`);
    throw new Error(`Tests reach this machine only, not ${String(host)}`);
  }
  return Reflect.apply(connect, this, args);
};
