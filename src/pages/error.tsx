// Every refusal that a person meets in the browser: what happened, what to do, and the request id for the admin.
// Rendered by respond.tsx.

import { Layout } from "./layout.tsx";
import { linkUrl } from "./links.ts";
import { spelledOut } from "./outside-text.ts";
import { Fact } from "./parts.tsx";

export interface ErrorView {
  nonce: string;
  title: string;
  /** What happened, in one or two sentences. */
  text: string;
  /** What to do now. */
  hint: string;
  requestId: string;
  /** Values that help to find the cause, e.g. a redirect URI. They may come from outside. */
  details?: readonly { label: string; value: string }[];
  /** A way on; left out when its URL is not https, loopback http, or a path on this gateway. */
  action?: { label: string; url: string };
}

/** Renders a refusal. Values from outside are text, with invisible characters spelt out. */
export function ErrorPage({ nonce, title, text, hint, requestId, details, action }: ErrorView) {
  const target = action === undefined ? undefined : linkUrl(action.url);
  return (
    <Layout title={title} nonce={nonce}>
      <div class="card">
        <h1>{title}</h1>
        <p>{text}</p>
        <div class="note">
          <strong>What to do.</strong> {hint}
        </div>
        {action === undefined || target === undefined ? null : (
          <p>
            <a class="button" href={target} rel="noreferrer">
              {action.label}
            </a>
          </p>
        )}
        <dl class="facts small">
          {(details ?? []).map(({ label, value }) => (
            <Fact term={label}>
              <code>{spelledOut(value)}</code>
            </Fact>
          ))}
          <Fact term="Request ID">
            <code>{spelledOut(requestId)}</code>
            <span class="soft">If you ask your admin for help, give them this.</span>
          </Fact>
        </dl>
      </div>
    </Layout>
  );
}
