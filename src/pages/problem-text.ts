// What a person reads when a sign-in can't go on: what happened, and what to do next. One entry for each problem.

interface ProblemText {
  readonly title: string;
  readonly text: string;
  readonly hint: string;
  /** Where to go on; the front page when it is left out. */
  readonly action?: { readonly label: string; readonly url: string };
}

const TO_ACCOUNT = { label: "Your Gong access", url: "/account" };

const START_AGAIN =
  "Go back to your client and connect again. Nothing was connected and nothing was changed.";
const BACK_TO_ADMIN = "Open the admin page again and look at the current state.";

const TEXTS = {
  form_unreadable: {
    title: "This form can't be used",
    text: "The form did not come from this gateway, or it was changed on the way.",
    hint: START_AGAIN,
  },
  form_expired: {
    title: "This page was open for too long",
    text: "For your safety an approval page works for ten minutes.",
    hint: START_AGAIN,
  },
  other_browser: {
    title: "This sign-in belongs to another browser",
    text: "A sign-in must be finished in the browser that began it, with cookies allowed. If somebody sent you this link, close this page.",
    hint: START_AGAIN,
  },
  cross_site: {
    title: "This request came from another site",
    text: "The gateway only takes decisions from its own pages.",
    hint: START_AGAIN,
  },
  too_often: {
    title: "Too many requests",
    text: "They came from your network within a minute.",
    hint: "Wait a minute and reload this page.",
  },
  client_changed: {
    title: "The client has changed",
    text: "The client that asked is no longer registered as it was on the page.",
    hint: START_AGAIN,
  },
  device_unchecked: {
    title: "Compare the code first",
    text: "Access goes to whoever holds the device.",
    hint: "Go back, compare the code, and tick the box.",
  },
  shared_not_connected: {
    title: "Shared access is not set up yet",
    text: "An admin must connect shared Gong access once before clients can use it.",
    hint: "Ask your admin to choose Connect shared access in the gateway's set-up.",
  },
  too_many_approvals: {
    title: "Too many requests are waiting",
    text: "The list of requests for an admin is full.",
    hint: "Ask your admin to look at the waiting requests, then connect again.",
  },
  callback_malformed: {
    title: "Gong's answer can't be read",
    text: "The address of this page is not one that Gong's sign-in makes.",
    hint: START_AGAIN,
  },
  state_unknown: {
    title: "This sign-in is not known here",
    text: "The link is incomplete, too old, or was not made by this gateway.",
    hint: START_AGAIN,
  },
  expired: {
    title: "This sign-in took too long",
    text: "A sign-in must be finished within ten minutes.",
    hint: START_AGAIN,
  },
  busy: {
    title: "This sign-in is being finished",
    text: "The page was opened again, or a step has to be repeated.",
    hint: "Wait a few seconds. This page loads again by itself.",
  },
  used: {
    title: "This sign-in is already finished",
    text: "Each sign-in link works once.",
    hint: "If your client is not connected, go back to it and connect again.",
  },
  failed: {
    title: "The sign-in was interrupted",
    text: "The gateway could not finish this sign-in.",
    hint: START_AGAIN,
  },
  gong_unavailable: {
    title: "Gong is not available",
    text: "The gateway could not reach Gong's sign-in.",
    hint: "Wait a minute, go back to your client and connect again. What is connected stays connected.",
  },
  access_missing: {
    title: "Cloudflare Access is not in front of this page",
    text: "People come in through Cloudflare Access only, and this request did not. Nothing was changed.",
    hint: "Tell your admin: the Access application of ACCESS_AUD must cover the paths authorize, account, device and admin on this host name.",
  },
  access_refused: {
    title: "Cloudflare Access did not say who you are",
    text: "The token that Cloudflare Access added is not for this gateway, has expired, or names no person.",
    hint: "Sign out of Cloudflare Access and sign in again. If it stays, tell your admin to compare ACCESS_TEAM_DOMAIN and ACCESS_AUD with the Access application.",
  },
  access_unavailable: {
    title: "Cloudflare Access can't be checked right now",
    text: "The gateway could not read your team's public keys, so it lets nobody in.",
    hint: "Wait a minute and reload this page. If it stays, tell your admin to compare ACCESS_TEAM_DOMAIN with the team domain at Cloudflare.",
  },
  admin_sign_in_missing: {
    title: "Admin sign-in is not set up",
    text: "This gateway has neither an ADMIN_TOKEN nor admins who sign in through Cloudflare Access.",
    hint: "Set the secret ADMIN_TOKEN (at least 24 characters), or Cloudflare Access with ADMIN_EMAILS, and deploy again.",
  },
  admin_form_stale: {
    title: "This admin page is out of date",
    text: "Your admin session ended, or the page was opened before you signed in.",
    hint: "Sign in on the admin page and do it again. Nothing was changed.",
  },
  approval_gone: {
    title: "This request is no longer waiting",
    text: "It was decided already, or ten minutes have passed.",
    hint: BACK_TO_ADMIN,
  },
  agent_key_gone: {
    title: "This agent key has ended",
    text: "There is no such key, or somebody has revoked it already.",
    hint: BACK_TO_ADMIN,
  },
  client_gone: {
    title: "This client is not known",
    text: "Nothing is kept of it: it never tried, or it was deleted already.",
    hint: BACK_TO_ADMIN,
  },
  integration_unknown: {
    title: "This integration is not in the settings",
    text: "It was removed from the settings after the page was opened.",
    hint: BACK_TO_ADMIN,
  },
  connection_gone: {
    title: "This connection does not exist",
    text: "It may have been ended already.",
    hint: BACK_TO_ADMIN,
  },
  account_shared_only: {
    title: "There are no personal accounts here",
    text: "This gateway has shared access only: one connection for the whole company.",
    hint: "To see or stop an agent with shared access, ask your admin.",
  },
  account_not_yours: {
    title: "This connection is not yours",
    text: "It is not recorded with your e-mail address, or it no longer exists.",
    hint: "Open the account page and choose among your own, or sign in at Gong there.",
    action: TO_ACCOUNT,
  },
  account_unnamed: {
    title: "Gong did not say who you are",
    text: "Gong's answer names nobody, so the gateway can't tell which connection is yours. Nothing of this sign-in was kept. If your agents now ask you to sign in again, Gong has ended their older sign-in.",
    hint: "To stop an agent, disconnect it in the agent itself, or ask your admin to end its connection.",
  },
  account_denied: {
    title: "Gong did not let you in",
    text: "You or Gong refused the sign-in, so the gateway can't tell which connection is yours.",
    hint: "Open the account page and try again. Nothing was changed, and your agents go on as before.",
    action: TO_ACCOUNT,
  },
  account_failed: {
    title: "The sign-in at Gong did not work",
    text: "Gong refused, or did not answer as it should.",
    hint: "Wait a minute, open the account page and try again. If it goes on, tell an admin.",
    action: TO_ACCOUNT,
  },
  account_form_stale: {
    title: "This account page is out of date",
    text: "Your sign-in has ended, or you have signed in again since this page was opened.",
    hint: "Open the account page again. Nothing was changed.",
    action: TO_ACCOUNT,
  },
  agent_gone: {
    title: "This agent does not exist",
    text: "It may have been stopped already, or its access has run out.",
    hint: "Open the account page again and look at the current list.",
    action: TO_ACCOUNT,
  },
  machine_client_gone: {
    title: "This machine client has ended",
    text: "Somebody ended it already, or it was deleted.",
    hint: BACK_TO_ADMIN,
  },
} satisfies Record<string, ProblemText>;

/** A problem that has words. */
export type Problem = keyof typeof TEXTS;

/** The words for a problem. */
export const problemText = (problem: Problem): ProblemText => TEXTS[problem];
