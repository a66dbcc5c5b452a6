import { durationText, failureSentence, sizeText, versionText } from "./setup-strings.js";
import { setupStyles } from "./setup-styles.js";

const SKELETON = `
<style>${setupStyles}</style>
<section class="panel" aria-labelledby="title">
  <h2 id="title" tabindex="-1"></h2>
  <p id="lead" class="quiet"></p>
  <div id="node" class="box">
    <p id="nodeSentence"></p>
    <p id="nodeProblems" class="small quiet"></p>
    <label id="privateChoice"><input id="private" type="checkbox"><span id="privateText"></span></label>
    <p id="nodeByHand" class="small quiet"></p>
  </div>
  <ol id="steps"></ol>
  <p id="room" class="small quiet"></p>
  <div id="wholeBar" class="bar whole" role="progressbar" aria-valuemin="0" aria-valuemax="100"><span></span></div>
  <p id="status" role="status" aria-live="polite"></p>
  <div id="failure" class="box bad" role="alert">
    <p id="failureSentence"></p>
    <details id="failureMore"><summary id="failureSummary"></summary><pre id="failureDetails" tabindex="0"></pre></details>
  </div>
  <div id="warning" class="box bad" role="alert"><p id="warningSentence"></p></div>
  <p id="withoutHint" class="small quiet"></p>
  <div class="buttons">
    <button id="open" type="button" class="primary"></button>
    <button id="start" type="button" class="primary"></button>
    <button id="without" type="button"></button>
    <button id="stop" type="button"></button>
    <button id="copy" type="button"></button>
  </div>
  <details id="log"><summary id="logSummary"></summary><pre id="lines" tabindex="0"></pre></details>
</section>`;
const HIDDEN_AT_FIRST = [
  ...["node", "steps", "room", "wholeBar", "failure", "warning", "withoutHint", "open", "start", "without", "stop", "copy", "log"],
];
const KEPT_CHARACTERS = 200_000;

/**
 * Draws the states of setup_state.py into `root`. `on` holds what the buttons do: start(privateNode), stop(), copy(), without() the trainer
 * and open().
 */
export function setupView(root, strings, on) {
  root.innerHTML = SKELETON;
  const parts = Object.fromEntries([...root.querySelectorAll("[id]")].map((part) => [part.id, part]));
  parts.start.addEventListener("click", () => on.start(parts.private.checked && !parts.privateChoice.hidden));
  parts.stop.addEventListener("click", on.stop);
  parts.copy.addEventListener("click", on.copy);
  parts.without.addEventListener("click", on.without);
  parts.open.addEventListener("click", on.open);
  parts.private.addEventListener("change", () => {
    parts.private.dataset.touched = "yes";
  });
  for (const [id, text] of fixedTexts(strings)) parts[id].textContent = text;
  parts.wholeBar.setAttribute("aria-label", strings.whole);
  parts.lines.setAttribute("aria-label", strings.log);
  parts.failureDetails.setAttribute("aria-label", strings.details);
  // Until the first answer there is nothing to say of these.
  for (const id of HIDDEN_AT_FIRST) parts[id].hidden = true;
  return {
    draw: (state) => draw(parts, strings, state),
    addLines: (lines) => addLines(parts, lines),
    tell: (sentence) => setText(parts.status, sentence),
    copied: () => briefly(parts.copy, strings.copied, strings.copy),
    stopping() {
      parts.stop.disabled = true;
      setText(parts.stop, strings.stopping);
    },
    /** A button that goes away while it has the focus hands it to the title. */
    keepFocus: () => root.activeElement?.hidden && parts.title.focus(),
  };
}

function fixedTexts(strings) {
  return [
    ["title", strings.title],
    ["nodeByHand", strings.nodeByHand],
    ["copy", strings.copy],
    ["stop", strings.stop],
    ["without", strings.without],
    ["withoutHint", strings.withoutHint],
    ["open", strings.open],
    ["logSummary", strings.log],
    ["failureSummary", strings.details],
  ];
}

function draw(parts, strings, state) {
  const update = state.updatedFrom !== null;
  const running = state.status === "running";
  setText(parts.title, update ? strings.titleUpdate : strings.title);
  setText(parts.lead, update ? strings.leadUpdate(versionText(state.updatedFrom), versionText(state.version)) : strings.lead);
  drawNode(parts, strings, state);
  drawSteps(parts, strings, state);
  drawRoom(parts, strings, state);
  drawWhole(parts, strings, state);
  drawFailure(parts, strings, state.failure);
  const again = state.status === "failed" || state.status === "cancelled";
  const warned = state.status === "ready" && Boolean(state.torchWarning);
  parts.warning.hidden = !warned;
  setText(parts.warningSentence, warned ? strings.torchWarning(state.torchWarning) : "");
  parts.open.hidden = !warned;
  parts.without.hidden = running || !state.opensWithoutTrainer;
  parts.withoutHint.hidden = parts.without.hidden;
  parts.start.classList.toggle("primary", !warned);
  parts.start.hidden = running || (state.status === "ready" && !warned);
  parts.start.disabled = state.node === null && !state.privateNode.possible && !again;
  setText(parts.start, again || warned ? strings.retry : update ? strings.startUpdate : strings.start);
  if (parts.stop.hidden && running) {
    parts.stop.disabled = false;
    setText(parts.stop, strings.stop);
  }
  parts.stop.hidden = !running;
  parts.copy.hidden = state.failure === null;
}

function drawNode(parts, strings, state) {
  const { node, privateNode, nodeProblems } = state;
  const lacksNpm = state.needed.some((step) => step.reason === "no_npm");
  const mustInstall = node === null || lacksNpm;
  const isNews = mustInstall || nodeProblems.length > 0 || state.updatedFrom === null;
  parts.node.hidden = state.status === "running" || state.status === "ready" || !isNews;
  setText(
    parts.nodeSentence,
    node === null ? strings.nodeNone : lacksNpm ? strings.nodeNoNpm(node.version) : strings.nodeFound(node.version, node.path),
  );
  setText(parts.nodeProblems, nodeProblems.map((problem) => problem.message).join(" "));
  parts.nodeProblems.hidden = nodeProblems.length === 0;
  parts.privateChoice.hidden = !privateNode.possible || node?.source === "private";
  setText(parts.privateText, strings.privateNode(privateNode.version, sizeText(strings, state.megabytes.node)));
  if (parts.private.dataset.touched !== "yes") parts.private.checked = mustInstall;
  setText(parts.nodeByHand, privateNode.possible ? strings.nodeByHand : strings.cannotHavePrivate);
  parts.nodeByHand.hidden = !mustInstall;
}

function drawSteps(parts, strings, state) {
  const rows = new Map([...parts.steps.children].map((row) => [row.dataset.code, row]));
  for (const [code, row] of rows) if (!state.steps.some((step) => step.code === code)) row.remove();
  for (const step of state.steps) {
    const row = rows.get(step.code) ?? newRow(step.code, strings.steps[step.code]);
    const [name, status, place, bar] = row.children;
    row.dataset.status = step.status;
    setText(name, strings.steps[step.code]);
    const took = step.seconds > 0 ? ` · ${durationText(strings, step.seconds)}` : "";
    const isIdle = step.status === "waiting" && state.status !== "running";
    setText(status, isIdle ? "" : `${strings.statuses[step.status]}${took}`);
    setText(place, stepText(strings, state, step));
    bar.hidden = step.status !== "running";
    setProgress(bar, step.progress);
    parts.steps.append(row);
  }
  parts.steps.hidden = state.steps.length === 0;
}

function stepText(strings, state, step) {
  const facts = [sizeText(strings, state.megabytes[step.code])];
  if (step.status !== "done") facts.unshift(strings.reasons[step.reason]);
  if (step.changes?.length) facts.splice(1, 0, changesText(strings, step));
  if (step.code === "trainer") facts.push(strings.torch[state.torch]);
  if (state.places[step.code]) facts.push(state.places[step.code]);
  return facts.join(" · ");
}

function changesText(strings, { changes, changesInAll }) {
  const texts = changes.map(({ name, before, after }) => `${name.split("node_modules/").at(-1)} ${before || "–"} → ${after || "–"}`);
  return strings.changes(texts, changesInAll - changes.length);
}

function newRow(code, label) {
  const row = document.createElement("li");
  row.dataset.code = code;
  row.innerHTML =
    '<span class="name"></span><span class="status"></span><span class="place small quiet"></span>' +
    '<div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><span></span></div>';
  row.lastElementChild.setAttribute("aria-label", label);
  return row;
}

function drawRoom(parts, strings, state) {
  const needed = state.steps.filter((step) => step.status !== "done").reduce((sum, step) => sum + state.megabytes[step.code], 0);
  const free = state.freeMegabytes;
  const tight = free !== null && free < needed;
  parts.room.hidden = needed === 0 || state.status === "running";
  const text = strings.room(sizeText(strings, needed), free === null ? "" : sizeText(strings, free));
  setText(parts.room, tight ? `${text} ${strings.tooLittleRoom}` : text);
}

function drawWhole(parts, strings, state) {
  parts.wholeBar.hidden = state.status !== "running";
  setProgress(parts.wholeBar, state.progress);
  const step = state.steps.find((each) => each.status === "running");
  const texts = { ready: state.torchWarning ? "" : strings.ready, cancelled: strings.cancelled };
  // Whole tens: a screen reader is to hear how it goes, not every per cent.
  const percent = Math.floor(state.progress * 10) * 10;
  setText(parts.status, step ? strings.running(strings.steps[step.code], percent) : (texts[state.status] ?? ""));
}

function drawFailure(parts, strings, failure) {
  parts.failure.hidden = failure === null;
  setText(parts.failureSentence, failure === null ? "" : failureSentence(strings, failure));
  setText(parts.failureDetails, failure?.details ?? "");
  parts.failureMore.hidden = !failure?.details;
}

function addLines(parts, lines) {
  if (lines.length === 0) return;
  parts.log.hidden = false;
  const box = parts.lines;
  const follows = box.scrollTop + box.clientHeight >= box.scrollHeight - 24;
  box.append(`${lines.join("\n")}\n`);
  if (box.textContent.length > KEPT_CHARACTERS) box.textContent = box.textContent.slice(-KEPT_CHARACTERS / 2);
  if (follows) box.scrollTop = box.scrollHeight;
}

function setProgress(bar, part) {
  const percent = Math.round(part * 100);
  bar.setAttribute("aria-valuenow", String(percent));
  bar.firstElementChild.style.width = `${percent}%`;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function briefly(element, text, then) {
  setText(element, text);
  setTimeout(() => setText(element, then), 2000);
}
