// An agent as its makers would write it: an unmodified MCP SDK v2 client with the OAuth client state an application
// keeps. It has never heard of the gateway. A scripted person stands where the browser would open.
// Called by test/start (the demonstration), test/bench (its sign-in) and test/e2e.

import {
  auth,
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type VersionNegotiationMode,
} from "@modelcontextprotocol/client";
import type { Choices, Person } from "./person.ts";

/** One HTTP exchange of the agent, after the answer's headers arrived. */
export type Observer = (request: { method: string; url: URL; body: string }, response: Response) => void;

export interface AgentOptions {
  /** For example `http://localhost:8787/mcp`. */
  readonly mcpUrl: string;
  readonly person: Person;
  readonly choices?: Choices;
  readonly name?: string;
  readonly redirectUri?: string;
  /** What an admin gave it out of band; without it the agent registers itself (RFC 7591). */
  readonly preregistered?: { readonly clientId: string; readonly clientSecret?: string };
  /** Default `legacy` (initialize). `auto` probes for 2026-07-28 first. */
  readonly era?: VersionNegotiationMode;
  readonly observe?: Observer;
}

export interface Agent {
  /** Signs in without connecting: discovery, registration, consent, token. Replaces the tokens it holds. */
  signIn(): Promise<void>;
  /** Connects, signing in first when the server asks for it (MCP authorization, RFC 6749 §4.1). */
  connect(): Promise<Client>;
  /** The tokens it holds, after a sign-in or a refresh. */
  readonly tokens: StoredOAuthTokens | undefined;
  /** What registration gave it (RFC 7591 §3.2.1). */
  readonly registration: StoredOAuthClientInformation | undefined;
  /** The URL its redirect URI received, after a sign-in. */
  readonly callback: URL | undefined;
}

/** Makes an agent that knows nothing but a URL. */
export function createAgent(options: AgentOptions): Agent {
  const state = new AgentState(options);
  const transport = (): StreamableHTTPClientTransport =>
    new StreamableHTTPClientTransport(new URL(options.mcpUrl), {
      authProvider: state,
      fetch: observed(options.observe),
    });
  const client = (): Client =>
    new Client(
      { name: options.name ?? "Test agent", version: "1.0.0" },
      { versionNegotiation: { mode: options.era ?? "legacy" } },
    );
  return {
    async signIn() {
      const oauth = { serverUrl: options.mcpUrl, fetchFn: observed(options.observe) };
      state.forgetTokens();
      await auth(state, oauth);
      const query = state.callback?.searchParams;
      const code = query?.get("code");
      if (typeof code !== "string") throw new Error(`The sign-in ended without a code: ${state.callback}`);
      await auth(state, { ...oauth, authorizationCode: code, iss: query?.get("iss") ?? "" });
    },
    async connect() {
      const first = transport();
      const connected = client();
      try {
        await connected.connect(first);
        return connected;
      } catch (error) {
        if (!(error instanceof UnauthorizedError) || state.callback === undefined) throw error;
      }
      await first.finishAuth(state.callback.searchParams);
      const signedIn = client();
      await signedIn.connect(transport());
      return signedIn;
    },
    get tokens() {
      return state.tokens();
    },
    get registration() {
      return state.clientInformation();
    },
    get callback() {
      return state.callback;
    },
  };
}

/** What an application keeps for the SDK, in memory. */
class AgentState implements OAuthClientProvider {
  callback: URL | undefined;
  readonly #options: AgentOptions;
  #registration: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = "";
  #discovery: OAuthDiscoveryState | undefined;
  readonly #state = crypto.randomUUID();

  constructor(options: AgentOptions) {
    this.#options = options;
    const { clientId, clientSecret } = options.preregistered ?? {};
    if (clientId === undefined) return;
    this.#registration = {
      client_id: clientId,
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    };
  }

  get redirectUrl(): string {
    // RFC 8252 §7.3: a native application listens on a loopback port. Nothing listens here; the person stops before it.
    return this.#options.redirectUri ?? "http://127.0.0.1:43110/callback";
  }

  get clientMetadata(): OAuthClientProvider["clientMetadata"] {
    return {
      client_name: this.#options.name ?? "Test agent",
      redirect_uris: [this.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

  state(): string {
    return this.#state;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#registration;
  }

  saveClientInformation(registration: StoredOAuthClientInformation): void {
    this.#registration = registration;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    this.callback = await this.#options.person.authorize(url, this.#options.choices);
    const state = this.callback.searchParams.get("state");
    // RFC 6749 §10.12: the SDK leaves this check to the application.
    if (state !== this.#state) throw new Error(`The redirect carries another state: ${state}`);
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#discovery = discovery;
  }

  forgetTokens(): void {
    this.#tokens = undefined;
  }

  invalidateCredentials(scope: "all" | "client" | "tokens" | "verifier" | "discovery"): void {
    if (scope === "all" || scope === "tokens") this.forgetTokens();
    if (scope === "all" || scope === "client") this.#registration = undefined;
    if (scope === "all" || scope === "discovery") this.#discovery = undefined;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }
}

function observed(
  observe: Observer | undefined,
): (url: string | URL, init?: RequestInit) => Promise<Response> {
  return async (url, init) => {
    const response = await fetch(url, init);
    const { body } = init ?? {};
    observe?.(
      {
        method: init?.method ?? "GET",
        url: new URL(url),
        body: typeof body === "string" || body instanceof URLSearchParams ? body.toString() : "",
      },
      response,
    );
    return response;
  };
}
