// The three inline scripts, each a constant that layout.tsx prints with the nonce. Every page works without them;
// none reads anything from outside but the attributes named beside it.

/**
 * Guards the form marked `data-guard` against double-click-jacking: until the page has been in front for 700 ms and
 * has had a real pointer or key event, Approve does nothing but say so. A second press never posts the form twice.
 */
export const GUARD_SCRIPT = `(()=>{
const form=document.querySelector("form[data-guard]"),approve=form.querySelector("[value=approve]"),
status=form.querySelector("[role=status]");
let ready=false,touched=false,sent=false,timer=0;
const wait=()=>{clearTimeout(timer);ready=false;approve.setAttribute("aria-disabled","true");
if(document.visibilityState==="visible")timer=setTimeout(()=>{ready=true;approve.removeAttribute("aria-disabled")},
700)};
for(const type of["pointermove","pointerdown","keydown","click"])
addEventListener(type,(event)=>{touched||=event.isTrusted},{capture:true,passive:true});
addEventListener("focus",wait);document.addEventListener("visibilitychange",wait);
addEventListener("pageshow",()=>{sent=false;touched=false;wait()});
form.addEventListener("submit",(event)=>{
if(sent){event.preventDefault();return}
if(event.submitter===approve&&!(ready&&touched)){event.preventDefault();
status.textContent="Please read this page first, then press Approve again.";return}
sent=true;setTimeout(()=>{sent=false},10000)});
wait()})();`;

/** Shows the buttons marked `data-copy` (the id of an element) and lets them copy its text or value. */
export const COPY_SCRIPT = `(()=>{
document.documentElement.classList.add("script");
const status=document.querySelector("#copied");
document.addEventListener("click",async(event)=>{
const button=event.target.closest("[data-copy]");if(!button)return;
const source=document.getElementById(button.dataset.copy);
try{await navigator.clipboard.writeText(source.value??source.textContent);
button.firstChild.data=status.textContent="Copied";
setTimeout(()=>{button.firstChild.data="Copy";status.textContent=""},2000)}
catch{if(source.select)source.select();else getSelection().selectAllChildren(source);
status.textContent="Selected. Copy it with your keyboard."}})})();`;

/**
 * Loads the URL in its own `data-url` after `data-seconds`, and lets the button marked `data-pause` stop that:
 * WCAG 2.2.1 asks for a way to turn a refresh off, which a meta element can't give.
 */
export const REFRESH_SCRIPT = `(()=>{
const{url,seconds}=document.currentScript.dataset;
const start=()=>setTimeout(()=>location.replace(url),seconds*1000);
let timer=start();
addEventListener("DOMContentLoaded",()=>{const pause=document.querySelector("[data-pause]");if(!pause)return;
pause.hidden=false;
pause.addEventListener("click",()=>{if(timer){clearTimeout(timer);timer=0}else timer=start();
pause.textContent=timer?"Pause checking":"Go on checking"})})})();`;
