/** Epochs that come this close together share a refresh of the cards. */
const REFRESH_TOGETHER_MS = 50;
/** A refresh reads every model folder: after one, this many times as long passes before the next. */
const REFRESH_REST = 1;
/** A refresh whose end no card tells is taken for done then. */
const REFRESH_MS = 5_000;

const root = () => (typeof globalThis.gradioApp === "function" ? globalThis.gradioApp() : document);
const find = (selector) => root().querySelector(selector);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let isRefreshing = false;
let areCardsStale = false;

/** Makes the cards of the WebUI's Lora tabs know new files. In a tab that is not open nobody waits for them, but txt2img's are shared by most. */
export async function refreshCards(names) {
  if (names.length === 0) return;
  areCardsStale = true;
  if (isRefreshing) return;
  isRefreshing = true;
  await pause(REFRESH_TOGETHER_MS);
  while (areCardsStale) {
    areCardsStale = false;
    const began = performance.now();
    const redrawn = change(find("#txt2img_lora_cards_html"), REFRESH_MS);
    pressRefresh();
    await redrawn;
    await pause(REFRESH_REST * (performance.now() - began));
  }
  isRefreshing = false;
}

function pressRefresh() {
  for (const tab of ["txt2img", "img2img"]) {
    const isOpen = find(`#tab_${tab}`)?.checkVisibility?.() ?? true;
    // The first exists from 1.8 on, the second before.
    const button = find(`#${tab}_lora_extra_refresh_internal`) ?? find(`#${tab}_extra_refresh`);
    if (button && (isOpen || tab === "txt2img")) button.dispatchEvent(new Event("click"));
  }
}

/** Settles when something below the element has changed, or after the time. */
function change(element, ms) {
  return new Promise((resolve) => {
    const observer = new MutationObserver(done);
    const timer = setTimeout(done, element ? ms : 0);
    if (element) observer.observe(element, { childList: true, subtree: true });
    function done() {
      observer.disconnect();
      clearTimeout(timer);
      resolve();
    }
  });
}
