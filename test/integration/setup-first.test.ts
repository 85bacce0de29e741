// The first visit of an admin to a new deployment, on objects that nobody has used: /admin leads to the set-up.

import { beforeEach, describe, expect, it } from "vitest";
import { verifies } from "../conformance/verifies.ts";
import { ORIGIN } from "../support/flow.ts";
import { gong } from "../support/gong.ts";
import { readText } from "../support/html.ts";
import { connectAs } from "../support/mcp.ts";
import { SetupAdmin } from "../support/setup.ts";

/** One integration, with personal access. */
const ONE = { GONG_SHARED_CLIENT_ID: "", GONG_SHARED_CLIENT_SECRET: "" };

beforeEach(() => gong.reset());

describe(verifies("setup.first", "an admin of a new deployment"), () => {
  it("gateway: is led to the set-up until every check has passed, and then sees since when", async () => {
    const admin = await new SetupAdmin(ONE).signIn();
    const led = async (): Promise<string | number> => {
      const answer = await admin.browser.open("/admin");
      return answer.headers.get("location") ?? answer.status;
    };
    expect(await led()).toBe(`${ORIGIN}/admin/setup`);
    const first = readText(await admin.page());
    expect(first).toContain("8 of 8 checks have not passed");
    for (const click of ["Admin center", "Ecosystem", "MCP servers", "New MCP server integration"]) {
      expect(first).toContain(click);
    }
    expect(first.match(/Can't be changed later/g)).toHaveLength(2);
    expect(await admin.page()).toContain(`value="${ORIGIN}/callback"`);

    await admin.check();
    expect(readText(await admin.page())).toContain("3 of 8 checks have not passed");
    expect(await led()).toBe(`${ORIGIN}/admin/setup`);
    await admin.signInAtGong("main");
    const last = readText(await admin.page());
    expect(last).toContain("The set-up is well.");
    expect(last).toMatch(/the oldest \d+ \w+ \d{4}/);
    expect(await led()).toBe(200);

    // A check that fails later is shown, and does not hide the overview again.
    await gong.knobs({ refusedAddressAt: "token" });
    await admin.check();
    expect(readText(await admin.page())).toContain("1 of 8 checks have not passed");
    expect(await led()).toBe(200);
    const overview = async (): Promise<string> => readText(await (await admin.browser.open("/admin")).text());
    expect(await overview()).toContain("The checks of the set-up found 1 problem");
    await gong.reset();
    await admin.check();
    expect(await overview()).not.toContain("The checks of the set-up");
  });

  it("gateway: a deployment that somebody uses is not led there after its settings changed", async () => {
    const changed = { ...ONE, GONG_CLIENT_ID: "gong-client-new" };
    expect((await (await new SetupAdmin(changed).signIn()).browser.open("/admin")).status).toBe(303);
    await connectAs("ada");
    expect((await (await new SetupAdmin(changed).signIn()).browser.open("/admin")).status).toBe(200);
  });
});
