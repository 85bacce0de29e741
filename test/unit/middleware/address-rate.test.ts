// Which addresses count as one when registrations are limited.

import { describe, expect, it } from "vitest";
import { verifies } from "../../conformance/verifies.ts";
import { addressBlock } from "../../../src/middleware/address-rate.ts";

describe(verifies("registration.rate", "the block that an address belongs to"), () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002:0:0:0:1", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0::1", "2001:db8:0:0::/64"],
    ["2001::4:5:6:7:8", "2001:0:0:4::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["2001:db8:1:2:3:4:192.0.2.1", "2001:db8:1:2::/64"],
    ["::ffff:192.0.2.1", "0:0:0:0::/64"],
  ])("RFC 4291 §2.2, §2.5.4: %s is of %s", (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });
});
