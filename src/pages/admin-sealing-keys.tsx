// The sealing keys: why and how to check them. Rendered by GET
// /admin/sealing-keys; the check's result is key-sweep.tsx.

import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { PostForm } from "./parts.tsx";

/** Renders the button that seals everything with the first key and says which keys are still needed. */
export function SealingKeysPage({ nonce, csrf }: AdminPageView) {
  return (
    <AdminFrame section="/admin/sealing-keys" title="Sealing keys" nonce={nonce} csrf={csrf}>
      <div class="card stack">
        <p>
          After a new key was put first in SEALING_KEYS, this seals with it what is stored and says which keys
          are still needed, and for what.
        </p>
        <PostForm action="/admin/keys/sweep" csrf={csrf}>
          <button type="submit">Check the sealing keys</button>
        </PostForm>
      </div>
    </AdminFrame>
  );
}
