// src/pages/doctor-text.ts: the words for why a step of a client failed.
import { describe, expect, test } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { failureInWords } from "../../../src/pages/doctor-text.ts";

describe(verifies("doctor.trace", "the words for a failed step"), () => {
  test.each([
    ["shared_not_connected", "Shared access is not connected."],
    ["shared_resource", "It asked for the other of the two addresses."],
    ["personal_resource", "It asked for the other of the two addresses."],
    ["assertion_audience", "Its signed assertion was refused."],
    ["identity_assertion_expired", "Its issuer's assertion about a person was refused."],
    ["issuer_keys_unreachable", "Its issuer's assertion about a person was refused."],
    ["person_not_connected", "The person of the assertion has no connection here."],
    ["client_ended", "Somebody ended this client here."],
    ["client_gone", "Its client id is not known here: the registration has expired or was deleted."],
    ["address_rate", "Too many requests came at once."],
    ["devices_full", "Too many requests came at once."],
    ["temporarily_unavailable", "The gateway failed, or one of its objects did."],
    ["sign_in_ended", "The sign-in broke off between the pages."],
  ])("gateway: %s is told by its own words, not by those of a longer list", (reason, text) => {
    expect(failureInWords(reason).text).toBe(text);
  });

  test("gateway: a reason without words is shown by its name, and leads to the log", () => {
    expect(failureInWords("never_heard")).toEqual({
      text: "never_heard",
      advice: "Look for the request in the log.",
    });
  });
});
