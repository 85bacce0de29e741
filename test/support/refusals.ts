// What every refusal in the browser has in common, so that each test adds only what is special about its own.

import { expect } from "vitest";
import { readText } from "./html.ts";

/** Expects a page of ours that redirects nowhere and sets nothing (RFC 6749 §4.1.2.1); returns what it says. */
export async function expectRefusalPage(response: Response, status = 400): Promise<string> {
  const text = readText(await response.text());
  expect([response.status, text]).toEqual([status, text]);
  expect(response.headers.get("content-type")).toContain("text/html");
  expect(response.headers.get("location")).toBeNull();
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return text;
}

/** Expects an OAuth error as JSON (RFC 6749 §5.2) that nobody may cache; returns its description. */
export async function expectOAuthError(response: Response, error: string, status = 400): Promise<string> {
  const body: Record<string, unknown> = await response.json();
  expect(body).toMatchObject({ error });
  expect(response.status).toBe(status);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("content-type")).toMatch(/^application\/json\b/);
  expect(Object.keys(body).sort()).toEqual(["error", "error_description"]);
  return String(body["error_description"]);
}
