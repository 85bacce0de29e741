// Good settings for tests that change one of them.

import { parseSettings } from "../../src/config.ts";
import { ConfigError } from "../../src/errors.ts";

/** Two sealing keys, made for tests and used nowhere else. */
export const KEY = "0MqKEktfR_DrAjCwS3RkujyEvFeAUiAl8i6-3RM_zfk";
export const OTHER_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";

export const GOOD = {
  PUBLIC_URL: "https://gateway.example",
  GONG_CLIENT_ID: "gong-client",
  GONG_CLIENT_SECRET: "gong-secret",
  SEALING_KEYS: `k1:${OTHER_KEY}`,
};

export const SHARED = {
  ...GOOD,
  GONG_SHARED_CLIENT_ID: "gong-shared",
  GONG_SHARED_CLIENT_SECRET: "gong-shared-secret",
  ADMIN_TOKEN: "admin-token-for-tests-1234",
};

/** Cloudflare Access, on. */
export const ACCESS = {
  ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com",
  ACCESS_AUD: "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2",
};

/** The problems of the good settings with `changes`; none when they are still good. */
export function problemsOf(changes: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    parseSettings({ ...GOOD, ...changes });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
