// Keeps the desk pages fresh: on "changed" the same page is fetched and its parts are swapped in.
const $ = (id) => document.getElementById(id);
const onCase = Boolean($("bubbles"));
const connection = $("connection");
let composing = false, busy = false, again = false;

// ---- the list ----

// Only what changes is swapped: a filter half filled in stays as it is, and a link in focus keeps it.
function swapQueue(page) {
  for (const id of ["views", "on-duty", "list"]) {
    const old = $(id), fresh = page.getElementById(id);
    if (!old || !fresh || old.innerHTML === fresh.innerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceWith(fresh);
    if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

// ---- one case ----

// The column is reversed: the end of the transcript is scroll position 0, older is negative.
function swapTranscript(page) {
  const list = $("bubbles"), log = $("log");
  const fresh = page.getElementById("bubbles");
  if (list.innerHTML === fresh.innerHTML) return;
  const top = log.scrollTop, height = log.scrollHeight;
  const rows = [...list.children], next = [...fresh.children];
  // Only the newest lines are shown: the oldest make room, the others stay as they are.
  while (rows.length && Number(rows[0].dataset.seq) < Number(next[0]?.dataset.seq)) rows.shift().remove();
  next.forEach((row, i) => {
    if (!rows[i]) list.append(row);
    else if (rows[i].outerHTML !== row.outerHTML) rows[i].replaceWith(row);
  });
  for (const row of rows.slice(next.length)) row.remove();
  if (top < -80) log.scrollTop = top - (log.scrollHeight - height);
}

function swapPart(id, page) {
  const old = $(id), fresh = page.getElementById(id), top = old.scrollTop;
  for (const part of old.querySelectorAll("details[id]")) page.getElementById(part.id)?.toggleAttribute("open", part.open);
  if (old.innerHTML === fresh.innerHTML || old.contains(document.activeElement)) return;
  for (const field of old.querySelectorAll("textarea[id], input[id]")) keepTyped(field, fresh);
  old.replaceWith(fresh);
  fresh.scrollTop = top;
}

function keepTyped(field, fresh) {
  const same = fresh.querySelector(`#${CSS.escape(field.id)}`);
  if (same && field.value !== field.defaultValue) same.value = field.value;
}

// The box is only touched when the case changed hands; what was typed and where is kept.
function swapDock(page) {
  const old = $("dock"), fresh = page.getElementById("dock");
  if (old.dataset.state === fresh.dataset.state) return;
  const box = $("text"), typed = box?.value, focused = document.activeElement === box;
  old.replaceWith(fresh);
  const next = $("text");
  if (!typed) return;
  if (!next) return fresh.append(keptText(typed));
  next.value = typed;
  if (focused) next.focus();
}

function keptText(text) {
  const kept = document.createElement("textarea");
  kept.readOnly = true;
  kept.value = text;
  kept.setAttribute("aria-label", $("main").dataset.saysKept);
  return kept;
}

// ---- refreshing ----

// A page that answers a form bears the address of that form: looking again must not send it again.
const here = location.href.replace(/(\/desk\/cases\/\d+)\/[^?#]*/, "$1");

async function refresh() {
  if (busy || composing) return void (again = true);
  busy = true;
  again = false;
  const answer = await fetch(here, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.redirected && new URL(answer.url).pathname !== new URL(here).pathname) return location.assign(here);
  if (answer?.ok && !composing) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = page.title;
    document.dispatchEvent(new CustomEvent("desk:fresh", { detail: page }));
    if (onCase) {
      swapTranscript(page);
      swapPart("earlier", page);
      swapPart("head", page);
      swapPart("side", page);
      swapDock(page);
    } else swapQueue(page);
  } else if (answer?.status === 403 && onCase) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    $("notice").textContent = page.querySelector("main p, [role=alert]")?.textContent ?? "";
  }
  busy = false;
  if (again && !composing) refresh();
}

let stream, wait = 1000;
function listen() {
  stream = new EventSource("/desk/events");
  stream.addEventListener("changed", refresh);
  stream.onopen = () => {
    wait = 1000;
    if (connection) connection.textContent = "";
  };
  stream.onerror = () => {
    if (connection) connection.textContent = connection.dataset.saysLost;
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, wait);
    wait = Math.min(wait * 2, 30000);
  };
}
// A page nobody looks at need not ask, unless it is to tell of waiting cases.
setInterval(() => {
  if (stream.readyState !== EventSource.OPEN && (!document.hidden || document.body.dataset.listens)) refresh();
}, 20000);

// ---- keyboard ----

document.addEventListener("compositionstart", () => { composing = true; });
document.addEventListener("compositionend", () => {
  composing = false;
  if (again) refresh();
});
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || event.key !== "Enter" || event.shiftKey) return;
  if (event.isComposing || event.keyCode === 229 || matchMedia("(pointer: coarse)").matches) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

$("text")?.focus({ preventScroll: true });
listen();
