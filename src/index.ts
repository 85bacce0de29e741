// The Worker: the app, and the Durable Object classes that wrangler.toml binds.

import { createApp } from "./app.ts";

export { AdminObject } from "./storage/admin-object.ts";
export { ConnectionObject } from "./storage/connection-object.ts";
export { EscrowObject } from "./storage/escrow-object.ts";
export { RegistryObject } from "./storage/registry-object.ts";
export { TransactionObject } from "./storage/transaction-object.ts";

export default createApp();
