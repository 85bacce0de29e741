// This computer, as URLs name it. Called by config.ts, gong/ and pages/; redirect URIs have stricter rules of their
// own, in redirect-uri.ts. RFC 8252 §7.3 and §8.3.

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether `url` is plain http to this computer: the only URL that may do without TLS. */
export function isLoopbackHttp(url: URL): boolean {
  return url.protocol === "http:" && LOOPBACK_HOSTS.has(url.hostname);
}
