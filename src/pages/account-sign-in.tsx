// Sign-in to the account page: what it is for, and why Gong is asked. Rendered by GET /account.

import { Layout } from "./layout.tsx";

/** Renders the explanation and the one button, which posts to /account/sign-in. */
export function AccountSignInPage({ nonce }: { readonly nonce: string }) {
  return (
    <Layout title="Your Gong access" nonce={nonce}>
      <div class="stack">
        <h1>Your Gong access</h1>
        <p>See which agents use Gong in your name, stop one or all of them, and end your connection.</p>
      </div>
      <div class="card">
        <div class="stack">
          <h2>Show that it is yours</h2>
          <p>
            Sign in at Gong once more. Gong's answer says whose connection it is, and you see that one and no
            other. If Gong had ended your connection, this heals it and your agents go on.
          </p>
          <p class="soft">
            No agent gets any access by this. You are signed out here after 30 minutes without use.
          </p>
        </div>
        <form method="post" action="/account/sign-in">
          <button type="submit" class="primary">
            Sign in at Gong
          </button>
        </form>
      </div>
      <p class="small soft">
        For shared access there is no page of your own: it belongs to the admins of this gateway.
      </p>
    </Layout>
  );
}
