// GET /health: what a machine, a stranger and an admin learn.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { verifies } from "../conformance/verifies.ts";
import { adminBrowser, adminPage } from "../support/admin.ts";
import { accessAt, tamper, type Connection } from "../support/connection.ts";
import { ask, connect } from "../support/flow.ts";
import { connectToGong } from "../support/gong-connection.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { gatewayWith } from "../support/settings.ts";

describe(
  verifies("operations.health", "gateway: /health says whether it can work, and never a value"),
  () => {
    it("answers with status and version, and tells a stranger nothing more", async () => {
      await connect();
      const response = await ask("/health");
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.json()).toEqual({
        status: "ok",
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      });
    });

    it("tells an admin how many connections are in which state, need somebody, and are sealed with which key", async () => {
      const admin = await adminBrowser();
      const response = await admin.open("/health");
      expect(await response.json()).toEqual({
        status: "ok",
        version: expect.any(String),
        connections: { connected: 1 },
        atRisk: 0,
        personSoon: 0,
        outOfCredits: { connections: 0, since: null },
        kids: { k1: 1 },
      });
    });

    it("RFC 9110 §9.3.2: answers HEAD with the same status and headers, as load balancers ask", async () => {
      const response = await ask("/health", { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.text()).toBe("");
      const broken = gatewayWith({ GONG_CLIENT_ID: "" });
      expect((await broken("/health", { method: "HEAD" })).status).toBe(503);
    });

    it("names an object that wrangler.toml does not bind, as after an upgrade that left it behind, and serves nothing", async () => {
      const app = createApp();
      const { ESCROWS: _, ...bindings } = env;
      for (const path of ["/health", "/mcp", "/"]) {
        const request = new Request(`https://gateway.test${path}`);
        const response = await app.fetch?.(request as never, bindings as Env, createExecutionContext());
        expect(response?.status).toBe(503);
        expect(await response?.json()).toMatchObject({ problems: ["ESCROWS is not bound in wrangler.toml"] });
      }
    });

    it("counts the connections of each state, as the admin's overview does", async () => {
      const known = async (): Promise<Connection> => {
        const { connection } = await connectToGong();
        const entry = { id: connection.name ?? "", integration: "main" } as const;
        await env.ADMIN.getByName("admin").recordConnection(entry, undefined);
        await tamper(connection, "UPDATE connection SET gong_expires_at = 0");
        return connection;
      };
      const [, dead, ended] = [await known(), await known(), await known()];
      await ended.disconnect("ended_by_admin");
      await gong.killTokens({ kind: "refresh" });
      expect(await accessAt(dead, "1")).toBe("needs_reconnect");
      const admin = await adminBrowser();
      const states = async (): Promise<unknown> => (await admin.open("/health")).json();
      await expect
        .poll(states)
        .toMatchObject({ connections: { connected: 2, needs_reconnect: 1, disconnected: 1 } });
      const overview = readText(await adminPage(admin));
      expect(overview).toContain("2 Connected");
      expect(overview).toContain("1 Needs to be connected again");
      expect(overview).toContain("1 Ended");
    });

    it("names every missing setting and no value, while every other route answers 503 with the same names", async () => {
      const broken = gatewayWith({ GONG_CLIENT_ID: "", SEALING_KEYS: "k1:too-short-a-value" });
      const health = await broken("/health");
      expect(health.status).toBe(503);
      const { problems } = (await health.json()) as { problems: readonly string[] };
      expect(problems.join(" ")).toContain("GONG_CLIENT_ID is missing");
      expect(problems.join(" ")).toContain("SEALING_KEYS");
      for (const path of [
        "/",
        "/mcp",
        "/authorize",
        "/token",
        "/register",
        "/admin",
        "/callback",
        "/nothing",
      ]) {
        const response = await broken(path);
        expect(response.status).toBe(503);
        const text = await response.text();
        expect(text).toContain("GONG_CLIENT_ID is missing");
        expect(text).not.toContain("too-short-a-value");
      }
    });
  },
);
