// The pages of the device grant besides consent: where a person enters the code, and where they end. Rendered by
// routes/device. RFC 8628 §3.3, §5.4.

import { Layout } from "./layout.tsx";
import { asciiUri, spelledOut } from "./outside-text.ts";
import { Badge, Fact, Moment } from "./parts.tsx";

export interface DeviceCodeView {
  nonce: string;
  /** Whether the code just given was refused. */
  failed: boolean;
  /** More than 0 while codes from this address are refused after too many tries. */
  retryAfterSeconds?: number;
}

/** Renders the form for the code that a device shows. */
export function DeviceCodePage({ nonce, failed, retryAfterSeconds }: DeviceCodeView) {
  const problem = codeProblem(failed, retryAfterSeconds);
  return (
    <Layout title="Connect a device" nonce={nonce}>
      <div class="card">
        <div class="stack">
          <h1>Connect a device</h1>
          <p>Enter the code that your terminal shows.</p>
        </div>
        {problem === undefined ? null : (
          <p id="problem" role="alert" class="note bad" tabindex={-1} autofocus={!failed}>
            {problem}
          </p>
        )}
        <form method="post" action="/device" class="stack-wide">
          <div class="stack">
            <label for="user_code">Code</label>
            <input
              id="user_code"
              name="user_code"
              class="mono"
              autocomplete="off"
              autocapitalize="characters"
              spellcheck={false}
              maxlength={20}
              required
              aria-describedby={problem === undefined ? "code-hint" : "problem code-hint"}
              {...(failed ? { "aria-invalid": "true" as const, autofocus: true } : {})}
            />
            <p id="code-hint" class="small soft">
              Eight letters, for example <span class="mono">GDJB-MJHT</span>.
            </p>
          </div>
          <div>
            <button type="submit" class="primary">
              Continue
            </button>
          </div>
        </form>
        <p class="note warn">
          Only enter a code from a program that you started yourself. If somebody sent you a code, close this
          page: they would get your access to Gong.
        </p>
      </div>
    </Layout>
  );
}

function codeProblem(failed: boolean, retryAfterSeconds: number | undefined): string | undefined {
  if (retryAfterSeconds !== undefined && retryAfterSeconds > 0) {
    const minutes = Math.ceil(retryAfterSeconds / 60);
    return `Too many tries. Try again in ${minutes === 1 ? "1 minute" : `${minutes} minutes`}.`;
  }
  return failed ? "No device waits for that code. Check it, or ask your device for a new one." : undefined;
}

/** What a person compares before they approve a device. */
export interface AskingDeviceView {
  userCode: string;
  /** Where the device's request came from. */
  askedFrom: string;
  /** Epoch seconds. */
  askedAt: number;
  /** Whether it came from the same internet address as this browser. */
  sameAddress: boolean;
}

/** In the place of a redirect URI: the code to compare, and where the request came from. */
export function DeviceDestination({ userCode, askedFrom, askedAt, sameAddress }: AskingDeviceView) {
  return (
    <Fact term="Where access goes">
      <p>The device or terminal that shows exactly this code:</p>
      <p class="code mono">{spelledOut(userCode)}</p>
      <p class="row">
        <span>
          Asked from <strong>{asciiUri(askedFrom)}</strong> on <Moment at={askedAt} />
        </span>
        <Badge tone={sameAddress ? "good" : "warn"}>
          {sameAddress ? "Your own network" : "Not your network"}
        </Badge>
      </p>
      {sameAddress ? null : (
        <p class="note warn">
          That is normal for a server that you work on from here. If you don't know the place, deny.
        </p>
      )}
    </Fact>
  );
}

/** The statement that a person makes about the device, in the consent form. */
export function DeviceCheck() {
  return (
    <label class="check">
      <input type="checkbox" id="device_checked" name="device_checked" value="yes" required />
      <span>I started this myself, and my device shows the same code. Nobody sent me the code.</span>
    </label>
  );
}

const ENDS = {
  connected: {
    title: "Your device is connected",
    text: "Go back to your device. It goes on by itself within a few seconds.",
  },
  denied: {
    title: "You denied access",
    text: "Nothing was connected. Your device is being told.",
  },
  late: {
    title: "The code has expired",
    text: "Its code was used before, or its time was over. Ask your device for a new one.",
  },
  failed: {
    title: "The device is not connected",
    text: "The sign-in could not be finished. Enter the code again in a minute.",
  },
} as const;

/** Whether `end` is one of the ways a device authorization ends. */
export const isDeviceEnd = (end: string): end is keyof typeof ENDS => Object.hasOwn(ENDS, end);

/** Renders the last page of a device authorization. */
export function DeviceEndPage({ nonce, end }: { nonce: string; end: keyof typeof ENDS }) {
  const { title, text } = ENDS[end];
  return (
    <Layout title={title} nonce={nonce}>
      <div class="card">
        <h1>{title}</h1>
        <p>{text}</p>
        {end === "connected" || end === "denied" ? null : (
          <p>
            <a class="button" href="/device">
              Enter a code
            </a>
          </p>
        )}
      </div>
    </Layout>
  );
}
