// The gateway with other settings than the ones all tests share, inside workerd and on the same objects.

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../src/app.ts";
import { CLIENT_REDIRECT, ORIGIN } from "./flow.ts";

/** One request to a gateway, as `ask` of flow.ts makes it. */
export type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** A gateway whose settings differ in `changes`, and whose bindings in `bindings`. */
export function gatewayWith(
  changes: Readonly<Record<string, string>>,
  bindings: Partial<Pick<Env, "REGISTRATION_RATE" | "STEP_RATE" | "ADMIN" | "CONNECTIONS">> = {},
): Ask {
  const app = createApp();
  const settings = { ...env, ...changes, ...bindings };
  return async (path, init = {}) => {
    const context = createExecutionContext();
    const request = new Request(new URL(path, ORIGIN), { redirect: "manual", ...init });
    const response = await app.fetch?.(request as never, settings, context);
    await waitOnExecutionContext(context);
    if (response === undefined) throw new Error("The app has no fetch handler");
    return response;
  };
}

/** A client that an admin registered, for the setting CLIENTS. */
export const PREREGISTERED = {
  client_id: "listed-client",
  client_name: "Listed client",
  redirect_uris: [CLIENT_REDIRECT],
};

/** A gateway that knows `PREREGISTERED`. */
export const gatewayWithClient = (): Ask => gatewayWith({ CLIENTS: JSON.stringify([PREREGISTERED]) });
