// How each kind of channel shows a message: the same words and buttons, as RCS, WhatsApp, Apple Messages and SMS would.
import { h } from "/assets/common.js";

const LOOKS = {
  rcs: { name: "RCS", hint: "Verified", draw: card },
  whatsapp: { name: "WhatsApp", hint: "Business", draw: whatsapp },
  apple: { name: "Messages for Business", hint: null, draw: apple },
  sms: { name: "Text message", hint: null, draw: sms },
};

const minutes = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** One message with its sender's line. `tap` is told which of its buttons was tapped. */
export function drawn(message, tap) {
  const look = LOOKS[message.style] ?? LOOKS.rcs;
  const segments = message.segments ? `${message.segments} segment${message.segments > 1 ? "s" : ""}` : null;
  const said = [look.name, look.hint, segments].filter(Boolean).join(" · ");
  return [
    h("p", { class: "from" },
      h("span", { class: "avatar", "aria-hidden": "true" }, message.from.trim().charAt(0)),
      h("span", { class: "who" }, h("b", {}, message.from), h("span", {}, said)),
      h("time", { datetime: message.at }, minutes(message.at))),
    look.draw(message, tap),
  ];
}

/** The text with its link, if it has one, as a link. */
function linked({ text, link }) {
  const place = link ? text.lastIndexOf(link) : -1;
  if (place < 0) return [text];
  return [text.slice(0, place), page(link, link), text.slice(place + link.length)];
}

const page = (link, ...children) => h("a", { href: link, target: "_blank", rel: "noopener" }, ...children);

function words(message, level) {
  const heading = `heading-${message.id}`;
  return [message.title ? h(level, { id: heading }, message.title) : null, h("p", { class: "say" }, linked(message))];
}

/** The buttons, unless the message was taken back. One that opens the page is a link, and a tap as well. `mark` makes the sign
 * that tells the two apart. */
function taps(message, tap, mark) {
  const button = (action) => action.action === "open"
    ? h("a", { class: "tap", "data-action": "open", href: message.link, target: "_blank", rel: "noopener", onclick: () => tap(action) }, action.label, mark?.("↗"))
    : h("button", { type: "button", class: "tap", "data-action": action.action, "data-code": action.session_code, onclick: () => tap(action) }, mark?.("↩"), action.label);
  return message.retracted ? [] : message.actions.map(button);
}

/** RCS: a card that holds its buttons. */
function card(message, tap) {
  return h("article", { class: "bubble", "aria-labelledby": `heading-${message.id}` },
    h("div", { class: "words" }, words(message, "h2")),
    h("div", { class: "taps" }, taps(message, tap)));
}

/** WhatsApp: a bubble, and beneath it a tile for each button. */
function whatsapp(message, tap) {
  const icon = (sign) => h("span", { class: "icon", "aria-hidden": "true" }, sign);
  return h("article", { class: "chat", "aria-labelledby": `heading-${message.id}` },
    h("div", { class: "bubble" }, words(message, "h2")),
    h("div", { class: "taps" }, taps(message, tap, icon)));
}

/** Apple: a bubble, with a payment's sheet behind a button of its own, or with quick replies on the customer's side. */
function apple(message, tap) {
  const sheet = message.actions.find((action) => action.sheet);
  const pay = sheet && !message.retracted
    ? h("button", { type: "button", class: "pay", "data-action": "approve", onclick: () => confirm(message, () => tap({ ...sheet, label: "Pay" })) }, "Pay") : null;
  return h("article", { class: "chat" },
    h("div", { class: "bubble" }, words(message, "h2"), pay),
    sheet ? null : h("div", { class: "taps" }, taps(message, tap)));
}

/** What a wallet shows before it pays: whom, how much, with which card. */
function confirm(message, pay) {
  const sheet = h("dialog", { class: "sheet", "aria-label": "Pay" },
    h("p", { class: "mark" }, "Pay"),
    h("dl", {}, h("dt", {}, "Card"), h("dd", {}, "Visa •••• 4242 (test)"), h("dt", {}, "To"), h("dd", {}, message.from), h("dt", {}, "For"), h("dd", {}, message.title)),
    h("button", { type: "button", class: "confirm", onclick: () => { sheet.close(); pay(); } }, "Confirm with side button"),
    h("button", { type: "button", class: "cancel", onclick: () => sheet.close() }, "Cancel"));
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}

/** SMS: the text. */
function sms(message) {
  return h("div", { class: "bubble" }, words({ ...message, title: "" }, "h2"));
}
