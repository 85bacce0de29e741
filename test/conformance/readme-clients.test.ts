// The README's section on clients says what the front page says.

import { describe, expect, it } from "vitest";
import { clientsSection, readmeParts } from "../support/readme-clients.ts";
import { verifies } from "./verifies.ts";

describe(verifies("pages.readme_clients", "Connect your client, in the README"), () => {
  it("gateway: is the front page's own text (node test/support/readme-clients.ts writes it)", () => {
    expect(readmeParts()[1]).toBe(clientsSection());
  });
});
