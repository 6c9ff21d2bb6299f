// "A case is waiting", said by the browser once somebody asked for it: fixed words, nothing of the case.
{
  const KEPT = "desk-notify", ACTED = "desk-acted", OWN_SECONDS = 5;
  const box = document.getElementById("notify");
  const button = box.querySelector("button"), said = box.querySelector("[role=status]");
  let waiting = Number(box.dataset.waiting);

  function get(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  }

  function keep(name, value) {
    try { localStorage.setItem(name, value); } catch { /* it counts for this page */ }
  }

  const can = "Notification" in window && isSecureContext;
  const isOn = () => can && Notification.permission === "granted" && get(KEPT) === "on";

  function show() {
    document.body.dataset.listens = isOn() ? "yes" : "";
    if (!button || !can) return;
    button.hidden = false;
    button.textContent = isOn() ? box.dataset.off : box.dataset.on;
  }

  button?.addEventListener("click", async () => {
    const wanted = !isOn();
    said.textContent = "";
    if (wanted && (await Notification.requestPermission()) !== "granted") said.textContent = box.dataset.refused;
    else keep(KEPT, wanted ? "on" : "off");
    show();
  });

  function tell() {
    try {
      const { title, body } = box.dataset;
      const shown = new Notification(title, { body, tag: "desk", lang: document.documentElement.lang });
      shown.onclick = () => {
        window.focus();
        shown.close();
      };
    } catch { /* a browser that shows none from a page: the count in the title stays */ }
  }

  // A case that oneself gave back is no news, in any tab: one more within a moment of that is not told.
  document.addEventListener("desk:fresh", (event) => {
    const now = Number(event.detail.getElementById("notify")?.dataset.waiting ?? waiting);
    const own = Date.now() - Number(get(ACTED)) < OWN_SECONDS * 1000 ? 1 : 0;
    if (now > waiting + own && isOn()) tell();
    waiting = now;
  });
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action")?.endsWith("/transfer")) keep(ACTED, String(Date.now()));
  });
  addEventListener("storage", show);
  show();
}
