// What a sweep of the sealing keys found: which key still seals what, and whether an old one can go. Rendered by
// POST /admin/keys/sweep.

import { AdminFrame } from "./admin-frame.tsx";
import { spelledOut } from "./outside-text.ts";
import { Fact, Moment, PostForm } from "./parts.tsx";

interface KeyUse {
  kid: string;
  connections: number;
  refreshTokens: number;
  agentKeys: number;
  /** Kept results and questions of calls. */
  results: number;
  /** When the last of them goes: epoch seconds. */
  resultsUntil: number;
  people: number;
}

export interface KeySweepView {
  nonce: string;
  csrf: string;
  /** The kid that seals now. */
  sealingKid: string;
  resealed: number;
  byKid: readonly KeyUse[];
  /** Refreshes whose answers may still need an old key. */
  unfinished: number;
  unreadable: readonly { what: string; missingKid: string }[];
  /** How many there are, also of those that are not listed. */
  unreadableCount: number;
  looked: number;
  /** Connections that were not looked at yet, and what to post to go on with them. */
  left: number;
  next?: string;
  /** The longest that something lives which is never sealed again and never counted. */
  waitMinutes: number;
}

/** Renders the report, with what to do next. It says that a key can go only when everything was looked at. */
export function KeySweepPage(view: KeySweepView) {
  const { nonce, csrf, sealingKid, resealed, byKid, unreadable, unreadableCount, looked, next } = view;
  return (
    <AdminFrame section="/admin/sealing-keys" title="Sealing keys" nonce={nonce} csrf={csrf}>
      <div class="card">
        <p>
          {`Key ${sealingKid} seals now. ${resealed} connection${resealed === 1 ? " was" : "s were"} sealed again, ${looked} looked at.`}
        </p>
        <div class="note">
          <strong>What to do.</strong> {advice(view)}
        </div>
        {next === undefined ? null : (
          <PostForm action="/admin/keys/sweep" csrf={csrf}>
            <input type="hidden" name="next" value={next} />
            <button type="submit">Go on</button>
          </PostForm>
        )}
        <dl class="facts">
          {byKid.map((use) => (
            <Fact term={`Key ${spelledOut(use.kid)}`}>
              <Uses {...use} />
            </Fact>
          ))}
          {unreadable.map(({ what, missingKid }) => (
            <Fact
              term={`Unreadable: ${spelledOut(what)}`}
            >{`Put key ${spelledOut(missingKid)} back into SEALING_KEYS, or let the person sign in again.`}</Fact>
          ))}
        </dl>
        {unreadableCount > unreadable.length ? (
          <p>{`${unreadableCount - unreadable.length} more are unreadable and not listed.`}</p>
        ) : null}
      </div>
    </AdminFrame>
  );
}

function advice({ sealingKid, byKid, unfinished, left, waitMinutes }: KeySweepView): string {
  if (left > 0)
    return `About ${left} connections were not looked at yet. Go on, and take out no key before that.`;
  if (unfinished > 0) {
    return `${unfinished} refreshes are unfinished. Check again in a few minutes before you take out a key.`;
  }
  if (byKid.some(({ kid }) => kid !== sealingKid)) {
    return "Keep the older keys that are listed. Refresh tokens move to the new key when a client uses them; results and questions of calls expire. Agent keys don't move: replace them, or wait until they expire.";
  }
  return `No other key is in use: older keys can be taken out of SEALING_KEYS, once key ${sealingKid} has been the first for ${waitMinutes} minutes. Sign-ins under way and access tokens are over by then.`;
}

function Uses({ connections, refreshTokens, agentKeys, results, resultsUntil, people }: KeyUse) {
  return (
    <>
      {`${connections} connections, ${refreshTokens} refresh tokens, ${agentKeys} agent keys, ${people} people, ${results} results and questions of calls`}
      {results === 0 ? null : (
        <>
          {", gone by "}
          <Moment at={resultsUntil} />
        </>
      )}
    </>
  );
}
