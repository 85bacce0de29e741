// Steps of the device grant inside workerd: a device that asks and polls, and the person who enters its code. RFC 8628.

import {
  agreeAtGong,
  ask,
  askToken,
  leadsTo,
  register,
  RESOURCE,
  sealedRequest,
  TestBrowser,
} from "./flow.ts";

export const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** Where the device of these tests is, and where its person is. */
export const DEVICE_PLACE = { "cf-connecting-ip": "198.51.100.20", "cf-ipcountry": "DE" };

export interface Device {
  readonly clientId: string;
  readonly deviceCode: string;
  readonly userCode: string;
}

/** A client that registers as terminals do: no redirect URI, no browser. */
export function registerDevice(metadata: Record<string, unknown> = {}) {
  return register({ redirect_uris: [], grant_types: [DEVICE_CODE_GRANT, "refresh_token"], ...metadata });
}

/** One request to the device authorization endpoint. */
export function askDevice(
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return ask("/device_authorization", {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { ...DEVICE_PLACE, ...headers },
  });
}

/** A device that shows its code and begins to poll. */
export async function beginDevice(fields: Record<string, string> = {}): Promise<Device> {
  const { client_id: clientId } = await registerDevice();
  const response = await askDevice({ client_id: clientId, resource: RESOURCE, ...fields });
  if (response.status !== 200)
    throw new Error(`The device authorization endpoint answered ${response.status}`);
  const body: { device_code: string; user_code: string } = await response.json();
  return { clientId, deviceCode: body.device_code, userCode: body.user_code };
}

/** One poll. */
export function poll(device: Device, changes: Record<string, string> = {}): Promise<Response> {
  return askToken({
    grant_type: DEVICE_CODE_GRANT,
    client_id: device.clientId,
    device_code: device.deviceCode,
    ...changes,
  });
}

/** The person enters a code; returns the answer: the consent page, or the form again. */
export async function enterCode(
  browser: TestBrowser,
  userCode: string,
  headers: Record<string, string> = DEVICE_PLACE,
): Promise<Response> {
  await browser.open("/device");
  return browser.post("/device", { user_code: userCode }, headers);
}

/** The person decides about the device on the consent page `html`. */
export function decideDevice(
  browser: TestBrowser,
  html: string,
  fields: Record<string, string> = { decision: "approve", device_checked: "yes" },
): Promise<Response> {
  return browser.post("/authorize", { request: sealedRequest(html), ...fields });
}

/** Code, consent, Gong and back; returns where the browser ends. */
export async function approveDevice(device: Device, browser = new TestBrowser()): Promise<URL> {
  const page = await enterCode(browser, device.userCode);
  const answer = await decideDevice(browser, await page.text());
  const back = await browser.open(await agreeAtGong(leadsTo(await answer.text())));
  const location = back.headers.get("location");
  if (location === null) throw new Error(`The callback answered ${back.status} without a redirect`);
  return new URL(location);
}
