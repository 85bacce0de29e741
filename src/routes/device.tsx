// POST /device_authorization for devices; GET and POST /device and GET /device/done for people. RFC 8628 §3.1, §3.3.

import type { Context } from "hono";
import { newRoutes, nonceOf, type AppEnv } from "../context.ts";
import { authorizeDevice, enterUserCode, type EnteredCode } from "../domain/device-authorization.ts";
import { throughAccess } from "../middleware/access.ts";
import { traced } from "../middleware/attempts.ts";
import { readForm } from "../middleware/body.ts";
import { addressOf, addressRate } from "../middleware/address-rate.ts";
import { isSameOrigin } from "../middleware/same-origin.ts";
import { DeviceCodePage, DeviceEndPage, isDeviceEnd } from "../pages/device.tsx";
import { problemPage } from "../respond.tsx";
import { askConsent, keepConsentBinding } from "./authorize.tsx";

export const deviceAuthorization = newRoutes()
  .post("/device_authorization", traced("device"), addressRate("STEP_RATE", "device"), async (c) => {
    const form = await readForm(c.req.raw);
    const place = placeOf(c);
    const response = await authorizeDevice(c.get("gateway"), c.req.header("Authorization"), form, place);
    return c.json(response, 200, { "cache-control": "no-store", pragma: "no-cache" });
  })
  .all("/device_authorization", (c) =>
    c.json({ error: "invalid_request", error_description: "Use POST." }, 405, { allow: "POST" }),
  );

export const device = newRoutes()
  .use("/device", throughAccess())
  .use("/device/*", throughAccess())
  .get("/device", (c) => {
    keepConsentBinding(c);
    return codePage(c, { failed: false });
  })
  .post("/device", traced("code"), addressRate("STEP_RATE", "code"), async (c) => {
    if (!isSameOrigin(c)) return problemPage(c, "cross_site", 403);
    const form = await readForm(c.req.raw);
    const address = addressOf(c);
    const binding = keepConsentBinding(c);
    const entered = await enterUserCode(c.get("gateway"), form.get("user_code") ?? "", address, binding);
    return answerCode(c, entered);
  })
  .get("/device/done", (c) => {
    const end = c.req.query("end") ?? "";
    if (!isDeviceEnd(end)) return problemPage(c, "state_unknown", 400);
    c.header("Cache-Control", "no-store");
    return c.html(<DeviceEndPage nonce={nonceOf(c)} end={end} />);
  });

function answerCode(c: Context<AppEnv>, entered: EnteredCode) {
  switch (entered.kind) {
    case "unknown":
      c.set("refusal", "user_code_unknown");
      return codePage(c, { failed: true });
    case "wait":
      c.set("refusal", "user_code_wait");
      c.header("Retry-After", String(entered.retryAfterSeconds));
      return codePage(c, { failed: true, retryAfterSeconds: entered.retryAfterSeconds });
    case "ask": {
      const { userCode, askedFrom, askedAt } = entered;
      return askConsent(c, {
        ...entered,
        device: {
          userCode,
          askedFrom,
          askedAt,
          sameAddress: askedFrom === placeOf(c),
        },
      });
    }
  }
}

function codePage(c: Context<AppEnv>, state: { failed: boolean; retryAfterSeconds?: number }) {
  c.header("Cache-Control", "no-store");
  const status = state.retryAfterSeconds === undefined ? (state.failed ? 400 : 200) : 429;
  return c.html(<DeviceCodePage nonce={nonceOf(c)} {...state} />, status);
}

const REGIONS = new Intl.DisplayNames("en", { type: "region" });

/** Where a request came from, as the edge saw it: internet address and, where it is known, country. */
function placeOf(c: Context<AppEnv>): string {
  const address = c.req.header("CF-Connecting-IP") ?? "an unknown address";
  const country = c.req.header("CF-IPCountry") ?? "";
  const region = /^[A-Z]{2}$/.test(country) ? REGIONS.of(country) : undefined;
  return region === undefined || region === country ? address : `${address}, ${region}`;
}
