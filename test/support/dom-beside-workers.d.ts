// The tests are written for browsers, Node.js and workerd at once, and lib.dom declares what workerd extends.

/** Of workerd: https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#timingsafeequal */
interface SubtleCrypto {
  timingSafeEqual(one: ArrayBuffer | ArrayBufferView, other: ArrayBuffer | ArrayBufferView): boolean;
}
