// What a sweep of the sealing keys found: which key still seals what, and whether an old one can go. Rendered by
// POST /admin/keys/sweep.

import { Layout } from "./layout.tsx";
import { spelledOut } from "./outside-text.ts";

export interface KeySweepView {
  nonce: string;
  /** The kid that seals now. */
  sealingKid: string;
  resealed: number;
  byKid: readonly { kid: string; connections: number; refreshTokens: number; agentKeys: number }[];
  /** Refreshes whose answers may still need an old key. */
  unfinished: number;
  unreadable: readonly { connectionId: string; missingKid: string }[];
}

/** Renders the report, with what to do next. */
export function KeySweepPage({ nonce, sealingKid, resealed, byKid, unfinished, unreadable }: KeySweepView) {
  const old = byKid.filter(({ kid }) => kid !== sealingKid);
  return (
    <Layout title="Sealing keys" nonce={nonce}>
      <div class="card">
        <h1>Sealing keys</h1>
        <p>
          {`Key ${sealingKid} seals now. ${resealed} connection${resealed === 1 ? " was" : "s were"} sealed again.`}
        </p>
        <div class="note">
          <strong>What to do.</strong>{" "}
          {unfinished > 0
            ? `${unfinished} refreshes are unfinished. Check again in a few minutes before you take out a key.`
            : old.length === 0
              ? "No other key is in use: older keys can be taken out of SEALING_KEYS."
              : "Keep the older keys that are listed. Refresh tokens move to the new key when a client uses them, and the last ones expire with their sign-ins. Agent keys don't move: replace them with new ones, or wait until they expire."}
        </div>
        <dl class="facts">
          {byKid.map(({ kid, connections, refreshTokens, agentKeys }) => (
            <div>
              <dt>{`Key ${spelledOut(kid)}`}</dt>
              <dd>{`${connections} connections, ${refreshTokens} refresh tokens, ${agentKeys} agent keys`}</dd>
            </div>
          ))}
          {unreadable.map(({ connectionId, missingKid }) => (
            <div>
              <dt>{`Unreadable: ${spelledOut(connectionId)}`}</dt>
              <dd>{`Put key ${spelledOut(missingKid)} back into SEALING_KEYS, or let the person sign in again.`}</dd>
            </div>
          ))}
        </dl>
        <p>
          <a class="button" href="/admin/sealing-keys">
            Back to the sealing keys
          </a>
        </p>
      </div>
    </Layout>
  );
}
