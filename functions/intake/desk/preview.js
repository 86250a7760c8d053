// What the customer will get: the message of each channel, as the API writes it. Nothing of it is pressed here.
import { channelName, element, icon } from "/widget.js";
import { call } from "/desk/calls.js";

const FORMS = { text: "a text with a link", mail: "a mail with a link", template: "your approved template, filled with this", payment_sheet: "opens the phone's wallet", link: "you show it; nothing is sent" };

function message({ channel, form, title, text, buttons }, language) {
  return element("figure", { class: "message" },
    element("figcaption", { class: "soft" }, icon(channel), channelName(channel), FORMS[form] ? `, ${FORMS[form]}` : ""),
    element("div", { class: "bubble", dir: "auto", lang: language ?? "" },
      title ? element("p", { class: "title" }, title) : null,
      element("p", { class: "said" }, text),
      buttons.length > 0 ? element("ul", {}, buttons.map((label) => element("li", {}, label))) : null));
}

function content({ by_tap: byTap, language, messages }) {
  if (messages.length === 0) return [element("p", { class: "soft" }, "No channel can send a message to this customer now.")];
  const [first, ...others] = messages.map((one) => message(one, language));
  const picks = messages.some(({ buttons }) => buttons.includes("••"));
  const next = picks ? "They pick the number that you read out." : byTap ? "They approve by a tap, or at the link." : "They go on at the link, on a page that names payee and ask again.";
  return [first, element("p", { class: "soft" }, next), others.length > 0 ? element("details", {}, element("summary", {}, "If that stays silent"), ...others) : null].filter(Boolean);
}

/** Returns what shows the messages of a request in `place` before it is made; without a body it empties the place. */
export function preview(place) {
  let [round, asked] = [0, ""];
  return async (body) => {
    const text = body ? JSON.stringify(body) : "";
    if (text === asked) return;
    asked = text;
    const mine = ++round;
    const answer = body ? await call("POST", "/v1/previews", { body }) : null;
    // What is wrong is told when it is sent.
    if (mine === round) place.replaceChildren(...(answer?.ok ? [element("h3", {}, "What the customer gets"), ...content(answer.json)] : []));
  };
}
