// The only reader of the clock, and waiting that has an end.
// Everything below routes/ takes `now` as an argument or calls this.

/** Now, in whole epoch seconds, as OAuth counts. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A moment in epoch seconds as ISO 8601, in UTC: for files and machines. */
export function isoTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}

/** What `work` comes to, or undefined when it takes longer than `ms` milliseconds. It goes on all the same. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}
