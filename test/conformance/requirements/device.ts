import type { Requirement } from "../requirement.ts";

export const device = {
  "device.begin": {
    source: "RFC 8628 §3.1, §3.2",
    behaviour:
      "An authenticated client of the device grant gets a device code and a user code, bounded in time and number.",
  },
  "device.room": {
    source: "RFC 8628 §5.1, gateway",
    behaviour:
      "Where the devices of one client fill its list, one of a network with fewer of them gets the place of the newest of the network with most.",
  },
  "device.user_code": {
    source: "RFC 8628 §5.1, §6.1",
    behaviour:
      "A user code is typed as people type, can't be guessed at a useful rate, and tells nothing when wrong.",
  },
  "device.consent": {
    source: "RFC 8628 §3.3, §5.4",
    behaviour:
      "A person sees who asks, from where and which code, and says that the device is theirs, before Gong is asked.",
  },
  "device.poll": {
    source: "RFC 8628 §3.4, §3.5",
    behaviour:
      "A device is told pending, slower, denied or expired, and gets tokens once, for its own client only.",
  },
  "device.real_client": {
    source: "RFC 8628",
    behaviour:
      "An unmodified client of the device grant signs in without a browser of its own and calls a tool.",
  },
} as const satisfies Record<string, Requirement>;
