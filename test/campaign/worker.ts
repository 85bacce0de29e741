// The Worker of the crash campaign: the gateway itself, built with its failpoints, and a control that arms them. Never
// part of a build that is deployed. Called by sweep.ts through workerd, over HTTP on loopback.

import gateway, { ConnectionObject as Connection, EscrowObject as Escrow } from "../../src/index.ts";
import { AdminObject as Admin, TransactionObject as Transaction } from "../../src/index.ts";
import { setFailpointHook } from "../../src/failpoints.ts";
import { CONTROL_PATH, type Arming } from "./arming.ts";

export { RegistryObject } from "../../src/index.ts";

const states = new WeakMap<SqlStorage, DurableObjectState>();
let armed: Arming | undefined;
let left = 0;

setFailpointHook((name, at) => {
  if (armed?.name !== name || left === 0) return undefined;
  left -= 1;
  console.log(`failpoint reached: ${name}`);
  return happen(armed, at === undefined ? undefined : states.get(at));
});

function happen({ mode, ms }: Arming, state: DurableObjectState | undefined): Promise<void> | undefined {
  switch (mode) {
    case "throw":
      throw new Error("Storage failed (failpoint)");
    case "abort":
      state?.abort("failpoint");
      throw new Error("Aborted (failpoint)");
    case "outage":
      breakStorage(state, Date.now() + ms);
      return undefined;
    case "superseded":
      breakStorage(state, Number.POSITIVE_INFINITY);
      setTimeout(() => state?.abort("superseded"), ms);
      return undefined;
    case "delay":
      return new Promise((resolve) => setTimeout(resolve, ms));
    case "hold":
      return new Promise(() => undefined);
    case "kill":
      for (;;);
  }
}

/** Makes every use of the object's storage throw until `until`, epoch milliseconds. */
function breakStorage(state: DurableObjectState | undefined, until: number): void {
  if (state === undefined) return;
  breakMethod(state.storage.sql, "exec", until);
  for (const name of ["transactionSync", "getAlarm", "setAlarm"]) breakMethod(state.storage, name, until);
}

function breakMethod(target: object, name: string, until: number): void {
  const real: unknown = Reflect.get(target, name);
  if (typeof real !== "function") throw new Error(`Storage has no ${name}`);
  const value = (...values: unknown[]): unknown => {
    if (Date.now() < until) throw new Error("Storage is broken (failpoint)");
    const result: unknown = Reflect.apply(real, target, values);
    return result;
  };
  Object.defineProperty(target, name, { configurable: true, value });
}

function remember(state: DurableObjectState): void {
  states.set(state.storage.sql, state);
}

export class ConnectionObject extends Connection {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    remember(state);
  }
}

export class EscrowObject extends Escrow {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    remember(state);
  }
}

export class AdminObject extends Admin {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    remember(state);
  }
}

export class TransactionObject extends Transaction {
  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    remember(state);
  }
}

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== CONTROL_PATH) {
      if (gateway.fetch === undefined) throw new Error("The gateway has no fetch handler");
      return gateway.fetch(request, env, context);
    }
    const arming: Arming | undefined = request.method === "POST" ? await request.json() : undefined;
    armed = arming;
    left = arming?.times ?? 0;
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Env>;
