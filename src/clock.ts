// The only reader of the clock. Everything below routes/ takes `now` as an argument or calls this.

/** Now, in whole epoch seconds, as OAuth counts. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
