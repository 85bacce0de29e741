// What the checks of the set-up say: a title for each check, and for each thing one can find what it means and what to
// do. Called by admin-setup.tsx.

export interface FindingWords {
  readonly text: string;
  /** What to do; left out when there is nothing. */
  readonly hint?: string;
}

const TITLES = new Map<string, string>(
  Object.entries({
    settings: "The settings are filled in",
    keys: "The sealing keys are strong",
    address: "PUBLIC_URL is the address of this page",
    discovery: "Gong's sign-in can be found",
    client: "Gong accepts the client ID and the secret",
    sign_in: "Gong accepts the redirect URI, and a sign-in comes back",
    scopes: "Gong grants every scope",
    tools: "Gong lists its tools (this costs no credits)",
  }),
);

/** A check in words. One without words of its own is shown by its name. */
export const checkTitle = (name: string): string => TITLES.get(name) ?? name;

const SEAT: FindingWords = {
  text: "Gong says that this person may not use it. Its MCP server needs a paid seat; Collaborators have none.",
  hint: "Sign in at Gong as somebody with a paid seat. Everybody who connects an agent needs one.",
};

const ADDRESS: FindingWords = {
  text: "Something in front of Gong refuses the address that this gateway calls from.",
  hint: "At Gong, turn off the IP restriction of the integration: a Cloudflare Worker has no address of its own to allow.",
};

const LATER: FindingWords = {
  text: "Gong did not answer as it should, so this could not be checked.",
  hint: "Wait a minute and run the checks again. If it stays, look at status.gong.io.",
};

/** Words for a finding of any check. */
const FINDINGS = new Map<string, FindingWords>(
  Object.entries({
    not_run: { text: "Not checked yet." },
    well: { text: "All is well." },
    no_seat: SEAT,
    address_refused: ADDRESS,
    unavailable: LATER,
    not_understood: LATER,
    rate_limited: {
      text: "Gong asks for fewer requests, so this could not be checked.",
      hint: "Wait a few minutes.",
    },
    no_credits: {
      text: "Gong says that your company has no Gong credits left.",
      hint: "A Gong admin can buy credits. Until then agents can sign in, but every tool call will fail.",
    },
    forbidden: {
      text: "Gong refuses this person or this gateway, and does not say why.",
      hint: "Check at Gong that the person has a paid seat and that the integration has no IP restriction.",
    },
    client_refused: {
      text: "Gong does not know this client ID with this secret.",
      hint: "At Gong open the integration, More actions, View credentials, and compare both with the settings.",
    },
    failed: {
      text: "The gateway could not finish this.",
      hint: "Try again. If it stays, look at the Worker's log.",
    },
  }),
);

/** Words for a finding that mean something else, or only something, for one check. */
const OWN_FINDINGS = new Map<string, FindingWords>(
  Object.entries({
    "settings.example_values": {
      text: "These settings still have the text of the example:",
      hint: "Put in what Gong shows for the integration, and deploy again.",
    },
    "settings.weak_admin_token": {
      text: "ADMIN_TOKEN can be guessed, or stands in this project's own tests.",
      hint: "Make a random one, for example with openssl rand -base64 32, and deploy again.",
    },
    "keys.published_key": {
      text: "A key in SEALING_KEYS stands in this project's own tests, where everybody can read it:",
      hint: "Make a new key and put it first, check under Sealing keys, then remove the old one.",
    },
    "keys.patterned_key": {
      text: "A key in SEALING_KEYS follows a pattern, so it is not random:",
      hint: "Make a new key and put it first, check under Sealing keys, then remove the old one.",
    },
    "address.elsewhere": {
      text: "You see this page at another address than the one in PUBLIC_URL.",
      hint: "Set PUBLIC_URL to the address that everybody uses, deploy again, and register the new redirect URI at Gong.",
    },
    "address.loopback": {
      text: "All is well, for use on this computer only. Gong itself takes https addresses.",
    },
    "discovery.well": { text: "All is well. People sign in at:" },
    "discovery.moved": {
      text: "All is well. Gong has moved its sign-in since this version was made; the gateway follows it to:",
    },
    "discovery.published_used": {
      text: "Gong's description of its sign-in can't be read, so the gateway uses the addresses that Gong published before.",
      hint: "Nothing to do if the other checks are well. Run the checks again later.",
    },
    "discovery.not_understood": {
      text: "What GONG_MCP_URL answers does not describe a sign-in that the gateway can use.",
      hint: "Check GONG_MCP_URL. For Gong itself it is https://mcp.gong.io/mcp.",
    },
    "client.no_discovery": {
      text: "Could not be checked, because Gong's sign-in can't be found.",
      hint: "Mend that first.",
    },
    "sign_in.not_run": { text: "Not tried yet.", hint: "Press the button below and sign in at Gong." },
    "sign_in.at_gong": {
      text: "You went to Gong and have not come back.",
      hint: "If Gong showed an error page, the redirect URI there is not exactly the one above, or the client ID is wrong. Correct it and try again.",
    },
    "sign_in.denied": {
      text: "Gong did not grant access: Deny was pressed, or the person may not use Gong's MCP server.",
      hint: "Try again and choose Allow, as somebody with a paid Gong seat.",
    },
    "sign_in.code_refused": {
      text: "Gong sent you back, and then refused its own code, as it does for people without a paid seat.",
      hint: "Sign in again as somebody with a paid seat, and compare the redirect URI at Gong with the one above.",
    },
    "sign_in.scope_refused": {
      text: "The integration at Gong does not have every scope that the gateway asks for.",
      hint: "At Gong, edit the integration and choose all three scopes. Then try again.",
    },
    "sign_in.request_refused": {
      text: "Gong does not accept how the gateway asks for this integration.",
      hint: "At Gong its registration type must be manual. If it is not, make a new integration: the type can't be changed.",
    },
    "scopes.scopes_missing": {
      text: "Gong granted access without these scopes, so agents will miss the tools behind them:",
      hint: "At Gong, edit the integration and choose all three scopes. Then sign in again.",
    },
    "scopes.well": { text: "All is well:" },
    "scopes.not_said": { text: "Gong did not say which, so all that were asked for are granted:" },
    "scopes.not_run": { text: "The sign-in above will show it." },
    "scopes.sign_in_first": { text: "Could not be checked without a sign-in." },
    "tools.not_run": { text: "The sign-in above will show it." },
    "tools.sign_in_first": { text: "Could not be checked without a sign-in." },
    "tools.well": { text: "All is well. Agents will find:" },
    "tools.token_refused": {
      text: "Gong gave tokens, and its MCP server does not accept them.",
      hint: "Check at Gong that this is an MCP integration and not one of the REST API.",
    },
    "tools.no_tools": {
      text: "Gong's MCP server offers this person no tool.",
      hint: "Check the integration's scopes at Gong.",
    },
  }),
);

/** What a finding of a check means and what to do. One without words is shown by its name. */
export function findingInWords(check: string, reason: string): FindingWords {
  return OWN_FINDINGS.get(`${check}.${reason}`) ?? FINDINGS.get(reason) ?? { text: reason };
}
