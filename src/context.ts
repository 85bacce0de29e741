// What middleware puts on a request for the routes behind it: the only Hono generic in the project.

import type { Gateway } from "./domain/gateway.ts";
import type { FormParameters } from "./oauth/form.ts";

export interface AppEnv {
  Bindings: Env;
  Variables: {
    gateway: Gateway;
    /** Shown on error pages and logged, so that a person can quote it. */
    requestId: string;
    /** Of this response's Content-Security-Policy. */
    secureHeadersNonce?: string;
    /** The admin's session and the form it posted, behind the admin form middleware only. */
    act?: { readonly session: string; readonly form: FormParameters };
  };
}
