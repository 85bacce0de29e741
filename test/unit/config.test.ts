// src/config.ts: every setting's default, bounds and refusals. Key rings and clients are in the two files beside it.

import { describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { parseConfig, parseSettings, type Config } from "../../src/config.ts";
import { ConfigError } from "../../src/errors.ts";
import { ACCESS, GOOD, problemsOf, SHARED } from "./settings.ts";

/** Each whole-number setting: its default, its bounds, and where the parsed value is, in the unit it is kept in. */
const NUMBERS = [
  ["ACCESS_CACHE_SECONDS", 10, 0, 60, "accessCacheSeconds", 1],
  ["ACCESS_TOKEN_SECONDS", 3600, 5, 86_400, "accessTokenSeconds", 1],
  ["REFRESH_TOKEN_DAYS", 30, 1, 365, "refreshTokenSeconds", 86_400],
  ["GRANT_DAYS", 180, 1, 730, "grantSeconds", 86_400],
  ["UNUSED_CLIENT_HOURS", 24, 1, 720, "unusedClientSeconds", 3600],
  ["REGISTRATION_LIMIT", 10_000, 1, 1_000_000, "registrationLimit", 1],
  ["MAX_BODY_BYTES", 1_048_576, 65_536, 16_777_216, "maxBodyBytes", 1],
  ["LEDGER_DAYS", 400, 30, 1100, "ledgerSeconds", 86_400],
] as const satisfies readonly (readonly [string, number, number, number, keyof Config, number])[];

describe(verifies("settings.complete", "settings that are complete"), () => {
  it("gateway: five settings are enough, and every other has its default", () => {
    const { preregisteredClients, sealingKeys, ...config } = parseSettings(GOOD);
    expect(config).toEqual({
      publicUrl: "https://gateway.example",
      resources: {
        origin: "https://gateway.example",
        main: "https://gateway.example/mcp",
        shared: undefined,
      },
      integrations: [
        {
          name: "main",
          access: "personal",
          clientId: "gong-client",
          clientSecret: GOOD.GONG_CLIENT_SECRET,
          mcpUrl: new URL("https://mcp.gong.io/mcp"),
          redirectUri: "https://gateway.example/callback",
          resource: "https://gateway.example/mcp",
        },
      ],
      adminToken: undefined,
      trustedIssuers: new Map(),
      clientPolicy: "open",
      allowedRedirectHosts: new Set(),
      allowedOrigins: new Set(),
      ...Object.fromEntries(NUMBERS.map(([, fallback, , , field, unit]) => [field, fallback * unit])),
    });
    expect([preregisteredClients.size, sealingKeys.length]).toEqual([0, 1]);
  });

  it("gateway: the second integration is the shared one, at the same Gong and with the same redirect URI", () => {
    const { integrations, resources } = parseSettings(SHARED);
    expect(integrations[1]).toEqual({
      ...integrations[0],
      name: "shared",
      access: "shared",
      clientId: "gong-shared",
      clientSecret: SHARED.GONG_SHARED_CLIENT_SECRET,
      resource: "https://gateway.example/shared/mcp",
    });
    expect(resources.shared).toBe("https://gateway.example/shared/mcp");
  });

  it.each(NUMBERS)(
    "gateway: %s is %i by default and may be %i to %i",
    (name, _, least, most, field, unit) => {
      expect(parseSettings({ ...GOOD, [name]: String(least) })[field]).toBe(least * unit);
      expect(parseSettings({ ...GOOD, [name]: most })[field]).toBe(most * unit);
      for (const value of [
        least - 1,
        most + 1,
        "1e3",
        "0x10",
        "10s",
        "1.5",
        "-0",
        "Infinity",
        "1".repeat(10),
      ]) {
        expect(problemsOf({ [name]: value })).toEqual([
          `${name} must be a whole number from ${least} to ${most}`,
        ]);
      }
    },
  );

  it("gateway: lists are separated by commas or white space", () => {
    const config = parseSettings({ ...GOOD, ALLOWED_REDIRECT_HOSTS: " a.test, b.test\nc.test,," });
    expect([...config.allowedRedirectHosts]).toEqual(["a.test", "b.test", "c.test"]);
    const { allowedOrigins } = parseSettings({ ...GOOD, ALLOWED_ORIGINS: "https://a.test https://b.test" });
    expect([...allowedOrigins]).toEqual(["https://a.test", "https://b.test"]);
  });

  it.each([
    ["https://gateway.example/", "https://gateway.example"],
    ["https://GATEWAY.example:443", "https://gateway.example"],
    ["http://localhost:8787", "http://localhost:8787"],
    ["http://127.0.0.1:8787", "http://127.0.0.1:8787"],
    ["http://[::1]:8787", "http://[::1]:8787"],
    [" https://gateway.example ", "https://gateway.example"],
  ])("RFC 8252 §8.3: PUBLIC_URL %j is the origin %s", (value, origin) => {
    expect(parseSettings({ ...GOOD, PUBLIC_URL: value }).publicUrl).toBe(origin);
  });

  it("gateway: the settings of a Worker are parsed once, and can't be changed afterwards", () => {
    const env = { ...GOOD };
    const config = parseConfig(env);
    expect(parseConfig(env)).toBe(config);
    expect(parseConfig({ ...GOOD })).not.toBe(config);
    expect(Object.isFrozen(config)).toBe(true);
  });
});

describe(verifies("settings.complete", "settings that are refused"), () => {
  it.each(["PUBLIC_URL", "GONG_CLIENT_ID", "GONG_CLIENT_SECRET", "SEALING_KEYS"])(
    "OWASP ASVS 13.1.1: %s missing, empty or blank is one problem",
    (name) => {
      for (const value of [undefined, null, "", "  ", "\n"]) {
        expect(problemsOf({ [name]: value })).toEqual([`${name} is missing`]);
      }
    },
  );

  it.each([
    "http://gateway.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "gateway.example",
    "//gateway.example",
    "ftp://gateway.example",
    "javascript:alert(1)",
    "https://",
  ])("RFC 9700 §2.6: the URL %s is refused for us and for Gong", (value) => {
    const text = "must be an https URL (http only on localhost)";
    expect(problemsOf({ PUBLIC_URL: value })).toEqual([`PUBLIC_URL ${text}`]);
    expect(problemsOf({ GONG_MCP_URL: value })).toEqual([`GONG_MCP_URL ${text}`]);
  });

  it.each(["https://user@x.test", "https://u:p@x.test", "https://x.test?a=1", "https://x.test#a"])(
    "gateway: %s has parts that no setting may have",
    (value) => {
      const text = "must have no user name, query or fragment";
      expect(problemsOf({ PUBLIC_URL: value })).toEqual([`PUBLIC_URL ${text}`]);
      expect(problemsOf({ GONG_MCP_URL: value })).toEqual([`GONG_MCP_URL ${text}`]);
    },
  );

  it("RFC 8414 §3: PUBLIC_URL with a path is refused, because clients look for us at the root", () => {
    expect(problemsOf({ PUBLIC_URL: "https://gateway.example/mcp" })).toEqual([
      "PUBLIC_URL must be an origin without a path",
    ]);
  });

  it.each([
    ["GONG_ACCESS", "everything", "GONG_ACCESS must be personal or shared"],
    ["GONG_ACCESS", "Personal", "GONG_ACCESS must be personal or shared"],
    ["CLIENT_POLICY", "closed", "CLIENT_POLICY must be open or listed"],
    ["ADMIN_TOKEN", "t".repeat(23), "ADMIN_TOKEN must have at least 24 characters"],
    ["CLIENTS", "{}", "CLIENTS: must be a JSON array of clients"],
    ["GONG_CLIENT_ID", { id: 1 }, "GONG_CLIENT_ID must be text"],
    ["ACCESS_CACHE_SECONDS", true, "ACCESS_CACHE_SECONDS must be text"],
  ])("gateway: %s = %j is refused", (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toContain(problem);
  });

  it("gateway: half of a shared integration is refused, and one that is the main one again", () => {
    const together = "GONG_SHARED_CLIENT_ID and GONG_SHARED_CLIENT_SECRET must be set together";
    expect(problemsOf({ GONG_SHARED_CLIENT_ID: "x" })).toEqual([together]);
    expect(problemsOf({ GONG_SHARED_CLIENT_SECRET: "x" })).toEqual([together]);
    expect(problemsOf({ ...SHARED, GONG_SHARED_CLIENT_ID: GOOD.GONG_CLIENT_ID })).toEqual([
      "GONG_SHARED_CLIENT_ID must differ from GONG_CLIENT_ID",
    ]);
  });

  it("gateway: shared access without an admin to approve it is refused", () => {
    const problem = "ADMIN_TOKEN, or Cloudflare Access with ADMIN_EMAILS, is required for shared access";
    expect(problemsOf({ GONG_ACCESS: "shared" })).toEqual([problem]);
    expect(problemsOf({ ...SHARED, ADMIN_TOKEN: undefined })).toEqual([problem]);
    expect(problemsOf({ ...SHARED, ADMIN_TOKEN: " " })).toEqual([problem]);
    expect(problemsOf({ GONG_ACCESS: "shared", ADMIN_TOKEN: "t".repeat(24) })).toEqual([]);
  });
});

describe(verifies("settings.no_values_told", "what a refusal says"), () => {
  it("OWASP ASVS 16.5.1: every problem is told at once, and none repeats a value", () => {
    const canary = "canary:7f3a90\n";
    const names = Object.keys({
      ...SHARED,
      ...ACCESS,
      ...Object.fromEntries(NUMBERS.map(([name]) => [name, 0])),
    });
    const extra = ["GONG_MCP_URL", "GONG_ACCESS", "CLIENT_POLICY", "CLIENTS", "ADMIN_TOKEN"];
    const settings = Object.fromEntries([...names, ...extra].map((name) => [name, canary]));
    let refused: unknown;
    try {
      parseSettings(settings);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(ConfigError);
    expect(`${String(refused)} ${JSON.stringify(refused)}`).not.toContain("canary");
    const told =
      refused instanceof ConfigError ? refused.problems.map((problem) => problem.split(/[ :]/)[0]) : [];
    const free = ["GONG_CLIENT_ID", "GONG_CLIENT_SECRET", "GONG_SHARED_CLIENT_SECRET"];
    expect(new Set(told)).toEqual(new Set([...names, ...extra].filter((name) => !free.includes(name))));
  });

  it("gateway: no settings at all are four problems", () => {
    expect(() => parseSettings({})).toThrow(
      "Configuration problems: PUBLIC_URL is missing; GONG_CLIENT_ID is missing; " +
        "GONG_CLIENT_SECRET is missing; SEALING_KEYS is missing",
    );
  });
});
