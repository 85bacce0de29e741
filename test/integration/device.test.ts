// The device grant from a terminal's first request to its tool call, with the person's part in a browser. RFC 8628.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import {
  approveDevice,
  askDevice,
  beginDevice,
  decideDevice,
  DEVICE_CODE_GRANT,
  enterCode,
  poll,
  registerDevice,
  type Device,
} from "../support/device.ts";
import { everythingStored, rowsOf } from "../support/evidence.ts";
import {
  agreeAtGong,
  ask,
  ASK_ACCOUNT,
  askToken,
  call,
  leadsTo,
  ORIGIN,
  PKCE,
  register,
  RESOURCE,
  TestBrowser,
  type Tokens,
} from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { expectOAuthError, expectRefusalPage } from "../support/refusals.ts";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await gong.reset();
});
afterEach(() => {
  vi.useRealTimers();
});

let made = 0;

/** A device that waits in this shard. */
function beginIn(shard: number, network: string, clientId: string): Promise<string> {
  made += 1;
  return env.REGISTRY.getByName(`shard-${shard}`).beginDevice({
    deviceCodeHash: `device ${made}`,
    userCodeHash: `user ${made}`,
    clientId,
    resource: RESOURCE,
    scope: "mcp:ai-ask:read",
    askedFrom: network,
    network,
  });
}

/** Moves the clock on, as far as the next poll of a device that keeps the interval. */
function wait(seconds = 6): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

async function tokensOf(response: Response): Promise<Tokens> {
  expect(response.status).toBe(200);
  return response.json();
}

describe(verifies("device.begin", "the device asks"), () => {
  it("RFC 8628 §3.2: the answer has exactly the fields of the RFC, without a link that carries the code", async () => {
    const { client_id: clientId } = await registerDevice();
    const response = await askDevice({ client_id: clientId, resource: RESOURCE });
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      device_code: expect.stringMatching(/^gdc_[A-Za-z0-9_-]{124}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${ORIGIN}/device`,
      expires_in: 900,
      interval: 5,
    });
  });

  it("RFC 7591 §2: a client of the device grant alone registers without a redirect URI or a response type", async () => {
    const registered = await registerDevice();
    expect(registered).toMatchObject({
      redirect_uris: [],
      grant_types: ["refresh_token", DEVICE_CODE_GRANT],
      response_types: [],
    });
  });

  it("RFC 7591 §3.2.2: with authorization_code it needs a redirect URI", async () => {
    const response = await ask("/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ redirect_uris: [], grant_types: [DEVICE_CODE_GRANT, "authorization_code"] }),
    });
    await expectOAuthError(response, "invalid_redirect_uri");
  });

  it("RFC 8628 §3.1: a client that did not register for the grant is refused", async () => {
    const { client_id: clientId } = await register();
    await expectOAuthError(await askDevice({ client_id: clientId }), "unauthorized_client");
  });

  it("RFC 8628 §3.1: an unknown client and a wrong secret are refused like at the token endpoint", async () => {
    await expectOAuthError(
      await askDevice({ client_id: "gcl_AAAAAAAAAAAAAAAAAAAAAA" }),
      "invalid_client",
      401,
    );
    const confidential = await registerDevice({ token_endpoint_auth_method: "client_secret_post" });
    const { client_id: clientId, client_secret: secret = "" } = confidential;
    const good = await askDevice({ client_id: clientId, client_secret: secret });
    expect(good.status).toBe(200);
    const bad = await askDevice({ client_id: clientId, client_secret: `${secret}x` });
    await expectOAuthError(bad, "invalid_client", 401);
  });

  it("RFC 8707 §2, RFC 6749 §3.3: a foreign resource and an unknown scope are refused", async () => {
    const { client_id: clientId } = await registerDevice();
    const foreign = await askDevice({ client_id: clientId, resource: "https://other.test/mcp" });
    await expectOAuthError(foreign, "invalid_target");
    await expectOAuthError(await askDevice({ client_id: clientId, scope: "mcp:all" }), "invalid_scope");
  });

  it("gateway: one client can't fill the place of all others", async () => {
    const { client_id: flooder } = await registerDevice();
    const shards = Array.from({ length: 16 }, (_, at) => at);
    await Promise.all(
      shards.map(async (shard) => {
        for (let at = 0; at < 50; at += 1)
          expect(await beginIn(shard, "192.0.2.0/24", flooder)).toBe("begun");
      }),
    );
    const refused = await askDevice({ client_id: flooder }, { "cf-connecting-ip": "192.0.2.9" });
    await expectOAuthError(refused, "temporarily_unavailable", 503);
    expect(await beginDevice()).toMatchObject({ deviceCode: expect.stringMatching(/^gdc_/) });
  });
});

describe(verifies("device.room", "many devices in the name of one client"), () => {
  it("RFC 8628 §5.1: those of one network keep nobody else's out, and push out only their own", async () => {
    const begin = (network: string, clientId = "popular") => beginIn(3, network, clientId);
    const networks = async (): Promise<readonly unknown[]> =>
      (await rowsOf("REGISTRY", "device_authorizations"))
        .filter((row) => row["client_id"] === "popular")
        .map((row) => row["network"]);
    expect(await begin("patient")).toBe("begun");
    for (let at = 1; at < 50; at += 1) expect(await begin("flood")).toBe("begun");
    expect(await begin("flood")).toBe("full");
    expect(await begin("newcomer")).toBe("begun");
    expect(await begin("newcomer")).toBe("begun");
    const left = await networks();
    expect(left).toHaveLength(50);
    expect(left.filter((network) => network === "flood")).toHaveLength(47);
    expect(left).toEqual(expect.arrayContaining(["patient", "newcomer"]));
    // Another client has a list of its own.
    expect(await begin("flood", "other")).toBe("begun");
  });

  it("RFC 8628 §5.1: denials, which anybody can cause, keep nobody out; what was approved stays", async () => {
    const shard = env.REGISTRY.getByName("shard-4");
    const begin = (network: string) => beginIn(4, network, "denied");
    const settle = (grant?: { readonly connectionId: string; readonly grantId: string }) =>
      shard.settleDevice(`user ${made}`, grant);
    for (let at = 0; at < 50; at += 1) {
      expect(await begin("flood")).toBe("begun");
      expect(await settle(at < 2 ? { connectionId: "connection", grantId: `grant ${at}` } : undefined)).toBe(
        true,
      );
    }
    expect(await begin("newcomer")).toBe("begun");
    const kept = (await rowsOf("REGISTRY", "device_authorizations")).filter(
      (row) => row["client_id"] === "denied",
    );
    const withStatus = (status: string) => kept.filter((row) => row["status"] === status);
    expect(withStatus("waiting")).toMatchObject([{ network: "newcomer" }]);
    expect(withStatus("approved")).toMatchObject([{ grant_id: "grant 0" }, { grant_id: "grant 1" }]);
    expect(withStatus("denied")).toHaveLength(47);
  });

  it("gateway: the network is that of the device's address", async () => {
    const { clientId } = await beginDevice();
    const rows = await rowsOf("REGISTRY", "device_authorizations");
    expect(rows.filter((row) => row["client_id"] === clientId)).toEqual([
      expect.objectContaining({ network: "198.51.100.0/24" }),
    ]);
  });
});

describe(verifies("device.user_code", "the code"), () => {
  it("RFC 8628 §5.1: a wrong code tells nothing and stores nothing, and many of them have to wait", async () => {
    const browser = new TestBrowser();
    const place = { "cf-connecting-ip": "203.0.113.50" };
    const answers: number[] = [];
    for (let n = 0; n < 7; n += 1) answers.push((await enterCode(browser, "BBBB-BBBB", place)).status);
    expect(answers).toEqual([400, 400, 400, 400, 400, 429, 429]);
    const { userCode } = await beginDevice();
    const late = await enterCode(browser, userCode, place);
    expect(late.status).toBe(429);
    expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
    // Another address is not held up.
    expect((await enterCode(new TestBrowser(), userCode)).status).toBe(200);
  });

  it("RFC 4291 §2.5.4: guesses from one IPv6 /64 are counted together", async () => {
    const guess = async (address: string): Promise<number> =>
      (await enterCode(new TestBrowser(), "BBBB-BBBB", { "cf-connecting-ip": address })).status;
    for (let n = 1; n <= 5; n += 1) expect(await guess(`2001:db8:0:1::${n}`)).toBe(400);
    expect(await guess("2001:db8:0:1::6")).toBe(429);
    expect(await guess("2001:db8:0:2::1")).toBe(400);
  });

  it("RFC 8628 §5.1: a right code is no try, and buys no further guesses", async () => {
    const place = { "cf-connecting-ip": "203.0.113.51" };
    const browser = new TestBrowser();
    const { userCode } = await beginDevice();
    const guess = async (): Promise<number> => (await enterCode(browser, "BBBB-BBBB", place)).status;
    for (let n = 0; n < 4; n += 1) expect(await guess()).toBe(400);
    for (let n = 0; n < 3; n += 1) expect((await enterCode(browser, userCode, place)).status).toBe(200);
    expect(await guess()).toBe(400);
    expect(await guess()).toBe(429);
  });

  it("RFC 8628 §3.2: a code is good for fifteen minutes and not a second more", async () => {
    const { userCode } = await beginDevice();
    wait(899);
    expect((await enterCode(new TestBrowser(), userCode)).status).toBe(200);
    wait(1);
    expect((await enterCode(new TestBrowser(), userCode)).status).toBe(400);
  });

  it("RFC 6749 §10.12: another site can't enter a code in a person's browser", async () => {
    const { userCode } = await beginDevice();
    const browser = new TestBrowser();
    await browser.open("/device");
    const answer = await browser.post(
      "/device",
      { user_code: userCode },
      { origin: "https://evil.test", "sec-fetch-site": "cross-site" },
    );
    expect(await expectRefusalPage(answer, 403)).toContain("another site");
  });

  it("gateway: neither code is stored or logged as it is", async () => {
    const lines: string[] = [];
    for (const level of ["info", "warn", "error"] as const) {
      vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(line));
    }
    const device = await beginDevice();
    await approveDevice(device);
    wait();
    await tokensOf(await poll(device));
    const seen = (await everythingStored()) + lines.join("\n");
    expect(seen).toContain(device.clientId);
    for (const code of [device.deviceCode, device.userCode, device.userCode.replace("-", "")]) {
      expect(seen).not.toContain(code);
    }
    vi.restoreAllMocks();
  });
});

describe(verifies("device.consent", "the person decides"), () => {
  it("RFC 8628 §5.4: the page shows the code, where the request came from, and that it is not this network", async () => {
    const { userCode } = await beginDevice();
    const own = readText(await (await enterCode(new TestBrowser(), userCode)).text());
    expect(own).toContain(userCode);
    expect(own).toContain("198.51.100.20, Germany");
    expect(own).toContain("Your own network");
    const elsewhere = { "cf-connecting-ip": "203.0.113.9", "cf-ipcountry": "FR" };
    const other = readText(await (await enterCode(new TestBrowser(), userCode, elsewhere)).text());
    expect(other).toContain("198.51.100.20, Germany");
    expect(other).toContain("Not your network");
  });

  it("RFC 8628 §5.4: approving without saying that the device is one's own goes nowhere", async () => {
    const device = await beginDevice();
    const browser = new TestBrowser();
    const page = await (await enterCode(browser, device.userCode)).text();
    const before = await rowsOf("TRANSACTIONS", "transaction_record");
    const unchecked = await decideDevice(browser, page, { decision: "approve" });
    expect(await expectRefusalPage(unchecked)).toContain("Compare the code first");
    expect(await rowsOf("TRANSACTIONS", "transaction_record")).toEqual(before);
    const checked = await decideDevice(browser, page);
    expect(leadsTo(await checked.text()).origin).toBe("https://app.gong.test");
  });

  it("RFC 8628 §3.5: a denial ends on a page of ours, and the device hears of it", async () => {
    const device = await beginDevice();
    const browser = new TestBrowser();
    const page = await (await enterCode(browser, device.userCode)).text();
    const answer = await decideDevice(browser, page, { decision: "deny" });
    expect(leadsTo(await answer.text()).href).toBe(`${ORIGIN}/device/done?end=denied`);
    await expectOAuthError(await poll(device), "access_denied", 403);
    expect((await enterCode(new TestBrowser(), device.userCode)).status).toBe(400);
  });

  it("gateway: the form is bound to the browser that entered the code", async () => {
    const device = await beginDevice();
    const page = await (await enterCode(new TestBrowser(), device.userCode)).text();
    const other = new TestBrowser();
    await other.open("/device");
    expect(await expectRefusalPage(await decideDevice(other, page), 403)).toContain("another browser");
  });

  it("gateway: when Gong can't finish, the code works again", async () => {
    const device = await beginDevice();
    const browser = new TestBrowser();
    const page = await (await enterCode(browser, device.userCode)).text();
    const gongUrl = leadsTo(await (await decideDevice(browser, page)).text());
    const callback = await agreeAtGong(gongUrl);
    await gong.fault({ endpoint: "token", fault: { kind: "status", status: 503 } });
    const ended = await browser.open(callback);
    expect(ended.headers.get("location")).toBe(`${ORIGIN}/device/done?end=failed`);
    await expectOAuthError(await poll(device), "authorization_pending");
    await gong.clearFaults();
    wait();
    expect((await approveDevice(device)).searchParams.get("end")).toBe("connected");
  });

  it("gateway: two people approve one device; the first one's grant is its, the second one's is ended", async () => {
    const device = await beginDevice();
    const [first, second] = [new TestBrowser(), new TestBrowser()];
    const urls: URL[] = [];
    for (const browser of [first, second]) {
      const page = await (await enterCode(browser, device.userCode)).text();
      urls.push(leadsTo(await (await decideDevice(browser, page)).text()));
    }
    const ends: (string | null)[] = [];
    for (const [at, browser] of [first, second].entries()) {
      const url = urls[at];
      if (url === undefined) throw new Error("No URL");
      ends.push((await browser.open(await agreeAtGong(url))).headers.get("location"));
    }
    expect(ends).toEqual([`${ORIGIN}/device/done?end=connected`, `${ORIGIN}/device/done?end=late`]);
    wait();
    const tokens = await tokensOf(await poll(device));
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    const grants = await rowsOf("CONNECTIONS", "grants");
    const ofDevice = grants.filter((grant) => grant["client_id"] === device.clientId);
    expect(new Set(ofDevice.map((grant) => grant["revoked_reason"]))).toEqual(new Set([null, "device_gone"]));
  });

  it.each(["connected", "denied", "late", "failed"])(
    "RFC 8628 §3.3: the page %s says what to do next",
    async (end) => {
      const page = await ask(`/device/done?end=${end}`);
      expect(page.status).toBe(200);
      expect(readText(await page.text())).toMatch(/device|code/);
    },
  );

  it("gateway: an end that there is not is a page that says so", async () => {
    await expectRefusalPage(await ask("/device/done?end=toString"));
  });
});

describe(verifies("device.poll", "the device polls"), () => {
  it("RFC 8628 §3.5: pending until a person approved, then tokens that call a tool and refresh", async () => {
    const device = await beginDevice();
    await expectOAuthError(await poll(device), "authorization_pending");
    expect((await approveDevice(device)).href).toBe(`${ORIGIN}/device/done?end=connected`);
    wait();
    const tokens = await tokensOf(await poll(device));
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
    const refreshed = await askToken({
      grant_type: "refresh_token",
      client_id: device.clientId,
      refresh_token: tokens.refresh_token,
    });
    expect((await tokensOf(refreshed)).access_token).not.toBe(tokens.access_token);
  });

  it("RFC 8628 §3.5: a poll before its time is told to slow down, and the interval grows by five seconds", async () => {
    const device = await beginDevice();
    await expectOAuthError(await poll(device), "authorization_pending");
    wait(3);
    await expectOAuthError(await poll(device), "slow_down");
    wait(6);
    await expectOAuthError(await poll(device), "slow_down");
    wait(15);
    await expectOAuthError(await poll(device), "authorization_pending");
  });

  it("RFC 8628 §3.5: after fifteen minutes the code has expired", async () => {
    const device = await beginDevice();
    wait(899);
    await expectOAuthError(await poll(device), "authorization_pending");
    wait(1);
    await expectOAuthError(await poll(device), "expired_token");
  });

  it("RFC 8628 §3.4: another client can't poll with the code", async () => {
    const device = await beginDevice();
    await approveDevice(device);
    const { client_id: thief } = await registerDevice();
    await expectOAuthError(await poll({ ...device, clientId: thief }), "expired_token");
    wait();
    await tokensOf(await poll(device));
  });

  it("RFC 6749 §5.2: a code that this gateway did not make reaches no object", async () => {
    const device = await beginDevice();
    const last = device.deviceCode.at(-1) === "A" ? "B" : "A";
    const forged = device.deviceCode.slice(0, -1) + last;
    await expectOAuthError(await poll({ ...device, deviceCode: forged }), "invalid_grant");
    await expectOAuthError(await poll({ ...device, deviceCode: "gdc_x" }), "invalid_grant");
  });

  it("RFC 6749 §4.1.3: a device code is no authorization code, and the other way round", async () => {
    const device = await beginDevice();
    const asCode = await askToken({
      grant_type: "authorization_code",
      client_id: device.clientId,
      code: device.deviceCode,
      code_verifier: PKCE.verifier,
    });
    await expectOAuthError(asCode, "unauthorized_client");
    const { client_id: both } = await register({
      grant_types: ["authorization_code", DEVICE_CODE_GRANT, "refresh_token"],
    });
    const forBoth = await askDevice({ client_id: both });
    const { device_code: deviceCode }: { device_code: string } = await forBoth.json();
    const confused = await askToken({
      grant_type: "authorization_code",
      client_id: both,
      code: deviceCode,
      code_verifier: PKCE.verifier,
    });
    await expectOAuthError(confused, "invalid_grant");
  });

  it("RFC 8628 §3.5: fifty polls at once after the approval get tokens once, and those keep working", async () => {
    const device = await beginDevice();
    await approveDevice(device);
    wait();
    const answers = await Promise.all(Array.from({ length: 50 }, () => poll(device)));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    const [winner] = winners;
    if (winner === undefined) throw new Error("Nobody won");
    const tokens = await tokensOf(winner);
    expect((await call(tokens.access_token, ASK_ACCOUNT)).status).toBe(200);
  });

  it("RFC 8707 §2.2: another resource than the one asked for is refused and spends nothing", async () => {
    const device: Device = await beginDevice();
    await approveDevice(device);
    wait();
    const wrong = await poll(device, { resource: `${ORIGIN}/shared/mcp` });
    await expectOAuthError(wrong, "invalid_target");
    wait();
    await tokensOf(await poll(device, { resource: RESOURCE }));
  });
});
