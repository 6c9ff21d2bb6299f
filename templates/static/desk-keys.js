// The keys of the desk. A page marks with data-key what it offers; what a key does follows from what it stands on.
// Off where somebody switched them off in this browser; never in a field, with a modifier, or while text is composed.
{
  const KEPT = "desk-keys", PAGE = "/desk/keys";
  const VIEWS = { w: "waiting", m: "mine", a: "all", c: "closed" };
  const FIELDS = "input, textarea, select, [contenteditable]";
  let at = 0, going = 0, asking = false;

  function isOn() {
    try { return localStorage.getItem(KEPT) !== "off"; } catch { return true; }
  }

  function keep(on) {
    try { on ? localStorage.removeItem(KEPT) : localStorage.setItem(KEPT, "off"); } catch { /* it counts for this page */ }
  }

  // ---- moving and acting ----

  function step(by) {
    const links = [...document.querySelectorAll("#list h2 a")];
    const now = links.indexOf(document.activeElement);
    at = Math.max(0, Math.min(links.length - 1, now < 0 ? at : now + by));
    links[at]?.focus();
  }

  function act(target) {
    for (let around = target.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    if (target.matches("summary")) target.parentElement.querySelector("input:not([type=hidden]), select, textarea, button").focus();
    else if (target.matches(FIELDS)) target.focus();
    else target.click();
  }

  function press(key) {
    const gone = going;
    going = 0;
    if (gone && Date.now() - gone < 2000 && VIEWS[key]) location.href = `/desk?view=${VIEWS[key]}`;
    else if (key === "g") going = Date.now();
    else if (key === "?") help();
    else {
      const target = document.querySelector(`main [data-key="${CSS.escape(key)}"]`);
      if (target) act(target);
      return Boolean(target);
    }
    return true;
  }

  function leave(field) {
    if (field.matches("select") || (field.type === "search" && field.value)) return;
    field.blur();
    document.getElementById("log")?.focus({ preventScroll: true });
  }

  // Who writes Chinese may have the keys give phonetic signs: then the place of the key counts.
  function nameOf(event) {
    if (event.key.length > 1 || /[!-~]/.test(event.key)) return event.key;
    return event.shiftKey ? "" : event.code.replace(/^Key/, "").toLowerCase();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !isOn()) return;
    if (event.keyCode === 229 || event.target.closest("dialog")) return;
    if (event.target.matches(FIELDS)) return void (event.key === "Escape" && leave(event.target));
    const key = nameOf(event);
    if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
    else if (key.length !== 1 || key === " " || event.repeat || !press(key)) return;
    event.preventDefault();
  });

  // ---- the list of keys, in a dialog ----

  async function help() {
    if (asking || document.querySelector("dialog[open]") || document.getElementById("keys")) return;
    asking = true;
    const before = document.activeElement;
    const answer = await fetch(PAGE, { headers: { Accept: "text/html" } }).catch(() => null);
    const page = answer?.ok && !answer.redirected && new DOMParser().parseFromString(await answer.text(), "text/html");
    asking = false;
    const keys = page && page.getElementById("keys");
    if (!keys) return void (location.href = PAGE);
    const dialog = document.createElement("dialog");
    dialog.className = "keys-dialog";
    dialog.setAttribute("aria-labelledby", "keys-title");
    dialog.append(keys);
    dialog.querySelector(".shut").hidden = false;
    document.body.append(dialog);
    wire();
    dialog.addEventListener("close", () => {
      dialog.remove();
      back(before);
    });
    dialog.showModal();
  }

  // The page may have been refreshed under the dialog: the same link or field takes the focus.
  function back(before) {
    const href = before.getAttribute("href");
    const same = before.id ? document.getElementById(before.id) : href && document.querySelector(`a[href="${CSS.escape(href)}"]`);
    (before.isConnected ? before : same)?.focus();
  }

  function wire() {
    const box = document.getElementById("keys-on");
    if (!box) return;
    box.closest(".switch").hidden = false;
    document.getElementById("keys-need").hidden = true;
    box.checked = isOn();
    box.addEventListener("change", () => keep(box.checked));
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(`a[href="${PAGE}"]`);
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || document.getElementById("keys")) return;
    event.preventDefault();
    help();
  });
  wire();
}
