// The page between a form and another origin: a 200 with a visible link and an immediate refresh, so that a strict
// `form-action 'self'` holds on the page before it (CSP Level 3 §6.4.2 follows redirects). Rendered after Approve and
// Deny.

import { Layout } from "./layout.tsx";
import { outsideUrl } from "./links.ts";
import { asciiUri, spelledOut } from "./outside-text.ts";

export interface InterstitialView {
  nonce: string;
  heading: string;
  text: string;
  /** Where to go: `https`, or `http` to this computer. */
  url: string;
  linkLabel: string;
  /** The host of `url` in ASCII. */
  host: string;
}

/**
 * Sends the browser on to `url`, and shows a link for browsers that don't follow by themselves. Any other kind of
 * URL is neither followed nor linked: the page says so and shows it as text.
 */
export function InterstitialPage({ nonce, heading, text, url, linkLabel, host }: InterstitialView) {
  const target = outsideUrl(url);
  if (target === undefined) return <BlockedPage nonce={nonce} url={url} />;
  return (
    <Layout title={heading} nonce={nonce} refresh={{ seconds: 0, url: target }}>
      <div class="card">
        <h1>{heading}</h1>
        <p>{text}</p>
        <p>
          <a class="button primary" href={target} rel="noreferrer">
            {linkLabel}
          </a>
        </p>
        <p class="small soft">
          The next page is at <strong>{asciiUri(host)}</strong>.
        </p>
      </div>
    </Layout>
  );
}

function BlockedPage({ nonce, url }: { nonce: string; url: string }) {
  return (
    <Layout title="Not a safe address" nonce={nonce}>
      <div class="card">
        <h1>This address can't be opened</h1>
        <p>
          The next address is neither https nor a program on this computer, so the gateway does not send you
          there. Start again from your client, or ask your admin.
        </p>
        <p>
          <code>{spelledOut(url)}</code>
        </p>
      </div>
    </Layout>
  );
}
