// Shown to a person who approved a client for shared access, until an admin decides. Looks again every 3 seconds.

import { Layout } from "./layout.tsx";
import { linkUrl } from "./links.ts";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { ClientName } from "./parts.tsx";

const CHECK_EVERY_SECONDS = 3;

export interface WaitingView {
  nonce: string;
  clientName: string | undefined;
  /** A short code that the admin's page shows too. */
  code: string;
  /** Answers with this page, or with the next step once an admin has decided. */
  checkUrl: string;
  adminUrl: string;
}

/** Renders the wait for an admin, with the code to compare and the address to send to the admin. */
export function WaitingPage({ nonce, clientName, code, checkUrl, adminUrl }: WaitingView) {
  const check = linkUrl(checkUrl);
  return (
    <Layout
      title="Waiting for an admin"
      nonce={nonce}
      refresh={{ seconds: CHECK_EVERY_SECONDS, url: checkUrl }}
    >
      <div class="card">
        <h1>An admin must approve this</h1>
        <p>
          <strong>
            <ClientName name={clientName} />
          </strong>{" "}
          asks for shared access: all of your company's Gong data. Keep this page open. It goes on by itself
          once an admin has decided.
        </p>
        <div class="stack">
          <p class="soft">Give your admin this code:</p>
          <p class="code mono">{spelledOut(code)}</p>
          <p>
            The admin finds the request at <code>{asciiUri(adminUrl)}</code> and must see the same code there.
          </p>
        </div>
        <div class="row">
          {check === undefined ? null : (
            <a class="button" href={check}>
              Check now
            </a>
          )}
          <button type="button" data-pause hidden>
            Pause checking
          </button>
        </div>
      </div>
    </Layout>
  );
}
