// Draws LINE's messages: texts, Flex bubbles and carousels, templates, quick replies, rich menus.

import { el, linked, t } from "./words.js";

const SIZES = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29, "3xl": 35, "4xl": 48, "5xl": 74 };
const SPACES = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const COLOR = /^#[0-9a-f]{6}([0-9a-f]{2})?$/i;
const LENGTH = /^\d+(\.\d+)?(px|%)$/;
const PADDINGS = {
  paddingAll: ["padding"], paddingTop: ["paddingTop"], paddingBottom: ["paddingBottom"],
  paddingStart: ["paddingLeft"], paddingEnd: ["paddingRight"],
};
const STICKER = "🙂";

const space = (value) => (value in SPACES ? `${SPACES[value]}px` : LENGTH.test(value ?? "") ? value : "");
const color = (value) => (COLOR.test(value ?? "") ? value : "");

/** The element of a message. `tap(action)` is called for a button; `open(url)` for an address in a text. */
export function drawMessage(message, tap, open) {
  if (message.type === "text") return el("div", { class: "bubble" }, ...linked(message.text, open));
  if (message.type === "flex") return drawFlex(message, tap);
  if (message.type === "template") return drawTemplate(message, tap);
  return drawOther(message);
}

function drawOther(message) {
  if (message.type === "image" && message.id) {
    return el("img", { class: "picture", src: `/content/line/${message.id}`, alt: t("picture", "圖片") });
  }
  const words = {
    sticker: `${STICKER} ${t("sticker", "貼圖")}`,
    audio: `▶ ${t("voice message", "語音訊息")} ${Math.round((message.duration ?? 0) / 1000)} s`,
    file: `📄 ${message.fileName}`,
    location: `📍 ${[message.title, message.address, `${message.latitude}, ${message.longitude}`].filter(Boolean).join(" · ")}`,
  };
  return el("div", { class: "bubble" }, words[message.type] ?? `[${message.type}]`);
}

// -- Flex

function drawFlex(message, tap) {
  const { contents } = message;
  const bubbles = contents.type === "carousel" ? contents.contents : [contents];
  const drawn = bubbles.map((bubble) => drawBubble(bubble, tap));
  const several = contents.type === "carousel";
  const box = el("div", { class: several ? "flex carousel" : "flex", ...(several && { tabindex: 0, role: "group" }) }, ...drawn);
  box.setAttribute("aria-label", message.altText);
  box.title = `altText: ${message.altText}`;
  return box;
}

function drawBubble(bubble, tap) {
  const drawn = el("div", { class: `flex-bubble size-${/^\w+$/.test(bubble.size ?? "") ? bubble.size : "mega"}` });
  for (const block of ["header", "hero", "body", "footer"]) {
    if (!bubble[block]) continue;
    const part = component(bubble[block], tap);
    part.classList.add(`flex-${block}`);
    const style = bubble.styles?.[block];
    if (style?.backgroundColor) part.style.backgroundColor = color(style.backgroundColor);
    if (style?.separator) part.classList.add("separated");
    drawn.append(part);
  }
  if (bubble.action) actionable(drawn, bubble.action, tap);
  return drawn;
}

function component(each, tap, vertical = true) {
  const draw = { box: drawBox, text: drawText, button: drawButton, separator: () => el("hr") }[each.type];
  const made = draw ? draw(each, tap) : el("div", { class: "placeholder" }, ["filler", "spacer"].includes(each.type) ? "" : `[${each.type}]`);
  if (each.margin) made.style[vertical ? "marginTop" : "marginLeft"] = space(each.margin);
  if (each.action && each.type !== "button") actionable(made, each.action, tap);
  return made;
}

function drawBox(box, tap) {
  const vertical = box.layout === "vertical";
  const made = el("div", { class: `flex-box ${vertical ? "vertical" : "horizontal"}` });
  if (box.layout === "baseline") made.style.alignItems = "baseline";
  for (const [index, child] of (box.contents ?? []).entries()) {
    const part = component(child, tap, vertical);
    if (!vertical) part.style.flex = `${child.flex ?? 1} 1 0`;
    if (box.spacing && index && !child.margin) part.style[vertical ? "marginTop" : "marginLeft"] = space(box.spacing);
    made.append(part);
  }
  for (const [name, [property]] of Object.entries(PADDINGS)) if (box[name]) made.style[property] = space(box[name]);
  if (box.backgroundColor) made.style.backgroundColor = color(box.backgroundColor);
  if (box.cornerRadius) made.style.borderRadius = space(box.cornerRadius);
  return made;
}

function drawText(text) {
  const words = text.contents ? text.contents.map((span) => styled(el("span", {}, span.text ?? ""), span)) : [text.text ?? ""];
  const made = styled(el("div", { class: text.wrap ? "flex-text wrap" : "flex-text" }, ...words), text);
  if (["start", "end", "center"].includes(text.align)) made.style.textAlign = text.align;
  return made;
}

function styled(made, text) {
  made.style.fontSize = text.size in SIZES ? `${SIZES[text.size]}px` : LENGTH.test(text.size ?? "") ? text.size : "";
  if (text.weight === "bold") made.style.fontWeight = "700";
  if (text.style === "italic") made.style.fontStyle = "italic";
  made.style.color = color(text.color);
  return made;
}

function drawButton(button, tap) {
  const style = ["primary", "secondary"].includes(button.style) ? button.style : "link";
  const made = el("button", { type: "button", class: `flex-button ${style} ${button.height === "sm" ? "small" : ""}` },
    button.action?.label ?? "");
  if (button.color) made.style[style === "link" ? "color" : "backgroundColor"] = color(button.color);
  made.onclick = () => tap(button.action);
  return made;
}

function actionable(made, action, tap) {
  made.classList.add("actionable");
  made.setAttribute("role", "button");
  made.tabIndex = 0;
  made.onclick = (event) => { event.stopPropagation(); tap(action); };
  made.onkeydown = (event) => { if (event.key === "Enter") made.onclick(event); };
}

// -- templates

function drawTemplate(message, tap) {
  const { template } = message;
  const columns = template.columns ?? [template];
  const cards = columns.map((column) => el("div", { class: "flex-bubble size-kilo" },
    el("div", { class: "flex-box vertical flex-body" },
      column.title ? el("div", { class: "flex-text wrap strong" }, column.title) : null,
      column.text ? el("div", { class: "flex-text wrap" }, column.text) : null),
    el("div", { class: "flex-box vertical flex-footer" },
      ...(column.actions ?? [column.action]).filter(Boolean).map((action) => drawButton({ action }, tap)))));
  return el("div", { class: cards.length > 1 ? "flex carousel" : "flex", "aria-label": message.altText }, ...cards);
}

// -- around the messages

/** The quick replies under the last message; none once something newer came. */
export function quickReplies(entries, tap) {
  const last = entries.filter((entry) => !entry.who || entry.content.type !== "note" || entry.content.event === "postback").at(-1);
  const items = last && !last.who ? last.content.quickReply?.items ?? [] : [];
  return items.map(({ action }) => el("button", { type: "button", class: "quick-reply", onclick: () => tap(action) }, action.label));
}

/** The rich menu: its picture with a button over each area, and its bar. */
export function richMenu(menu, tap) {
  const picture = el("div", { class: "menu-picture" },
    el("img", { src: `/content/line/${menu.id}`, alt: "" }),
    ...menu.areas.map(({ bounds, action }) => {
      const area = el("button", { type: "button", class: "menu-area", onclick: () => tap(action) });
      area.setAttribute("aria-label", action.label ?? action.displayText ?? action.data ?? action.type);
      area.style.left = `${(100 * bounds.x) / menu.size.width}%`;
      area.style.top = `${(100 * bounds.y) / menu.size.height}%`;
      area.style.width = `${(100 * bounds.width) / menu.size.width}%`;
      area.style.height = `${(100 * bounds.height) / menu.size.height}%`;
      return area;
    }));
  const bar = el("button", { type: "button", class: "menu-bar" }, `${menu.chatBarText} ▾`);
  picture.hidden = !menu.selected;
  bar.setAttribute("aria-expanded", String(menu.selected));
  bar.onclick = () => {
    picture.hidden = !picture.hidden;
    bar.setAttribute("aria-expanded", String(!picture.hidden));
  };
  return [bar, picture];
}
