// Draws a message as RCS, WhatsApp, Apple Messages, SMS or a mail program would. The text and the buttons are the same in each style.
import { element, formatMinutes } from "/assets/common.js";

const STYLES = {
  rcs: { name: "RCS", hint: "Verified", draw: drawRcs },
  whatsapp: { name: "WhatsApp", hint: "Business", draw: drawWhatsapp },
  apple: { name: "Messages for Business", hint: null, draw: drawApple },
  sms: { name: "Text message", hint: null, draw: drawSms },
  email: { name: "E-mail", hint: null, draw: drawEmail },
};

/** Draws one message with its sender. `onTap` gets the action of the tapped button. */
export function drawMessage(message, onTap) {
  const style = STYLES[message.style] ?? STYLES.rcs;
  const segments = message.segments ? `${message.segments} segment${message.segments > 1 ? "s" : ""}` : null;
  const details = [style.name, style.hint, segments].filter(Boolean).join(" · ");
  return [
    element("p", { class: "from" },
      element("span", { class: "avatar", "aria-hidden": "true" }, message.from.trim().charAt(0)),
      element("span", { class: "who" }, element("b", { dir: "auto" }, message.from), element("span", {}, details)),
      element("time", { datetime: message.at }, formatMinutes(message.at))),
    style.draw(message, onTap),
  ];
}

/** Returns the text. The consent page's address in it becomes a link. */
function linkedText({ text, link }) {
  const start = link ? text.lastIndexOf(link) : -1;
  if (start < 0) return [text];
  return [text.slice(0, start), newTabLink(link, link), text.slice(start + link.length)];
}

const newTabLink = (link, ...children) => element("a", { href: link, target: "_blank", rel: "noopener" }, ...children);

function body(message) {
  // Messages are in the customer's language, whose script may run from right to left.
  const language = { lang: message.language, dir: "auto" };
  const title = message.title ? element("h2", { id: `heading-${message.id}`, ...language }, message.title) : null;
  return [title, element("p", { class: "say", ...language }, linkedText(message))];
}

/** Returns the buttons; a retracted message has none. Spent ones look so and can still be tapped, as on a phone. A button that opens the page is a link and a tap at once.
 * `icon` draws the sign before or after a label. */
function buttons(message, onTap, icon) {
  const spent = message.spent ? "true" : null;
  const draw = (action) => action.action === "open"
    ? element("a", { class: "tap", lang: message.language, dir: "auto", "aria-disabled": spent, "data-action": "open", href: message.link, target: "_blank", rel: "noopener", onclick: () => onTap(action) }, action.label, icon?.("↗"))
    : element("button", { type: "button", class: "tap", lang: message.language, dir: "auto", "aria-disabled": spent, "data-action": action.action, "data-code": action.session_code, onclick: () => onTap(action) }, icon?.("↩"), action.label);
  return message.retracted ? [] : message.actions.map(draw);
}

/** RCS: a card that holds its buttons. */
function drawRcs(message, onTap) {
  return element("article", { class: "bubble", "aria-labelledby": `heading-${message.id}` },
    element("div", { class: "words" }, body(message)),
    element("div", { class: "taps" }, buttons(message, onTap)));
}

/** WhatsApp: a bubble, and a tile for each button below it. */
function drawWhatsapp(message, onTap) {
  const icon = (sign) => element("span", { class: "icon", "aria-hidden": "true" }, sign);
  return element("article", { class: "chat", "aria-labelledby": `heading-${message.id}` },
    element("div", { class: "bubble" }, body(message)),
    element("div", { class: "taps" }, buttons(message, onTap, icon)));
}

/** Apple: a bubble with a button that opens the payment sheet, or with quick replies on the customer's side. */
function drawApple(message, onTap) {
  const sheet = message.actions.find((action) => action.sheet);
  const open = () => openPaymentSheet(message, () => onTap({ ...sheet, label: "Pay" }));
  const pay = sheet && !message.retracted
    ? element("button", { type: "button", class: "pay", "aria-disabled": message.spent ? "true" : null, "data-action": "approve", onclick: open }, "Pay") : null;
  return element("article", { class: "chat" },
    element("div", { class: "bubble" }, body(message), pay),
    sheet ? null : element("div", { class: "taps" }, buttons(message, onTap)));
}

/** Opens the wallet's payment sheet: payee, amount and card. `onConfirm` runs when the customer confirms. */
function openPaymentSheet(message, onConfirm) {
  const sheet = element("dialog", { class: "sheet", "aria-label": "Pay" },
    element("p", { class: "mark" }, "Pay"),
    element("dl", {}, element("dt", {}, "Card"), element("dd", {}, "Visa •••• 4242 (test)"), element("dt", {}, "To"), element("dd", {}, message.from), element("dt", {}, "For"), element("dd", {}, message.title)),
    element("button", { type: "button", class: "confirm", onclick: () => { sheet.close(); onConfirm(); } }, "Confirm with side button"),
    element("button", { type: "button", class: "cancel", onclick: () => sheet.close() }, "Cancel"));
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}

/** E-mail: the subject, and the text with its link. */
function drawEmail(message) {
  return element("article", { class: "bubble", "aria-labelledby": `heading-${message.id}` }, body(message));
}

/** SMS: the text alone. */
function drawSms(message) {
  return element("div", { class: "bubble" }, body({ ...message, title: "" }));
}
