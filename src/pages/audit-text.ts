// The words for what the audit names. An action without words of its own is shown by its name.

const ACTIONS = new Map<string, string>([
  ["session.opened", "Admin signed in"],
  ["session.refused", "Admin sign-in refused"],
  ["sessions.ended", "All admin sessions ended"],
  ["shared.connected", "Shared access connected"],
  ["approval.approved", "Request for shared access approved"],
  ["approval.denied", "Request for shared access denied"],
  ["consent.approved", "A person approved a client"],
  ["consent.denied", "A person denied a client"],
  ["connection.ended", "Connection ended"],
  ["ledger.erased", "Ledger erased"],
  ["call.read", "Arguments of a call read"],
  ["agent.ended", "Agent ended"],
  ["agent_key.created", "Agent key created"],
  ["agent_key.revoked", "Agent key ended"],
  ["agent_key.not_created", "Agent key not created"],
  ["machine_client.created", "Machine client created"],
  ["machine_client.ended", "Machine client ended"],
  ["connection.used", "A person connected"],
  ["setup.checked", "Set-up checked"],
  ["tool.held_back", "Tool held back"],
  ["tool.held", "Tool held back by an admin"],
  ["tool.approved", "Tool approved"],
  ["agents.ended", "All agents of a connection ended"],
  ["client.ended", "Client ended everywhere"],
  ["registration.deleted", "Client registration deleted"],
  ["keys.swept", "Sealing keys checked"],
  ["policy.changed", "Policy changed"],
]);

/** What an action of the audit is called on our pages. */
export function actionInWords(action: string): string {
  return ACTIONS.get(action) ?? action;
}
