// Admin sign-in with ADMIN_TOKEN. Rendered by GET /admin and by a refused POST /admin/sign-in.

import { Layout } from "./layout.tsx";

export interface AdminSignInView {
  nonce: string;
  /** Whether the token just given was refused. */
  failed: boolean;
  /** More than 0 while sign-in is locked after too many tries. */
  retryAfterSeconds?: number;
}

/** Renders the sign-in form, with what went wrong before it. */
export function AdminSignInPage({ nonce, failed, retryAfterSeconds }: AdminSignInView) {
  const problem = problemText(failed, retryAfterSeconds);
  return (
    <Layout title="Admin sign-in" nonce={nonce}>
      <div class="card">
        <h1>Admin sign-in</h1>
        {problem === undefined ? null : (
          <p id="problem" role="alert" class="note bad">
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
              {...(failed ? { "aria-invalid": "true" as const } : {})}
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
      </div>
    </Layout>
  );
}

function problemText(failed: boolean, retryAfterSeconds: number | undefined): string | undefined {
  if (retryAfterSeconds !== undefined && retryAfterSeconds > 0)
    return `Too many tries. Try again in ${inWords(retryAfterSeconds)}.`;
  return failed ? "That token is not right. Nobody has been signed in." : undefined;
}

function inWords(seconds: number): string {
  if (seconds < 60) return seconds === 1 ? "1 second" : `${Math.ceil(seconds)} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}
