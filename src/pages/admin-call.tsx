// What an agent asked Gong in one call, where policy keeps it. Rendered by POST /admin/spend/<connection>/read.

import { AdminFrame, type AdminPageView } from "./admin-frame.tsx";
import { pathSegment } from "./links.ts";
import { spelledOut } from "./outside-text.ts";
import { Moment } from "./parts.tsx";

export interface CallContentView extends AdminPageView {
  /** Of the connection. */
  readonly id: string;
  readonly call: string;
  readonly read:
    | { readonly kind: "opened"; readonly keptAt: number; readonly arguments: string }
    | { readonly kind: "gone" | "unreadable" };
}

const REASONS = {
  gone: "Nothing of this call is kept, or it may no longer be read: its days are over, it was erased, or keeping was switched off.",
  unreadable: "The key that sealed it is missing from SEALING_KEYS. Put it back to read this call.",
};

/** Renders the arguments as they were kept, line by line, with every character that can't be seen spelt out. */
export function CallContentPage({ id, call, read, nonce, csrf }: CallContentView) {
  return (
    <AdminFrame section="/admin/spend" title="What was asked" nonce={nonce} csrf={csrf}>
      <section class="card stack-wide" aria-labelledby="call">
        <h2 id="call">
          Call <code>{spelledOut(call)}</code>
        </h2>
        {read.kind === "opened" ? (
          <>
            <p>
              Asked <Moment at={read.keptAt} />. The audit notes that you read it.
            </p>
            <div class="snippet">
              <pre tabindex={0} aria-label="Arguments of the call">
                <bdi>{read.arguments.split("\n").map(spelledOut).join("\n")}</bdi>
              </pre>
            </div>
          </>
        ) : (
          <p class="note warn">{REASONS[read.kind]}</p>
        )}
        <p>
          <a class="button" href={`/admin/spend/${pathSegment(id)}`}>
            Back to the calls of this connection
          </a>
        </p>
      </section>
    </AdminFrame>
  );
}
