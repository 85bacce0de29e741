// For how long a fetched document may be used without asking again. Called by public-document.ts. RFC 9111 §4.2.

const LEAST_SECONDS = 60;
const MOST_SECONDS = 3_600;
const UNSAID_SECONDS = 300;

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * The seconds for which an answer with these headers is fresh: its s-maxage, else max-age, else Expires, less its Age
 * (RFC 9111 §4.2.1), and 300 where it does not say. Kept between 60, so that a server that forbids caching is not asked
 * for every request of ours, and 3600, so that no mistake lasts. `now` is in epoch seconds.
 */
export function freshSeconds(headers: Headers, now: number): number {
  return Math.min(Math.max(saidSeconds(headers, now), LEAST_SECONDS), MOST_SECONDS);
}

function saidSeconds(headers: Headers, now: number): number {
  const directives = new Map(
    (headers.get("cache-control") ?? "").split(",").map((directive) => {
      const [name = "", value = ""] = directive.split("=");
      return [name.trim().toLowerCase(), value.trim().replaceAll('"', "")];
    }),
  );
  if (directives.has("no-store") || directives.has("no-cache")) return 0;
  const lifetime = wholeSeconds(directives.get("s-maxage")) ?? wholeSeconds(directives.get("max-age"));
  if (lifetime !== undefined) return lifetime - (wholeSeconds(headers.get("age") ?? undefined) ?? 0);
  const expires = headers.get("expires");
  if (expires === null) return UNSAID_SECONDS;
  // RFC 9111 §5.3: a date that can't be read is one in the past.
  return HTTP_DATE.test(expires) ? Math.ceil(Date.parse(expires) / 1000) - now : 0;
}

function wholeSeconds(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,10}$/.test(value) ? Number(value) : undefined;
}
