// Draws Telegram's messages: marked text, inline keyboards, the reply keyboard, the menu of commands.

import { el, linked, t } from "./words.js";

const MARKS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "code", blockquote: "i" };

/** Text with its entities; offsets are UTF-16 units, as in JavaScript. Only the marks above and links are drawn. */
export function marked(text, entities, open) {
  const edges = new Set([0, text.length]);
  for (const { offset, length } of entities) edges.add(offset).add(offset + length);
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(0, -1).flatMap((start, index) => {
    const part = text.slice(start, sorted[index + 1]);
    const over = entities.filter(({ offset, length }) => offset <= start && start < offset + length);
    if (!over.length) return linked(part, open);
    return [over.reduce((inner, entity) => wrapped(inner, entity, open), document.createTextNode(part))];
  });
}

function wrapped(inner, entity, open) {
  if (entity.type === "text_link") {
    return el("button", { type: "button", class: "address", title: entity.url, onclick: () => open(entity.url) }, inner);
  }
  return MARKS[entity.type] ? el(MARKS[entity.type], {}, inner) : inner;
}

/** The element of a message. `tap(message, data)`; `spinning`: data of its buttons that wait for an answer. */
export function drawMessage(message, tap, open, spinning) {
  const bubble = el("div", { class: "bubble" }, ...contents(message, open));
  if (message.edit_date) bubble.append(el("span", { class: "edited" }, t(" edited", " 已編輯")));
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (!rows.length) return bubble;
  return el("div", { class: "with-keyboard" }, bubble,
    ...rows.map((row) => el("div", { class: "keyboard-row" }, ...row.map((button) => drawButton(message, button, tap, open, spinning)))));
}

function contents(message, open) {
  if (message.photo) {
    const best = message.photo.at(-1);
    return [el("img", { class: "picture", src: `/content/telegram/${best.file_id}`, alt: t("picture", "圖片") }),
      ...marked(message.caption ?? "", message.caption_entities ?? [], open)];
  }
  if (message.text !== undefined) return marked(message.text, message.entities ?? [], open);
  if (message.document) return [`📄 ${message.document.file_name ?? ""}`];
  if (message.voice) return [`▶ ${t("voice message", "語音訊息")} ${message.voice.duration} s`];
  if (message.location) return [`📍 ${message.location.latitude}, ${message.location.longitude}`];
  if (message.sticker) return [el("span", { class: "sticker" }, message.sticker.emoji)];
  return [`[${Object.keys(message).join(", ")}]`];
}

function drawButton(message, button, tap, open, spinning) {
  const spins = spinning.includes(button.callback_data);
  const deed = button.callback_data === undefined ? () => open(button.url ?? "") : () => tap(message.message_id, button.callback_data);
  return el("button", { type: "button", class: spins ? "inline spinning" : "inline", "aria-busy": spins && "true", onclick: deed },
    `${button.text}${button.url ? " ↗" : ""}`);
}

/** The keyboard in place of the person's own; `press(label, asks)`. */
export function replyKeyboard(rows, press) {
  return rows.map((row) => el("div", { class: "keyboard-row" },
    ...row.map(({ label, asks }) => el("button", { type: "button", class: "reply-key", onclick: () => press(label, asks) },
      `${asks === "request_location" ? "📍 " : ""}${label}`))));
}

/** The commands, as the menu beside the text field lists them. */
export function commandList(commands, send) {
  return commands.map(({ command, description }) => el("button", { type: "button", class: "quick-reply", title: description,
    onclick: () => send(`/${command}`) }, `/${command}`, el("small", {}, ` ${description}`)));
}
