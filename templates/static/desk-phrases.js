// The phrasebook beside a case: finding a sentence, its preview while it is filled in, translations shown in place.
// The page swaps this pane when the case changes: what was opened and typed is put back.
const typed = new Map(), opened = new Set(), machines = new Map();
let search = "", clock = 0;

const pane = () => document.getElementById("phrases");
const keyOf = (element) => element.closest("[data-phrase]")?.dataset.phrase ?? "";
// A sentence may stand under the suggestions and in the list: its fields are told apart by their ids.
const fieldsOf = (form) => [...form.querySelectorAll("input[id]")];

// ---- finding ----

function find() {
  const box = pane()?.querySelector(".find input");
  if (!box) return;
  const wanted = search.trim().toLowerCase();
  const every = pane().querySelector(".every");
  let found = 0;
  for (const phrase of every.querySelectorAll(".phrase")) {
    phrase.hidden = Boolean(wanted) && !phrase.textContent.toLowerCase().includes(wanted);
    found += !phrase.hidden;
  }
  for (const group of every.querySelectorAll(".group")) group.hidden = !group.querySelector(".phrase:not([hidden])");
  pane().querySelector(".suggested").hidden = Boolean(wanted);
  if (wanted) every.open = true;
  const said = document.getElementById("found-phrases");
  said.textContent = wanted && !found ? said.dataset.saysNone : "";
}

// ---- what the citizen will get ----

async function preview(form) {
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "preview");
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const theirs = page.getElementById("theirs"), shown = form.querySelector(".theirs");
  if (theirs && shown && body.toString() === later(form)) shown.replaceChildren(...theirs.childNodes);
}

function later(form) {
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "preview");
  return body.toString();
}

document.addEventListener("input", (event) => {
  if (!pane()?.contains(event.target)) return;
  if (event.target.type === "search") {
    search = event.target.value;
    return find();
  }
  typed.set(event.target.id, event.target.value);
  clearTimeout(clock);
  clock = setTimeout(preview, 300, event.target.form);
});

document.addEventListener("toggle", (event) => {
  if (!pane()?.contains(event.target)) return;
  const name = `${keyOf(event.target)}/${Boolean(event.target.closest(".suggested"))}`;
  if (event.target.open) opened.add(name);
  else opened.delete(name);
  const form = event.target.open && event.target.querySelector(":scope > form");
  if (form && form.querySelector("input[id]")) preview(form);
}, true);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (pane()?.contains(form) && event.submitter?.value === "preview") {
    event.preventDefault();
    preview(form);
  } else if (form.classList.contains("to-machine")) {
    event.preventDefault();
    translate(form);
  } else if (pane()?.contains(form)) {
    for (const field of fieldsOf(form)) typed.delete(field.id);
  }
});

// ---- a line by machine, beside its original ----

async function translate(form) {
  const button = form.querySelector("button"), seq = form.querySelector("[name=seq]").value;
  button.disabled = true;
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } }).catch(() => null);
  button.disabled = false;
  if (!answer || answer.redirected) return form.submit();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const made = page.getElementById("machine");
  const shown = document.createElement("div");
  shown.className = "by-machine";
  shown.setAttribute("role", "status");
  if (made) {
    const mark = document.createElement("span");
    mark.className = "tag";
    mark.textContent = made.querySelector("dt").textContent;
    const text = made.querySelector("dd");
    const words = document.createElement("p");
    words.lang = text.lang;
    words.className = "prose";
    words.textContent = text.textContent;
    shown.append(mark, words);
  } else shown.textContent = page.querySelector(".notice")?.textContent ?? "";
  machines.set(seq, shown);
  putMachines();
}

function putMachines() {
  for (const [seq, shown] of machines) {
    const body = document.querySelector(`[data-seq="${CSS.escape(seq)}"] .body`);
    if (body && !body.contains(shown)) body.append(shown);
  }
}

// ---- after the page swapped its parts ----

function restore() {
  putMachines();
  const box = pane()?.querySelector(".find");
  if (!box || !box.hidden) return;
  box.hidden = false;
  box.querySelector("input").value = search;
  for (const details of pane().querySelectorAll("details")) {
    const name = `${keyOf(details)}/${Boolean(details.closest(".suggested"))}`;
    if (opened.has(name)) details.open = true;
  }
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  find();
}

new MutationObserver(restore).observe(document.body, { childList: true, subtree: true });
restore();
