// The answer to an approval: a page that leads on by itself and by a link. A redirect would be stopped in browsers by
// form-action 'self', which they apply to every hop that follows a form post. CSP3 §6.4.2.

import type { Context } from "hono";
import { nonceOf, type AppEnv } from "../context.ts";
import { InterstitialPage } from "../pages/interstitial.tsx";

/** A page that goes on to `url`, which this gateway has built or proven. */
export function leadOn(c: Context<AppEnv>, url: string, heading: string, text: string) {
  c.header("Cache-Control", "no-store");
  return c.html(
    <InterstitialPage
      nonce={nonceOf(c)}
      heading={heading}
      text={text}
      url={url}
      linkLabel="Continue"
      host={new URL(url).host}
    />,
  );
}
