// The live part of the chat page. Without it every form still works as a plain post.
const body = document.body;
const says = body.dataset;
const $ = (id) => document.getElementById(id);
const log = $("log"), bubbles = $("bubbles"), end = $("end"), box = $("text");
const composer = $("composer"), newer = $("newer"), typing = $("typing"), connection = $("connection"), notice = $("notice");
const touch = matchMedia("(pointer: coarse)").matches;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const pageTitle = document.querySelector("h1").textContent;
let lastSeq = Number(says.lastSeq) || 0;
let exitOn = !document.querySelector(".exit-bar").hidden;

const newId = () => crypto.randomUUID?.()
  ?? [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

// ---- transcript ----

// The column is reversed: the end of the conversation is scroll position 0, older is negative.
const atEnd = () => log.scrollTop > -80;

function toEnd(smooth) {
  log.scrollTo({ top: 0, behavior: smooth && !calm.matches ? "smooth" : "auto" });
  newer.hidden = true;
}

// A long answer is read from its beginning, with the question above it.
function toAnswer(article) {
  const first = article.previousElementSibling?.matches(".by-citizen") ? article.previousElementSibling : article;
  const above = first.getBoundingClientRect().top - log.getBoundingClientRect().top - 12;
  log.scrollTop = Math.min(0, log.scrollTop + above);
  newer.hidden = true;
}

function keepPlace(change) {
  const stay = !atEnd(), before = log.scrollHeight, top = log.scrollTop;
  change();
  if (stay && log.scrollTop === top) log.scrollTop = top - (log.scrollHeight - before);
}

function place(article) {
  const first = bubbles.querySelector(".bubble[data-client-id]:not([data-seq])");
  $("welcome")?.remove();
  article.classList.add("is-new");
  bubbles.insertBefore(article, article.dataset.seq ? first ?? end : end);
}

const quietChoices = () => bubbles.querySelectorAll(".is-current").forEach((old) => old.classList.remove("is-current"));

function show(article) {
  const seq = Number(article.dataset.seq);
  if (seq <= lastSeq) return;
  lastSeq = seq;
  const own = article.classList.contains("by-citizen");
  const follow = own || atEnd();
  const pending = article.dataset.clientId
    && bubbles.querySelector(`.bubble:not([data-seq])[data-client-id="${CSS.escape(article.dataset.clientId)}"]`);
  if (own) quietChoices();
  else setTyping("");
  keepPlace(() => { pending?.remove(); place(article); });
  if (pending) article.classList.remove("is-new"); // it came when it was sent
  speakAgain();
  if (!follow) newer.hidden = false;
  else if (own) toEnd();
  else toAnswer(article);
}

const parse = (html) => new DOMParser().parseFromString(html, "text/html");

// ---- sending ----

let unsent = null; // {text, id} of a failed message: sent again unchanged, it keeps its id

function showPending(text, id) {
  const article = $("pending").content.firstElementChild.cloneNode(true);
  article.dataset.clientId = id;
  article.lang = document.documentElement.lang;
  article.setAttribute("aria-hidden", "true");
  article.querySelector(".body p").textContent = text;
  quietChoices();
  place(article);
  toEnd();
  return article;
}

async function post(fields) {
  const body = new URLSearchParams(fields), signal = AbortSignal.timeout?.(20000);
  const answer = await fetch("/chat/send", { method: "POST", headers: { Accept: "application/json" }, body, signal }).catch(() => null);
  if (answer?.ok) return "";
  return (await answer?.json().catch(() => null))?.error || says.saysFailed;
}

async function send(fields, words, restore) {
  says.started = "";
  const article = showPending(words, fields.id);
  notice.textContent = "";
  const error = await post(fields);
  if (error) return fail(article, fields, error, words, restore);
  for (const part of document.querySelectorAll(".own")) part.hidden = false;
  if (says.mode !== "human" && article.isConnected) setTyping(says.saysTyping);
  if (!stream) listen();
}

function fail(article, fields, error, words, restore) {
  notice.textContent = error;
  if (restore && !box.value) {
    article.remove();
    box.value = words;
    unsent = { text: words, id: fields.id };
    return fit();
  }
  article.removeAttribute("aria-hidden");
  article.classList.replace("is-pending", "is-failed");
  article.querySelector(".state").textContent = says.saysNotSent;
  const again = Object.assign(document.createElement("button"), { className: "retry", type: "button", textContent: says.saysRetry });
  again.onclick = () => { article.remove(); send(fields, words, restore); box.focus(); };
  article.querySelector(".who").append(again);
}

let tapped = 0;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (new URL(form.action).pathname !== "/chat/send") return stream?.close(); // this page is being left
  event.preventDefault();
  if (form === composer) {
    const text = box.value.trim();
    box.focus();
    if (!text) return;
    const id = unsent?.text === text ? unsent.id : newId();
    unsent = null;
    box.value = "";
    fit();
    send({ text, id }, text, true);
    return;
  }
  const button = event.submitter;
  if (!button || Date.now() - tapped < 500) return; // a double tap is one answer
  tapped = Date.now();
  closeMenus();
  const marks = button.value === "ticked:done" ? [...form.querySelectorAll("input:checked")] : [];
  const label = marks.map((mark) => mark.parentElement.textContent.trim()).join(" · ");
  const fields = { choice: button.value, id: newId() };
  if (marks.length) fields.choice = `ticked:${marks.map((mark) => mark.value).join(".")}`;
  send(fields, label || button.textContent.trim(), false);
});

box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229 || touch) return;
  event.preventDefault();
  composer.requestSubmit();
});

const grows = CSS.supports("field-sizing", "content");
function fit() {
  if (grows) return;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}
box.addEventListener("input", () => {
  fit();
  const full = box.value.length >= box.maxLength;
  if (full || notice.textContent === says.saysFull) notice.textContent = full ? says.saysFull : "";
});

// ---- live stream ----

let stream = null, wait = 1000, lost = false, typingTimer;

function setTyping(text) {
  clearTimeout(typingTimer);
  typing.textContent = text;
  if (text) typingTimer = setTimeout(() => setTyping(""), 15000);
}

function setState(state) {
  says.lang = state.lang;
  says.mode = state.mode;
  setTyping(state.typing ? (state.mode === "human" ? says.saysStaffTyping : says.saysTyping) : "");
  exitOn = Boolean(state.quick_exit);
  document.querySelector(".exit-bar").hidden = !exitOn;
  document.title = exitOn ? says.neutralTitle : pageTitle;
  speakAgain();
}

// Another language is a new page, but never while something is being written.
const speakAgain = () => says.lang && says.lang !== document.documentElement.lang && !box.value && location.reload();

function listen() {
  stream = new EventSource(`/chat/events?after=${lastSeq}`);
  stream.onopen = () => {
    wait = 1000;
    if (!lost) return;
    lost = false;
    connection.textContent = says.saysBack;
    setTimeout(() => { if (!lost) connection.textContent = ""; }, 4000);
  };
  stream.onerror = () => {
    lost = true;
    connection.textContent = says.saysLost;
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again itself
    setTimeout(listen, wait);
    wait = Math.min(wait * 2, 30000);
    catchUp();
  };
  stream.addEventListener("message", (event) => {
    const article = parse(event.data).querySelector("article");
    if (article) show(article);
  });
  stream.addEventListener("state", (event) => setState(JSON.parse(event.data)));
  stream.addEventListener("gone", () => location.replace("/"));
}

addEventListener("offline", () => stream?.onerror());
addEventListener("online", () => { if (stream?.readyState === EventSource.OPEN) stream.onopen(); });

// When the stream is refused (a proxy, too many connections) the page itself still has the messages.
async function catchUp() {
  const answer = await fetch("/").catch(() => null);
  if (!answer?.ok) return;
  const page = parse(await answer.text());
  for (const article of page.querySelectorAll("#bubbles article[data-seq]")) show(article);
}

// ---- menus, quick exit, scrolling ----

function closeMenus(except) {
  for (const menu of document.querySelectorAll(".drop[open]")) menu.open = menu === except;
}
document.addEventListener("click", (event) => closeMenus(event.target.closest(".drop")));

function leave(event) {
  event?.preventDefault();
  document.documentElement.hidden = true;
  document.title = says.neutralTitle;
  location.replace(says.exitUrl);
}
document.querySelector(".exit").addEventListener("click", leave);

let escapes = [];
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector(".drop[open]");
  if (open) open.querySelector("summary").focus();
  closeMenus();
  escapes = [...escapes.filter((at) => event.timeStamp - at < 1500), event.timeStamp];
  if (exitOn && escapes.length >= 3) leave();
});

log.addEventListener("scroll", () => { if (atEnd()) newer.hidden = true; }, { passive: true });
newer.addEventListener("click", () => { toEnd(true); box.focus(); });
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

fit();
if ("started" in says) listen();
