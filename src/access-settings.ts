// The settings of Cloudflare Access and of the people it makes admins. Called by config.ts only: problems are reported
// by name, never by value.

import { isLoopbackHttp } from "./oauth/loopback.ts";

/** Cloudflare Access in front of the pages for people and admins. */
export interface AccessConfig {
  /** The team's origin: `iss` of its tokens, and where its keys are. */
  readonly issuer: string;
  /** The AUD tags of the Access applications in front of this gateway. */
  readonly audiences: readonly string[];
  /** E-mail addresses in lower case. Passing Access makes nobody an admin; being on this list as well does. */
  readonly adminEmails: ReadonlySet<string>;
}

/** The three settings as they were given. */
export interface AccessSettings {
  readonly teamDomain: string | undefined;
  readonly audiences: readonly string[];
  readonly adminEmails: readonly string[];
}

/** Reads the settings, or undefined while Access is off. Notes what is wrong in `problems`. */
export function parseAccess(settings: AccessSettings, problems: string[]): AccessConfig | undefined {
  const { teamDomain, audiences, adminEmails } = settings;
  if (teamDomain === undefined && audiences.length === 0) {
    // A list of admins that nothing checks would look like a protection and be none.
    if (adminEmails.length > 0) problems.push("ADMIN_EMAILS needs ACCESS_TEAM_DOMAIN and ACCESS_AUD");
    return undefined;
  }
  if (teamDomain === undefined || audiences.length === 0) {
    problems.push("ACCESS_TEAM_DOMAIN and ACCESS_AUD must be set together");
    return undefined;
  }
  if (!audiences.every((audience) => /^[0-9a-f]{64}$/.test(audience))) {
    problems.push("ACCESS_AUD must be the 64 hexadecimal characters that Cloudflare shows as AUD tag");
  }
  if (!adminEmails.every((email) => /^[^\s@,]{1,64}@[^\s@,]{1,255}$/u.test(email))) {
    problems.push("ADMIN_EMAILS must be e-mail addresses, separated by commas or spaces");
  }
  return {
    issuer: teamOrigin(teamDomain, problems),
    audiences,
    adminEmails: new Set(adminEmails.map(lowerCaseEmail)),
  };
}

/**
 * The form in which addresses are compared. Only A to Z: case folding of all of Unicode would make one address of two,
 * such as the Kelvin sign's and k's.
 */
export function lowerCaseEmail(email: string): string {
  return email.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A host name, or an origin: https, or http on loopback for local runs (RFC 8252 §8.3). */
function teamOrigin(value: string, problems: string[]): string {
  const url = URL.parse(value.includes("://") ? value : `https://${value}`);
  const isSafe = url !== null && (url.protocol === "https:" || isLoopbackHttp(url));
  if (isSafe && url.href === `${url.origin}/`) return url.origin;
  problems.push("ACCESS_TEAM_DOMAIN must be a host name such as team.cloudflareaccess.com");
  return "https://unset.invalid";
}
