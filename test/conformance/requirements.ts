// Every requirement the gateway is tested against, by id. coverage.test.ts fails for a requirement that no test cites
// and for a test that cites nothing.

import { account } from "./requirements/account.ts";
import { agentKeys } from "./requirements/agent-keys.ts";
import { adminLists } from "./requirements/admin-lists.ts";
import { access } from "./requirements/access.ts";
import { authorizationServer } from "./requirements/authorization-server.ts";
import { device } from "./requirements/device.ts";
import { gong } from "./requirements/gong.ts";
import { machine } from "./requirements/machine.ts";
import { operations } from "./requirements/operations.ts";
import { pages } from "./requirements/pages.ts";
import { paid } from "./requirements/paid.ts";
import { policy } from "./requirements/policy.ts";
import { proxy } from "./requirements/proxy.ts";
import { resourceServer } from "./requirements/resource-server.ts";
import { signIn } from "./requirements/sign-in.ts";
import { spend } from "./requirements/spend.ts";
import { storage } from "./requirements/storage.ts";

export const REQUIREMENTS = {
  ...account,
  ...agentKeys,
  ...adminLists,
  ...authorizationServer,
  ...signIn,
  ...resourceServer,
  ...proxy,
  ...paid,
  ...policy,
  ...machine,
  ...device,
  ...gong,
  ...spend,
  ...storage,
  ...pages,
  ...operations,
  ...access,
};

export type RequirementId = keyof typeof REQUIREMENTS;
