/**
 * The page's side of the tab: mounts our page when the tab is opened for the first time, and gives it `window.trainLoraHost`, the
 * few things that only the WebUI's own page can do. Until the tab is opened it costs one small request every half a minute.
 */

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
const LOOK_MS = 30_000;
/** How long the WebUI may take to fill its fields. */
const PASTE_MS = 5_000;
const TOKEN_HEADER = "X-Train-Lora-Token";

/** Relative to the page, so that a sub-path, TLS and a share link need no setting. */
const base = new URL("./train-lora", location.href).pathname;
const isRussian = /^ru\b/i.test(navigator.language);
const say = (english, russian) => (isRussian ? russian : english);

const root = () => (typeof globalThis.gradioApp === "function" ? globalThis.gradioApp() : document);
const find = (selector) => root().querySelector(selector);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let token = "";
let isOpened = false;
const shownCallbacks = [];

whenPageIsThere(begin);

function whenPageIsThere(callback) {
  if (find("#txt2img_prompt") || find("#train_lora_mount")) callback();
  else if (typeof globalThis.onUiLoaded === "function") globalThis.onUiLoaded(callback);
  else setTimeout(() => whenPageIsThere(callback), FIRST_RETRY_MS);
}

function begin() {
  const mount = find("#train_lora_mount .train-lora-mount");
  // The tab is among the WebUI's hidden ones.
  if (!mount) return;
  token = mount.dataset.token ?? "";
  delete mount.dataset.token;
  // What stands there says that this script is missing.
  mount.replaceChildren();
  keepToItself(mount);
  window.trainLoraHost = {
    get token() {
      return token;
    },
    pasteIntoTxt2img,
    refreshCards: async (names) => (await import(`${base}/panel/lora-cards.mjs`)).refreshCards(names),
    openTab: () => selectTab("tab_train_lora"),
    generate,
    onTabShown: (callback) => void shownCallbacks.push(callback),
    renewToken,
  };
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) tellShown(mount);
  }).observe(mount);
  // An address of ours that was kept or sent leads to our tab.
  if (location.hash.startsWith("#train-lora")) selectTab("tab_train_lora");
  void lookForWork();
  setInterval(() => void lookForWork(), LOOK_MS);
}

function tellShown(mount) {
  if (!isOpened) void bringUp(mount);
  isOpened = true;
  for (const callback of shownCallbacks) callback();
}

/** The WebUI's own keys and drops assume one of its own tabs. */
function keepToItself(mount) {
  for (const type of ["keydown", "keyup", "keypress", "paste", "drop", "dragover", "dragenter"])
    mount.addEventListener(type, (event) => event.stopPropagation());
}

/** Asks until there is something to show; the routes come a moment after the page when the WebUI starts. */
async function bringUp(mount) {
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
    const status = await readStatus();
    if (await show(mount, status)) return;
    // A start takes about a second, so there is no need to wait longer and longer for it.
    await pause(status?.state === "starting" ? FIRST_RETRY_MS : wait);
  }
}

/** True when our page is in its place. */
async function show(mount, status) {
  switch (status?.state) {
    case "ready":
      if (!(await mountElement(mount, "ui/train-lora.js", "train-lora-app"))) return false;
      if (status.trainer === false) void offerTrainer(mount);
      return true;
    case "setupNeeded":
      if (!(await mountElement(mount, "panel/train-lora-setup.mjs", "train-lora-setup"))) return false;
      await new Promise((resolve) => mount.firstElementChild.addEventListener("setup-done", resolve, { once: true }));
      await ask("/start", "POST");
      return false;
    case "stopped":
      if (status.access.level === "full") await ask("/start", "POST");
      else tell(mount, say("Train LoRA is not running.", "Train LoRA не запущен."));
      return false;
    case "failed":
      await offerRetry(mount, status.message);
      return false;
    case "refused":
      tell(mount, status.message || say("Log in to the WebUI again, then reload this page.", "Войдите в WebUI снова и обновите страницу."));
      return false;
    default:
      tell(
        mount,
        status ? say("Train LoRA is starting …", "Train LoRA запускается …") : say("Waiting for the WebUI …", "Ожидание WebUI …"),
      );
      return false;
  }
}

async function mountElement(mount, file, name) {
  const refusal = await sessionRefusal();
  if (refusal) tell(mount, refusal);
  if (refusal !== null) return false;
  try {
    await import(`${base}/${file}`);
  } catch {
    return false; // on its way, or the WebUI has just left
  }
  const element = document.createElement(name);
  element.setAttribute("base", base);
  mount.replaceChildren(element);
  return true;
}

function tell(mount, text) {
  const line = Object.assign(document.createElement("p"), { role: "status", textContent: text });
  // The WebUI calls every extension on each change of the page, so an unchanged line stays.
  if (mount.textContent !== text) mount.replaceChildren(line);
}

/** The user does without the trainer: a note says so, with the way back to the set-up. */
async function offerTrainer(mount) {
  const { noteWithoutTrainer } = await import(`${base}/panel/train-lora-no-trainer.mjs`);
  await noteWithoutTrainer(mount);
  await ask("/setup/open", "POST");
  await bringUp(mount);
}

async function offerRetry(mount, message) {
  tell(mount, message || say("Train LoRA could not be started.", "Не удалось запустить Train LoRA."));
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = say("Try again", "Повторить");
  mount.append(button);
  await new Promise((resolve) => button.addEventListener("click", resolve, { once: true }));
  await ask("/start", "POST");
}

/** A run that was started elsewhere tells of its epochs here too, whatever tab is open. */
async function lookForWork() {
  if (document.hidden || document.querySelector("train-lora-toasts")) return;
  const status = await readStatus();
  if (!status?.working || (await sessionRefusal()) !== null) return;
  try {
    await import(`${base}/ui/train-lora-toasts.js`);
  } catch {
    return; // an older page has none
  }
  const toasts = document.createElement("train-lora-toasts");
  toasts.setAttribute("base", base);
  document.body.append(toasts);
}

/** The shim's word on itself; `{state: "refused"}` when it lets this page not in, null when nobody answers. */
async function readStatus() {
  let answer = await ask("/status", "GET");
  if (answer?.status === 401 && (await renewToken())) answer = await ask("/status", "GET");
  if (answer?.status === 401) return { state: "refused" };
  if (answer?.status === 403) return { state: "refused", message: await sentenceOf(answer) };
  return answer?.ok ? answer.json() : null;
}

/** Trades the token for the cookie without which modules and pictures can't be loaded: null, or why not ("": nobody answers). */
async function sessionRefusal() {
  const answer = await ask("/session", "POST");
  return answer?.ok ? null : sentenceOf(answer);
}

/** What an answer of ours says; empty for one that is not ours, as of a WebUI that is starting. */
async function sentenceOf(answer) {
  const said = await answer?.json().catch(() => null);
  return typeof said?.message === "string" ? said.message : "";
}

async function ask(path, method) {
  try {
    return await fetch(`${base}${path}`, { method, headers: { [TOKEN_HEADER]: token } });
  } catch {
    return null; // nobody listens
  }
}

/** Takes the token of a WebUI that was restarted meanwhile out of its page's config; false when that wants a login first. */
async function renewToken() {
  try {
    const answer = await fetch("./config");
    token = /train-lora-mount\\?" data-token=\\?"([\w-]+)/.exec(await answer.text())?.[1] ?? token;
    return (await sessionRefusal()) === null;
  } catch {
    return false; // nobody listens
  }
}

/** Fills txt2img by the WebUI's own paste of infotext; its dropdowns take no other way. */
async function pasteIntoTxt2img(text) {
  const field = find("#train_lora_paste_text textarea");
  const button = find("#train_lora_paste_button");
  if (!field || !button) throw new Error(say("This WebUI has no infotext paste.", "В этом WebUI нет вставки параметров."));
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  button.click();
  const began = performance.now();
  while (!isPasted(text)) {
    if (performance.now() - began > PASTE_MS) throw new Error(say("The WebUI did not take the settings.", "WebUI не принял параметры."));
    await pause(100);
  }
  selectTab("tab_txt2img");
  // The script and its axes are below "Generation", which cards may be covering.
  find("#txt2img_extra_tabs > .tab-nav > button")?.click();
}

function isPasted(text) {
  const lines = text.trim().split("\n");
  const end = lines.findIndex((line) => line.startsWith("Negative prompt:"));
  const prompt = lines.slice(0, end < 0 ? -1 : end).join("\n");
  if (find("#txt2img_prompt textarea")?.value.trim() !== prompt.trim()) return false;
  const axis = /\bX Type: ([^,]+)/.exec(lines.at(-1))?.[1];
  return !axis || find("#script_txt2img_xyz_plot_x_type input")?.value === axis.trim();
}

/** Presses Generate, unless something is being drawn: then the same button would queue a second one. */
function generate() {
  const isShown = (selector) => {
    const element = find(selector);
    return element !== null && getComputedStyle(element).display !== "none";
  };
  if (isShown("#txt2img_interrupt") || isShown("#txt2img_interrupting")) return;
  find("#txt2img_generate")?.click();
}

/** By id, because users may order and hide tabs. */
function selectTab(id) {
  const own = root().querySelector(`#${id}-button`);
  if (own) return own.click();
  const panels = [...root().querySelectorAll("#tabs > .tabitem")];
  const buttons = root().querySelectorAll("#tabs > .tab-nav > button");
  const at = panels.findIndex((panel) => panel.id === id);
  buttons[at]?.click();
}
