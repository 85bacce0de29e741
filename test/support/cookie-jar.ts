// The cookies of one scripted browser (RFC 6265 §5, RFC 6265bis §4.1.3 prefixes and §5.4 SameSite), as far as our pages
// and the stand-in Gong use them. Called by person.ts.

/** How a request came about; SameSite cookies depend on it (RFC 6265bis §5.2). */
export type Site = "same-origin" | "same-site" | "cross-site" | "none";

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
  readonly secure: boolean;
  readonly sameSite: "strict" | "lax" | "none";
  readonly expiresAt: number;
}

/** Cookies of any number of hosts. As in a browser, a cookie belongs to a host on all its ports. */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Keeps what a response sets. Drops a cookie whose prefix or Secure attribute does not hold, as browsers do. */
  store(url: URL, setCookie: readonly string[]): void {
    for (const line of setCookie) {
      const cookie = parseSetCookie(url, line);
      if (cookie === undefined) continue;
      const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
      if (cookie.expiresAt <= Date.now()) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  /** The Cookie header of a top-level request, or undefined when no cookie goes along. */
  header(url: URL, site: Site, method: string): string | undefined {
    const sent = this.#live().filter(
      (cookie) =>
        cookie.host === url.hostname &&
        pathMatches(url.pathname, cookie.path) &&
        (!cookie.secure || trustworthy(url)) &&
        sameSiteAllows(cookie.sameSite, site, method),
    );
    return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  /** Name and value of every cookie of a host. */
  of(host: string): ReadonlyMap<string, string> {
    return new Map(
      this.#live()
        .filter((cookie) => cookie.host === host)
        .map(({ name, value }) => [name, value]),
    );
  }

  /** Forgets everything: the person opens another browser. */
  clear(): void {
    this.#cookies.clear();
  }

  #live(): readonly Cookie[] {
    return [...this.#cookies.values()].filter((cookie) => cookie.expiresAt > Date.now());
  }
}

/** https, or plain http on this machine: where browsers accept and send Secure cookies. */
function trustworthy(url: URL): boolean {
  return url.protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}

function sameSiteAllows(sameSite: Cookie["sameSite"], site: Site, method: string): boolean {
  if (site !== "cross-site" || sameSite === "none") return true;
  return sameSite === "lax" && method === "GET";
}

/** RFC 6265 §5.1.4. */
function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true;
  return path.startsWith(cookiePath.endsWith("/") ? cookiePath : `${cookiePath}/`);
}

/** RFC 6265 §5.2, RFC 6265bis §4.1.3. */
function parseSetCookie(url: URL, line: string): Cookie | undefined {
  const [pair = "", ...parts] = line.split(";").map((part) => part.trim());
  const equals = pair.indexOf("=");
  if (equals < 1) return undefined;
  const attributes = new Map(
    parts.map((part) => {
      const [name = "", ...value] = part.split("=");
      return [name.toLowerCase(), value.join("=")];
    }),
  );
  const name = pair.slice(0, equals);
  const secure = attributes.has("secure");
  const path = attributes.get("path") ?? url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf("/")));
  const sameSite = attributes.get("samesite")?.toLowerCase();
  if (secure && !trustworthy(url)) return undefined;
  if (name.startsWith("__Secure-") && !secure) return undefined;
  if (name.startsWith("__Host-") && (!secure || path !== "/" || attributes.has("domain"))) return undefined;
  return {
    name,
    value: pair.slice(equals + 1),
    host: url.hostname,
    path,
    secure,
    sameSite: sameSite === "strict" || sameSite === "none" ? sameSite : "lax",
    expiresAt: expiry(attributes.get("max-age"), attributes.get("expires")),
  };
}

/** Max-Age wins over Expires (RFC 6265 §5.3); without both the cookie lives as long as the browser. */
function expiry(maxAge: string | undefined, expires: string | undefined): number {
  if (maxAge !== undefined) return Date.now() + Number(maxAge) * 1000;
  return expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
}
