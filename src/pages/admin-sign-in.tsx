// Admin sign-in with ADMIN_TOKEN, through Cloudflare Access, or both. Rendered by GET /admin and by a refused POST
// /admin/sign-in.

import { Layout } from "./layout.tsx";
import { spelledOut } from "./outside-text.ts";
import { problemText } from "./problem-text.ts";

/** What Cloudflare Access makes of the person at the browser. */
export type ByAccess =
  | { readonly kind: "off" | "missing" | "refused" | "unavailable" }
  | { readonly kind: "admin" | "not_admin"; readonly email: string };

export interface AdminSignInView {
  nonce: string;
  /** Whether there is an ADMIN_TOKEN to type. */
  byToken: boolean;
  byAccess: ByAccess;
  /** The address in the settings, when the browser is at another one. */
  publicUrl?: string;
  /** Whether the token just given was refused. */
  failed: boolean;
  /** More than 0 while sign-in is locked after too many tries. */
  retryAfterSeconds?: number;
}

/** Renders the ways to sign in, with what went wrong before. */
export function AdminSignInPage(view: AdminSignInView) {
  const { nonce, byToken, byAccess, publicUrl } = view;
  return (
    <Layout title="Admin sign-in" nonce={nonce}>
      <div class="card">
        <h1>Admin sign-in</h1>
        {publicUrl === undefined ? null : <Elsewhere publicUrl={publicUrl} />}
        <AccessSignIn byAccess={byAccess} />
        {byToken ? <TokenSignIn view={view} /> : null}
      </div>
    </Layout>
  );
}

function Elsewhere({ publicUrl }: { publicUrl: string }) {
  return (
    <p class="note warn">
      This page is not at the address in the settings, <code>{spelledOut(publicUrl)}</code>, so no form on it
      works. Go there, or correct <code>PUBLIC_URL</code> and deploy again.
    </p>
  );
}

function AccessSignIn({ byAccess }: { byAccess: ByAccess }) {
  switch (byAccess.kind) {
    case "off":
      return null;
    case "admin":
      return (
        <form method="post" action="/admin/sign-in" class="stack-wide">
          <input type="hidden" name="by" value="access" />
          <p>
            Cloudflare Access says that you are <strong>{spelledOut(byAccess.email)}</strong>, an admin of
            this gateway.
          </p>
          <div>
            <button type="submit" class="primary">
              Sign in with Cloudflare Access
            </button>
          </div>
        </form>
      );
    case "not_admin":
      return (
        <p class="note warn">
          Cloudflare Access says that you are <strong>{spelledOut(byAccess.email)}</strong>, who is not an
          admin of this gateway. Whoever deploys it can add the address to <code>ADMIN_EMAILS</code>.
        </p>
      );
    case "missing":
    case "refused":
    case "unavailable": {
      const { title, hint } = problemText(`access_${byAccess.kind}`);
      return (
        <p class="note warn">
          <strong>{title}.</strong> {hint}
        </p>
      );
    }
  }
}

function TokenSignIn({ view: { failed, retryAfterSeconds } }: { view: AdminSignInView }) {
  const problem = tokenProblem(failed, retryAfterSeconds);
  return (
    <>
      {problem === undefined ? null : (
        <p id="problem" role="alert" class="note bad" tabindex={-1} autofocus={!failed}>
          {problem}
        </p>
      )}
      <form method="post" action="/admin/sign-in" class="stack-wide">
        <div class="stack">
          <label for="token">Admin token</label>
          <input
            id="token"
            name="token"
            type="password"
            autocomplete="current-password"
            required
            aria-describedby={problem === undefined ? "token-hint" : "problem token-hint"}
            {...(failed ? { "aria-invalid": "true" as const, autofocus: true } : {})}
          />
          <p id="token-hint" class="small soft">
            The value of <code>ADMIN_TOKEN</code> in this gateway's settings.
          </p>
        </div>
        <div>
          <button type="submit" class="primary">
            Sign in
          </button>
        </div>
      </form>
    </>
  );
}

function tokenProblem(failed: boolean, retryAfterSeconds: number | undefined): string | undefined {
  if (retryAfterSeconds !== undefined && retryAfterSeconds > 0)
    return `Too many tries. Try again in ${inWords(retryAfterSeconds)}.`;
  return failed ? "That token is not right. Nobody has been signed in." : undefined;
}

function inWords(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? "1 second" : `${Math.ceil(seconds)} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}
