import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { standInOnSockets } from "./test/gong/for-tests.ts";

/** Tests inside workerd, with the stand-in Gong as the only network. */
const insideWorkerd = () => ({
  define: { FAILPOINTS: "false" },
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          PUBLIC_URL: "https://gateway.test",
          GONG_MCP_URL: "https://mcp.gong.test/mcp",
          GONG_CLIENT_ID: "gong-client-personal",
          GONG_CLIENT_SECRET: "per:sonal+secret%/1",
          GONG_ACCESS: "personal",
          GONG_SHARED_CLIENT_ID: "gong-client-shared",
          GONG_SHARED_CLIENT_SECRET: "sha:red+secret%/1",
          SEALING_KEYS: "k1:SHzxbxWiepx3ED9375enhpKmnG0pRUXkvmeDUn0wEBg",
          ADMIN_TOKEN: "admin-token-for-tests-0123456789abcdef",
        },
        outboundService: { node: standInOnSockets },
      },
    }),
  ],
});

/** A machine that others keep busy takes ten times as long; a limit is for what would never end. */
const patience = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 20_000 } } };

/** Each file of these has a stand-in Gong, ports (test/support/free-port.ts) and folders of its own, and waits for much of
 * its time. */
const twoAtOnce = { maxWorkers: 2, sequence: { groupOrder: 1 } };

// Three projects: `unit` and `worker` run inside workerd, `node` runs in Node.js (real sockets, real clients, a real
// browser, and the stand-in's own contract).
export default defineConfig({
  test: {
    silent: "passed-only",
    projects: [
      {
        ...insideWorkerd(),
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.{ts,tsx}"],
          ...patience,
          fileParallelism: false,
          // Nothing is stored and Gong is not asked: one isolate for all files spares a minute of starts.
          isolate: false,
        },
      },
      {
        ...insideWorkerd(),
        test: {
          name: "worker",
          include: ["test/integration/**/*.test.ts"],
          ...patience,
          ...twoAtOnce,
        },
      },
      {
        test: {
          name: "node",
          include: ["test/gong/**/*.test.ts", "test/conformance/**/*.test.ts", "test/e2e/**/*.test.ts"],
          ...twoAtOnce,
          // The Worker is built once for all files.
          globalSetup: "test/support/build.ts",
          ...patience,
        },
      },
    ],
  },
});
