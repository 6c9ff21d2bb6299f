// What a person can do in an open chat: tap, send things, take them back, open links.

import { ask, dialog, el, field, selection, t } from "./words.js";

const TOWNS = [
  ["25.0120,121.4657,新北市板橋區", "板橋"], ["25.0360,121.4320,新北市新莊區", "新莊"],
  ["25.0690,121.6590,新北市汐止區", "汐止"], ["25.1676,121.4406,新北市淡水區", "淡水"], ["24.1477,120.6736,臺中市", "臺中"],
];
const byId = (id) => document.getElementById(id);
let pictures = 0;

/** `page` gives the open chat, who writes, all chats, and opens another chat. */
export class Deeds {
  constructor(page) { this.page = page; }

  async do(act, values = {}) {
    const order = { act, chat: this.page.key(), who: this.page.who(), ...values };
    try {
      await ask(order);
    } catch (error) {
      dialog(t("That does not work", "無法執行"), [el("p", {}, error.message)]);
    }
    this.page.now();
  }

  // -- taps on LINE

  tap = (action) => {
    const deeds = {
      uri: () => this.open(action.uri),
      datetimepicker: () => this.pickDate(action),
      location: () => this.place(),
      camera: () => this.picture(),
      cameraRoll: () => this.picture(),
      clipboard: () => this.prefill(action.clipboardText),
    };
    if (deeds[action.type]) deeds[action.type]();
    else this.do("tap", { action });
    if (action.fillInText) this.prefill(action.fillInText);
  };

  pickDate(action) {
    const kinds = { date: "date", time: "time", datetime: "datetime-local" };
    const [row, input] = field(action.label ?? action.mode, {
      type: kinds[action.mode], value: action.initial, min: action.min, max: action.max, required: true, id: "picked",
    });
    dialog(action.label ?? action.mode, [row], [[t("Choose", "選擇"), () => this.do("tap", { action, params: { [action.mode]: input.value } })]]);
  }

  prefill(text) { byId("text").value = text; byId("text").focus(); }

  // -- things to send

  place() {
    const [townRow, town] = selection(t("Place", "地點"), TOWNS);
    const [exactRow, exact] = field(t("or latitude, longitude", "或緯度,經度"), { pattern: "-?[0-9.]+ *, *-?[0-9.]+", placeholder: "25.01,121.46" });
    dialog(t("Send a location", "傳送位置"), [townRow, exactRow], [[t("Send", "傳送"), () => {
      const [latitude, longitude, address = ""] = (exact.value || town.value).split(",");
      this.do("place", { latitude: Number(latitude), longitude: Number(longitude), address: address.trim() });
    }]]);
  }

  /** A picture drawn here: a real JPEG, each another. */
  picture() {
    const canvas = el("canvas", { width: 480, height: 320 });
    const brush = canvas.getContext("2d");
    const shade = brush.createLinearGradient(0, 0, 480, 320);
    shade.addColorStop(0, `hsl(${(pictures * 67) % 360} 60% 75%)`);
    shade.addColorStop(1, `hsl(${(pictures * 67 + 60) % 360} 60% 45%)`);
    brush.fillStyle = shade;
    brush.fillRect(0, 0, 480, 320);
    brush.fillStyle = "#fff";
    brush.font = "bold 96px sans-serif";
    brush.fillText(`# ${(pictures += 1)}`, 150, 190);
    const [, data] = canvas.toDataURL("image/jpeg").split(",");
    this.do("file", { data, type: "image/jpeg", name: "picture.jpg" });
  }

  file() {
    const input = byId("file");
    input.onchange = () => {
      const [file] = input.files;
      const reader = new FileReader();
      reader.onload = () => this.do("file", { data: reader.result.split(",")[1] ?? "", type: file.type, name: file.name });
      reader.readAsDataURL(file);
      input.value = "";
    };
    input.click();
  }

  // -- one's own messages

  edit(entry) {
    const [row, input] = field(t("New text", "新的內容"), { value: entry.content.text ?? "", required: true, id: "changed" });
    dialog(t("Edit the message", "編輯訊息"), [row], [[t("Save", "儲存"), () => this.do("edit", { entry: entry.number, text: input.value })]]);
  }

  // -- links

  /** Shows an address. A link into one of the two platforms opens a chat there, as somebody. */
  open(address) {
    const rows = [el("p", { class: "address-shown" }, address)];
    const deeds = [];
    const there = this.intoPlatform(address);
    if (there) {
      const people = this.page.chats().filter((chat) => chat.channel === there.channel && !chat.group);
      const [row, who] = selection(t("Open it as", "以誰的身分開啟"), people.map((chat) => [`${chat.channel}:${chat.id}`, chat.name]));
      rows.push(row);
      deeds.push([t("Open", "開啟"), () => { this.page.show(who.value); there.then(); }]);
    } else if (/^https?:/.test(address)) {
      rows.push(el("p", {}, el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, t("open in a new tab", "在新分頁開啟"))));
    }
    dialog(t("A link", "連結"), rows, deeds);
  }

  intoPlatform(address) {
    const telegram = address.match(/^https:\/\/t\.me\/\w+\?start=([\w-]{1,64})$/);
    if (telegram) return { channel: "telegram", then: () => this.do("follow", { payload: telegram[1] }) };
    const line = address.match(/^https:\/\/line\.me\/R\/oaMessage\/[^/]+\/\?(.*)$/);
    return line ? { channel: "line", then: () => this.prefill(decodeURIComponent(line[1])) } : null;
  }

  pasteLink() {
    const [row, input] = field(t("Address", "網址"), { type: "url", required: true });
    dialog(t("Open a link", "開啟連結"), [row], [[t("Go on", "繼續"), () => this.open(input.value)]]);
  }

  // -- the list behind "+"

  list(chat) {
    const line = chat.channel === "line";
    const sending = [[t("Picture", "圖片"), () => this.picture()], [t("Picture or file…", "選擇檔案…"), () => this.file()]];
    const alone = [
      [t("Voice", "語音"), () => this.do("voice")], [t("Sticker", "貼圖"), () => this.do("sticker")],
      [t("Location", "位置"), () => this.place()],
      [line ? t("Follow", "加入好友") : "/start", () => this.do("follow")],
      chat.blocked ? [t("Unblock", "解除封鎖"), () => this.do(line ? "follow" : "unblock")] : [t("Block", "封鎖"), () => this.do("block")],
    ];
    const together = [[t("Take the bot in", "邀請機器人"), () => this.do("join")], [t("Send the bot away", "移出機器人"), () => this.do("leave")]];
    const always = [[t("Deliver again", "重送上一則"), () => this.do("again")], [t("Open a link…", "開啟連結…"), () => this.pasteLink()]];
    return [...sending, ...(chat.group ? together : alone), ...always].map(([label, deed]) =>
      el("button", { type: "button", onclick: deed }, label));
  }
}
