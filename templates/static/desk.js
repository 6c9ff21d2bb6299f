// Keeps the desk pages fresh: on "changed" the same page is fetched and its parts are swapped in.
const $ = (id) => document.getElementById(id);
const onCase = Boolean($("bubbles"));
const connection = $("connection");
let composing = false, busy = false, again = false;

// ---- the list ----

function swapQueue(page) {
  const old = $("main"), fresh = page.getElementById("main");
  if (!fresh || old.innerHTML === fresh.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceWith(fresh);
  if (focused) document.querySelector(`main a[href="${CSS.escape(focused)}"]`)?.focus();
}

// ---- one case ----

// The column is reversed: the end of the transcript is scroll position 0, older is negative.
function swapTranscript(page) {
  const list = $("bubbles"), log = $("log");
  const fresh = page.getElementById("bubbles");
  if (list.innerHTML === fresh.innerHTML) return;
  const top = log.scrollTop, height = log.scrollHeight;
  const rows = [...list.children], next = [...fresh.children];
  next.forEach((row, i) => {
    if (!rows[i]) list.append(row);
    else if (rows[i].outerHTML !== row.outerHTML) rows[i].replaceWith(row);
  });
  for (const row of rows.slice(next.length)) row.remove();
  if (top < -80) log.scrollTop = top - (log.scrollHeight - height);
}

function swapPart(id, page) {
  const old = $(id), fresh = page.getElementById(id);
  if (old.innerHTML !== fresh.innerHTML && !old.contains(document.activeElement)) old.replaceWith(fresh);
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

async function refresh() {
  if (busy || composing) return void (again = true);
  busy = true;
  again = false;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.redirected && new URL(answer.url).pathname !== location.pathname) return location.reload();
  if (answer?.ok && !composing) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = page.title;
    if (onCase) {
      swapTranscript(page);
      swapPart("head", page);
      swapPart("side", page);
      swapDock(page);
    } else swapQueue(page);
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
setInterval(() => { if (stream.readyState !== EventSource.OPEN && !document.hidden) refresh(); }, 20000);

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
