// Words in the reader's language, elements, and the way to the server.

export const zh = (new URLSearchParams(location.search).get("ui") ?? navigator.language).startsWith("zh");

export const t = (english, chinese) => (zh ? chinese : english);

/** Puts the Chinese words into the page; the toggle shows the other language. */
export function translatePage() {
  document.documentElement.lang = zh ? "zh-TW" : "en";
  if (zh) for (const each of document.querySelectorAll("[data-zh]")) each.textContent = each.dataset.zh;
  const toggle = document.getElementById("tongue");
  toggle.textContent = zh ? "English" : "中文";
  toggle.onclick = () => { location.search = `?ui=${zh ? "en" : "zh"}`; };
}

/** An element; every text becomes a text node, never markup. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export async function ask(order) {
  const answer = await fetch("/do", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(order),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

const ADDRESS = /https?:\/\/[^\s，。；：、（）「」()<>"]+/g;

/** A text whose addresses can be tapped. */
export function linked(text, open) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    parts.push(text.slice(at, match.index));
    parts.push(el("button", { type: "button", class: "address", onclick: () => open(match[0]) }, match[0]));
    at = match.index + match[0].length;
  }
  return [...parts, text.slice(at)];
}

/** A dialog of our own; `rows` are its elements, `deeds` are [label, work] pairs beside "cancel". */
export function dialog(title, rows, deeds = []) {
  const box = document.getElementById("dialog");
  const form = box.querySelector("form");
  const closing = (work) => (event) => {
    event.preventDefault();
    if (work && !form.reportValidity()) return;
    box.close();
    if (work) work();
  };
  form.replaceChildren(
    el("h2", {}, title),
    ...rows,
    el("div", { class: "dialog-deeds" },
      ...deeds.map(([label, work]) => el("button", { class: "main", onclick: closing(work) }, label)),
      el("button", { type: "button", onclick: closing(null) }, t("Close", "關閉"))),
  );
  box.showModal();
}

export function field(label, properties) {
  const input = el("input", properties);
  return [el("label", {}, el("span", {}, label), input), input];
}

export function selection(label, options) {
  const input = el("select", {}, ...options.map(([value, text]) => el("option", { value }, text)));
  return [el("label", {}, el("span", {}, label), input), input];
}
