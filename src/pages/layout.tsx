// The document shell of every page: head, the one stylesheet, the gateway's name, and the script a page asks for.
// Called by the pages only. Nothing is loaded from elsewhere; the CSP nonce is the middleware's.

import type { PropsWithChildren } from "hono/jsx";
import { raw } from "hono/html";
import { linkUrl } from "./links.ts";
import { COPY_SCRIPT, GUARD_SCRIPT, REFRESH_SCRIPT } from "./scripts.ts";
import { STYLESHEET } from "./styles.ts";

export interface LayoutView {
  title: string;
  nonce: string;
  /** Loads `url` after `seconds`; 0 goes at once. `url` is https, loopback http, or a path on this gateway. */
  refresh?: { seconds: number; url: string };
  /** The inline script this page can use; none by default. */
  script?: "guard" | "copy" | undefined;
  /** A broader column, for lists. */
  wide?: boolean;
}

/** Renders a whole HTML document around `children`. A refresh to any other kind of URL is left out. */
export function Layout({ title, nonce, refresh, script, wide, children }: PropsWithChildren<LayoutView>) {
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex, nofollow" />
          <meta name="color-scheme" content="light dark" />
          <title>{`${title} · Gong MCP Gateway`}</title>
          <style nonce={nonce}>{raw(STYLESHEET)}</style>
          {refresh === undefined ? null : <Refresh {...refresh} nonce={nonce} />}
        </head>
        <body class={wide === true ? "wide" : undefined}>
          <header class="top">
            <Mark />
            <span>Gong MCP Gateway</span>
          </header>
          <main>{children}</main>
          <footer class="foot">
            Run by your own organization to let its agents use Gong. Not a Gong product.
          </footer>
          {script === "guard" ? <script nonce={nonce}>{raw(GUARD_SCRIPT)}</script> : null}
          {script === "copy" ? <CopyScript nonce={nonce} /> : null}
        </body>
      </html>
    </>
  );
}

function CopyScript({ nonce }: { nonce: string }) {
  return (
    <>
      <p id="copied" role="status" class="unseen"></p>
      <script nonce={nonce}>{raw(COPY_SCRIPT)}</script>
    </>
  );
}

// A refresh with a delay is a script that can be paused; the meta element serves browsers without script.
function Refresh({ seconds, url, nonce }: { seconds: number; url: string; nonce: string }) {
  const target = linkUrl(url);
  if (target === undefined) return null;
  const meta = <meta http-equiv="refresh" content={`${seconds};url=${target}`} />;
  if (seconds === 0) return meta;
  return (
    <>
      <noscript>{meta}</noscript>
      <script nonce={nonce} data-url={target} data-seconds={String(seconds)}>
        {raw(REFRESH_SCRIPT)}
      </script>
    </>
  );
}

function Mark() {
  return (
    <svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" aria-hidden="true">
      <path d="M4 20V11a8 8 0 0 1 16 0v9" stroke-width="2.25" stroke-linecap="round" />
      <circle cx="12" cy="13" r="2.5" fill="currentColor" stroke="none" />
      <path d="M12 14v6" stroke-width="2.25" stroke-linecap="round" />
    </svg>
  );
}
