// The page: who is there, the open chat, how both platforms stand. Asks the server for news twice a second.

import { Deeds } from "./deeds.js";
import * as line from "./line.js";
import * as telegram from "./telegram.js";
import { ask, el, t, translatePage } from "./words.js";

const POLL_MS = 400;
const byId = (id) => document.getElementById(id);
const NOTES = {
  follow: ["adds the account", "加入好友"], unfollow: ["blocks the account", "封鎖帳號"], unsend: ["takes a message back", "收回訊息"],
  unsent: ["(taken back)", "（已收回）"], edited: ["changes a message", "編輯訊息"], join: ["takes the bot in", "邀請機器人加入"],
  leave: ["sends the bot away", "移出機器人"], again: ["delivered again", "重送一次"], block: ["blocks the bot", "封鎖機器人"],
  unblock: ["lets the bot in again", "解除封鎖"], deleted: ["deletes a message: Telegram does not tell the bot", "刪除訊息：Telegram 不會通知機器人"],
  callback: ["taps", "點按"], postback: ["taps", "點按"],
};
const DELIVERIES = {
  privacy: ["not shown to the bot: it is not mentioned", "機器人看不到：沒有提到它"],
  waiting: ["waits for the bot", "等待機器人"], unwanted: ["the bot did not ask for this kind", "機器人不收這類更新"],
};

let state = null;
let mark = "";
let open = "";
let menuShown = "";
let atEnd = true;
const drawn = new Map();
const seen = new Map();

const chatOf = (key) => state?.chats.find((chat) => `${chat.channel}:${chat.id}` === key);
const deeds = new Deeds({
  key: () => open,
  who: () => (chatOf(open)?.group ? byId("who").value : open.slice(open.indexOf(":") + 1)),
  chats: () => state.chats,
  show: (key) => show(key),
  now: () => { atEnd = true; poll(); },
});

// -- news

async function poll() {
  try {
    const asked = open;
    const answer = await fetch(`/state?${new URLSearchParams({ chat: open, seen: mark })}`);
    document.body.classList.remove("lost");
    if (answer.status !== 200 || asked !== open) return;
    mark = answer.headers.get("x-mark");
    state = await answer.json();
    if (asked === open) draw();
  } catch (error) {
    document.body.classList.add("lost");
    console.warn(error);
  }
}

async function keepPolling() {
  await poll();
  if (!open && state) show(`${state.chats[0].channel}:${state.chats[0].id}`);
  setTimeout(keepPolling, POLL_MS);
}

function show(key) {
  open = key;
  mark = "";
  menuShown = "";
  atEnd = true;
  drawn.clear();
  byId("log").replaceChildren();
  byId("menu").replaceChildren();
  byId("text").value = "";
  byId("deeds").hidden = true;
  document.body.dataset.pane = "chat";
  poll();
}

// -- the whole page

function draw() {
  const chat = chatOf(open);
  drawChats();
  drawState();
  if (!chat || !state.open) return;
  seen.set(open, chat.came);
  byId("phone").className = chat.channel;
  byId("chat-name").textContent = chat.name;
  byId("chat-about").textContent = [chat.channel === "line" ? "LINE" : "Telegram", chat.lang, chat.blocked && t("blocked", "已封鎖")].filter(Boolean).join(" · ");
  drawWho(chat);
  drawAround(chat);
  drawLog(chat);
  stick();
  if (byId("deeds").dataset.of !== `${open}${chat.blocked}`) {
    byId("deeds").replaceChildren(...deeds.list(chat));
    byId("deeds").dataset.of = `${open}${chat.blocked}`;
  }
}

function drawChats() {
  const lists = [["line", "LINE"], ["telegram", "Telegram"]].map(([channel, title]) => el("div", {},
    el("h2", {}, title),
    ...state.chats.filter((chat) => chat.channel === channel).map((chat) => {
      const key = `${channel}:${chat.id}`;
      const unread = key === open ? 0 : chat.came - (seen.get(key) ?? 0);
      return el("button", { type: "button", class: "person", "aria-current": key === open && "true", onclick: () => show(key) },
        el("span", { class: "name" }, chat.name),
        el("small", {}, chat.group ? t("group", "群組") : chat.lang),
        unread > 0 ? el("span", { class: "count" }, String(unread)) : null);
    })));
  const before = JSON.stringify(lists.map((list) => list.textContent)) + open;
  if (byId("chats").dataset.of !== before) byId("chats").replaceChildren(...lists);
  byId("chats").dataset.of = before;
}

function drawWho(chat) {
  byId("as").hidden = !chat.group;
  if (!chat.group) return;
  const people = state.chats.filter((each) => each.channel === chat.channel && !each.group);
  if (byId("who").dataset.of !== `${chat.channel}${people.length}`) {
    byId("who").replaceChildren(...people.map((each) => el("option", { value: each.id }, each.name)));
    byId("who").dataset.of = `${chat.channel}${people.length}`;
  }
}

// -- the chat

function drawLog(chat) {
  const log = byId("log");
  const { entries, loading } = state.open;
  const nodes = entries.map((entry) => drawnEntry(chat, entry));
  if (!entries.length) nodes.push(el("p", { class: "empty" }, el("button", { type: "button", onclick: () => deeds.do(chat.group ? "join" : "follow") },
    chat.group ? t("Take the bot in", "邀請機器人") : chat.channel === "line" ? t("Add the account", "加入好友") : "START")));
  if (loading) nodes.push(el("div", { class: "entry theirs loading", "aria-label": t("is writing", "輸入中") }, el("div", { class: "bubble" }, el("i"), el("i"), el("i"))));
  const came = nodes.some((node) => !node.isConnected);
  if (came || nodes.length !== log.children.length) {
    for (const old of [...log.children]) if (!nodes.includes(old)) old.remove();
    nodes.forEach((node, index) => { if (log.children[index] !== node) log.insertBefore(node, log.children[index] ?? null); });
  }
}

/** Who was at the end of the chat stays there, whatever came or changed its size. */
function stick() {
  if (atEnd) byId("log").scrollTop = byId("log").scrollHeight;
}

/** The element of a line, the same one as before where nothing changed: a carousel stays where it was swiped to. */
function drawnEntry(chat, entry) {
  const spinning = (state.open.spinning ?? []).filter(([message]) => message === entry.content.message_id).map(([, data]) => data);
  const looks = JSON.stringify([entry, spinning]);
  const before = drawn.get(entry.number);
  if (before?.looks === looks) return before.node;
  const node = drawEntry(chat, entry, spinning);
  drawn.set(entry.number, { looks, node });
  return node;
}

function drawEntry(chat, entry, spinning) {
  const { content } = entry;
  const note = content.note ?? (content.type === "note" ? content.event : "");
  if (note) return el("div", { class: "entry note" }, `${entry.who} ${t(...(NOTES[note] ?? [note, note]))}`, ...under(chat, entry, false));
  const open_ = (address) => deeds.open(address);
  const body = chat.channel === "line"
    ? line.drawMessage(content, deeds.tap, open_)
    : telegram.drawMessage(content, (message, data) => deeds.do("tap", { message, data }), open_, spinning);
  return el("div", { class: `entry ${entry.who ? "mine" : "theirs"}` },
    entry.who && chat.group ? el("small", { class: "who" }, entry.who) : null, body, ...under(chat, entry, Boolean(entry.who) && !entry.how));
}

function under(chat, entry, own) {
  const time = new Date(entry.at).toLocaleTimeString("en-GB");
  const told = t(...(DELIVERIES[entry.delivery] ?? [entry.delivery, entry.delivery]));
  const words = [time, entry.how, told].filter(Boolean).join(" · ");
  const row = [el("small", { class: entry.failed ? "under failed" : "under" }, words)];
  if (!own) return row;
  const editable = (chat.channel === "telegram" || chat.group) && entry.content.text !== undefined;
  const gone = chat.channel === "line" ? t("unsend", "收回") : t("delete", "刪除");
  row.push(el("span", { class: "own" },
    el("button", { type: "button", onclick: () => deeds.do("unsend", { entry: entry.number, who: whoOf(entry, chat) }) }, gone),
    editable ? el("button", { type: "button", onclick: () => deeds.edit(entry) }, t("edit", "編輯")) : null));
  return row;
}

const whoOf = (entry, chat) => (chat.group ? state.chats.find((each) => each.channel === chat.channel && each.name === entry.who)?.id : deeds.page.who());

// -- around the chat

function drawAround(chat) {
  const shown = state.open;
  const isLine = chat.channel === "line";
  const quick = isLine ? line.quickReplies(shown.entries, deeds.tap)
    : byId("text").value.startsWith("/") ? telegram.commandList(shown.commands, (text) => deeds.do("say", { text })) : [];
  const labels = quick.map((each) => each.textContent).join("\n") + shown.entries.at(-1)?.number;
  if (byId("quick").dataset.of !== labels) byId("quick").replaceChildren(...quick);
  byId("quick").dataset.of = labels;
  byId("keyboard").replaceChildren(...(isLine ? [] : telegram.replyKeyboard(shown.keyboard, press)));
  byId("toast").textContent = shown.toast ?? "";
  byId("toast").hidden = !shown.toast;
  const menu = isLine && shown.menu ? JSON.stringify(shown.menu) : "";
  if (menu !== menuShown) byId("menu").replaceChildren(...(menu ? line.richMenu(shown.menu, deeds.tap) : []));
  menuShown = menu;
}

function press(label, asks) {
  if (asks === "request_location") deeds.place();
  else deeds.do("say", { text: label });
}

// -- how both platforms stand

function drawState() {
  const { bot, faults, situation } = state;
  byId("bot").replaceChildren(
    el("p", { class: bot.alive ? "runs" : "ended" }, bot.alive ? t("The bot runs.", "機器人執行中。") : t("The bot has ended: see the terminal.", "機器人已結束，請看終端機。")),
    ...(bot.url ? [el("p", {}, el("a", { href: `${bot.url}/desk`, target: "_blank", rel: "noopener" }, t("Desk", "承辦人員後台")), " · ",
      el("a", { href: `${bot.url}/`, target: "_blank", rel: "noopener" }, t("Web chat", "網頁對話")))] : []),
    ...bot.notes.map((note) => el("p", { class: "remark" }, note)));
  byId("fault-count").textContent = String(faults.length);
  byId("fault-count").hidden = !faults.length;
  byId("faults").replaceChildren(...faults.map((fault) => el("li", {},
    el("strong", {}, `${fault.channel === "line" ? "LINE" : "Telegram"} ${fault.where}`), ` ${fault.what}`,
    el("small", {}, fault.refused ? t(" refused", " 被拒絕") : t(" let through", " 未被拒絕")))));
  if (!faults.length) byId("faults").append(el("li", { class: "none" }, t("none", "沒有")));
  byId("passed").textContent = state.passed ? `+${state.passed} s` : "";
  const { quota, used } = situation.line;
  byId("quota").textContent = `${t("used", "已用")} ${used} / ${quota ?? "∞"}`;
  for (const box of document.querySelectorAll("[data-outage]")) box.checked = situation[box.dataset.outage].outage;
  const { pending, problem } = situation.telegram;
  byId("inbox").textContent = pending ? `Telegram: ${pending} ${t("updates wait", "則更新等待中")} ${problem}` : "";
  byId("calls").replaceChildren(...(state.open?.calls ?? []).toReversed().map(([name, status]) =>
    el("li", { class: status >= 400 || !status ? "failed" : "" }, `${name} ${status || "—"}`)));
}

// -- what the page's own buttons do

async function order(values) {
  await ask(values);
  poll();
}

function send() {
  const text = byId("text").value.trim();
  if (!text) return;
  byId("text").value = "";
  deeds.do("say", { text, mention: byId("mention").checked });
}

byId("compose").onsubmit = (event) => { event.preventDefault(); send(); };
byId("text").onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
};
byId("text").oninput = () => { if (chatOf(open)) drawAround(chatOf(open)); };
byId("more").onclick = () => {
  byId("deeds").hidden = !byId("deeds").hidden;
  byId("more").setAttribute("aria-expanded", String(!byId("deeds").hidden));
};
byId("newcomer").onsubmit = async (event) => {
  event.preventDefault();
  const { channel, name, language } = Object.fromEntries(new FormData(event.target));
  show((await ask({ act: "person", channel, name, language })).chat);
  event.target.reset();
};
for (const button of document.querySelectorAll(".panes button")) button.onclick = () => { document.body.dataset.pane = button.dataset.pane; };
for (const button of document.querySelectorAll("[data-quota]")) {
  button.onclick = () => order({ act: "quota", limit: button.dataset.quota === "" ? null : Number(button.dataset.quota) });
}
for (const box of document.querySelectorAll("[data-outage]")) box.onchange = () => order({ act: "outage", channel: box.dataset.outage, on: box.checked });
byId("pass").onclick = () => order({ act: "pass", seconds: 61 });
byId("forgive").onclick = () => order({ act: "forgive" });
byId("log").onscroll = (event) => { atEnd = event.target.scrollHeight - event.target.scrollTop - event.target.clientHeight < 60; };
byId("log").addEventListener("load", stick, true); // pictures come late
new ResizeObserver(stick).observe(byId("log"));
translatePage();
keepPolling();
