// The one stylesheet, inlined by layout.tsx as <style nonce>. Two colour schemes, one type scale, one accent;
// no font, image or rule comes from elsewhere, so that default-src 'none' holds on every page.

const COLOURS = `
:root{color-scheme:light dark;--page:#f4f6f5;--card:#fff;--ink:#1a2024;--soft:#55606a;--line:#d8dedb;--edge:#7d8a86;
--accent:#0b6157;--accent-strong:#084a43;--on-accent:#fff;--tint:#e6f2f0;--warn:#774600;--warn-tint:#fdf2dd;
--bad:#a02420;--bad-tint:#fdecea}
@media (prefers-color-scheme:dark){:root{--page:#111516;--card:#1a1f21;--ink:#e8eced;--soft:#a6b0b5;--line:#30383b;
--edge:#7c888c;--accent:#72d5c7;--accent-strong:#9be6db;--on-accent:#06231f;--tint:#15302d;--warn:#f3c77d;
--warn-tint:#32270f;--bad:#ffa29a;--bad-tint:#3a1b19}}`;

const TEXT = `
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);overflow-wrap:anywhere;
font:1rem/1.6 system-ui,sans-serif}
h1,h2,h3{margin:0;line-height:1.25;font-weight:650;text-wrap:balance}
h1{font-size:1.75rem;letter-spacing:-.01em}h2{font-size:1.25rem}h3{font-size:1rem}
p,ul,ol,dl,pre{margin:0}p,dd{max-width:70ch}ul,ol{padding-inline-start:1.25rem}dd{margin:0}
code,pre,textarea,.mono{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.875rem}
small,.small{font-size:.875rem}.under{display:block}.soft{color:var(--soft)}
a{color:var(--accent);text-underline-offset:.2em}a:hover{color:var(--accent-strong)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:.25rem}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}`;

const SHELL = `
.top,main,.foot{width:100%;max-width:44rem;margin-inline:auto;padding-inline:1rem}
.wide .top,.wide main,.wide .foot{max-width:60rem}
.top{display:flex;align-items:center;gap:.625rem;padding-block:1.25rem;font-weight:600}
.top svg{flex:none;color:var(--accent)}
.foot{padding-block:1.5rem 3rem;color:var(--soft);font-size:.875rem}
main{display:grid;gap:1.5rem}
main>*,.stack>*,.card>*{min-width:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem;display:grid;gap:1.25rem}
.stack{display:grid;gap:.5rem}.stack-wide{display:grid;gap:1rem}.answer{padding-top:1.25rem;border-top:1px solid var(--line)}
.row{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem .75rem}.spread{justify-content:space-between}
@media (min-width:40rem){.top,main,.foot{padding-inline:1.5rem}main{gap:2rem}.card{padding:2rem}}`;

const CONTROLS = `
.button,button,summary.button{display:inline-flex;align-items:center;justify-content:center;min-height:44px;
padding:.5rem 1.25rem;border:1px solid var(--edge);border-radius:.5rem;background:var(--card);color:var(--ink);
font:inherit;font-weight:600;line-height:1.25;text-align:center;text-decoration:none;cursor:pointer}
.button:hover,button:hover{border-color:var(--ink);color:var(--ink)}
.button:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible{border-radius:.5rem}
.primary,.primary:hover{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
.primary:hover{background:var(--accent-strong);border-color:var(--accent-strong)}
.danger{border-color:var(--bad);color:var(--bad)}.danger:hover{background:var(--bad-tint);border-color:var(--bad);color:var(--bad)}
[aria-disabled=true],[aria-disabled=true]:hover{cursor:default;filter:saturate(.6)}
.choice{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}.choice button{padding-inline:.5rem;white-space:nowrap}
@media (min-width:40rem){.choice{grid-template-columns:12rem 12rem}}
label{font-weight:600}
input,select,textarea{width:100%;min-height:44px;padding:.5rem .75rem;border:1px solid var(--edge);border-radius:.5rem;
background:var(--card);color:var(--ink)}input,select{font:inherit}
fieldset{margin:0;padding:0;border:0;min-width:0}legend{padding:0 0 .5rem;font-weight:600}
.check{display:flex;align-items:center;gap:.75rem;min-height:44px;font-weight:400}
.check input{flex:none;width:1.25rem;height:1.25rem;min-height:0;accent-color:var(--accent)}
.indented{padding-inline-start:2rem}
input[readonly]{background:var(--page);font-size:.875rem}
[data-copy]{visibility:hidden;min-width:6rem}.script [data-copy]{visibility:visible}
summary{list-style:none}summary::-webkit-details-marker{display:none}
summary.button[aria-expanded=true],details[open]>summary.button{background:var(--page)}
.confirm{margin-top:1rem;padding:1rem;border:1px solid var(--line);border-radius:.5rem;display:grid;gap:1rem;justify-items:start}`;

const PIECES = `
.badge{display:inline-block;overflow-wrap:break-word;padding:.125rem .625rem;border-radius:1rem;font-size:.875rem;font-weight:600;
background:var(--page);color:var(--soft);border:1px solid var(--line)}
.badge.good{background:var(--tint);color:var(--accent);border-color:transparent}
.badge.warn{background:var(--warn-tint);color:var(--warn);border-color:transparent}
.badge.bad{background:var(--bad-tint);color:var(--bad);border-color:transparent}
.note{max-width:none;padding:.75rem 1rem;border-radius:.5rem;background:var(--tint)}
.note.warn{background:var(--warn-tint);color:var(--warn)}.note.bad{background:var(--bad-tint);color:var(--bad)}
.key{font-size:1.25rem;font-weight:700;line-height:1.35}
.code{font-size:1.75rem;font-weight:700;letter-spacing:.12em}
.facts{display:grid}
.facts>div{display:grid;gap:.25rem 1.5rem;padding-block:1rem;border-top:1px solid var(--line)}
.facts>div:first-child{border-top:0;padding-top:0}.facts>div:last-child{padding-bottom:0}.facts dt{font-weight:600;color:var(--soft)}.facts dd{display:grid;gap:.5rem;min-width:0}
@media (min-width:40rem){.facts>div{grid-template-columns:11rem minmax(0,1fr)}}
.bare{list-style:none;padding:0}
.items{list-style:none;padding:0;display:grid}
.items>li{padding-block:1.25rem;border-top:1px solid var(--line);display:grid;gap:.75rem}
.items>li:first-child{border-top:0;padding-top:0}.items>li:last-child{padding-bottom:0}
.snippet{display:grid;gap:.5rem;align-items:start}
.snippet pre{padding:.75rem 1rem;border:1px solid var(--line);border-radius:.5rem;background:var(--page);white-space:pre-wrap}
.snippet button{justify-self:start}
@media (min-width:40rem){.snippet{grid-template-columns:minmax(0,1fr) auto}}
.sections ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem}
.sections a{display:flex;align-items:center;min-height:44px;padding:.25rem .625rem;border-radius:.5rem;color:var(--ink);text-decoration:none}
.sections a:hover{background:var(--tint)}.sections a[aria-current]{background:var(--tint);color:var(--accent);font-weight:600}
.tiles{list-style:none;padding:0;display:grid;gap:.75rem}@media (min-width:40rem){.tiles{grid-template-columns:repeat(auto-fit,minmax(12rem,1fr))}}
.tiles a{display:grid;gap:.25rem;padding:1rem;border:1px solid var(--line);border-radius:.5rem;color:var(--ink);text-decoration:none}
.tiles a:hover{background:var(--tint)}.tiles strong{font-size:1.75rem;line-height:1.2}
.note.bad a,.note.warn a{color:inherit}
.search{display:grid;gap:1rem;align-items:end}
@media (min-width:40rem){.search{grid-template-columns:repeat(auto-fill,minmax(12rem,1fr))}}
.list,.numbers{width:100%;border-collapse:collapse;text-align:start}
.list th,.list td,.numbers th,.numbers td{padding:.75rem .75rem .75rem 0;border-top:1px solid var(--line);text-align:start;vertical-align:top;font-weight:400}
.list td{min-width:5.5rem}.list thead th,.numbers thead th{border-top:0;font-size:.875rem;font-weight:600;color:var(--soft)}.list tbody th{font-weight:600}.list tbody th .small{font-weight:400}.list .button,.list .mono{white-space:nowrap}.list .choice{grid-template-columns:auto auto}
.numbers td,.numbers thead th+th{text-align:end}.numbers caption{text-align:start;font-weight:600}
@media screen and (max-width:47.99rem){.list thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.list,.list tbody,.list tr,.list th,.list td{display:block}.list tbody tr{padding-block:1rem;border-top:1px solid var(--line)}
.list tbody th,.list td{padding:.125rem 0;border:0}.list td[data-label]::before{content:attr(data-label) ": ";font-weight:600;color:var(--soft)}}
.scroll{max-height:20rem;overflow:auto}.link{color:var(--accent);text-decoration:underline;text-underline-offset:.2em;cursor:pointer;padding-block:.75rem}
.chart{margin:0;display:grid;gap:.75rem}.swatch{flex:none}
.plot{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.75rem .5rem;padding-top:.5rem}
.plot svg{width:100%;height:11rem;overflow:visible}.chart path{stroke:var(--card);vector-effect:non-scaling-stroke}
.ticks{display:flex;justify-content:space-between;font-size:.875rem;line-height:1;color:var(--soft)}
.ticks:first-child{flex-direction:column;text-align:end;margin-block:-.4375rem}.ticks:last-child{grid-column:2}.plot .scale{stroke:var(--line)}
.series-0{fill:var(--accent)}.series-1{fill:light-dark(#b87400,#f3c77d)}.series-2{fill:var(--bad)}.series-3{fill:var(--edge)}
.pair{display:grid;gap:.5rem 1rem}
@media (min-width:40rem){.pair{grid-template-columns:1fr 1fr}.pair legend{grid-column:1/-1}}
.problem{color:var(--bad);font-weight:600}[aria-invalid]{border-color:var(--bad);border-width:2px}
del{color:var(--bad)}ins{text-decoration:none;font-weight:600}.note pre{white-space:pre-wrap}.note dt{font-size:.875rem}.search .row{flex-wrap:nowrap;white-space:nowrap}.search button{padding-inline:1rem}
.status{min-height:1.6em;font-weight:600;color:var(--warn)}
@media (prefers-contrast:more){:root{--line:var(--edge);--soft:var(--ink)}}
@media (forced-colors:active){.button,button,.card,.badge,.note,[aria-current]{border:1px solid}.chart path,.swatch{stroke:CanvasText}}
@media print{nav,button,.button,.search,.link{display:none!important}tr,li,figure,.facts>div{break-inside:avoid}}`;

/** The whole stylesheet, as text that is safe inside a style element. */
export const STYLESHEET = (COLOURS + TEXT + SHELL + CONTROLS + PIECES).replaceAll("\n", "");
