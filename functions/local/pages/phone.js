// The sandbox phone: shows what a customer's phone would show, and taps for them.
import { $, call, clock, h, listed, pause, problem, unreachable, words } from "/assets/common.js";

const config = (await call("GET", "/local/config.json").catch(() => null))?.json;
const number = new URLSearchParams(location.search).get("number")?.replace(/^ /, "+") || config?.phone_default || "";
const messages = `/sandbox/phones/${encodeURIComponent(number).replace("%2B", "+")}/messages`;
const drawn = new Map();
const answers = new Map();
let first = true;

const minutes = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** The text with its link, if it has one, as a link. */
function linked({ text, link }) {
  const place = link ? text.lastIndexOf(link) : -1;
  if (place < 0) return [text];
  return [text.slice(0, place), h("a", { href: link, target: "_blank", rel: "noopener" }, link), text.slice(place + link.length)];
}

function sms(message) {
  return h("div", { class: "bubble" }, h("p", { class: "say" }, linked(message)));
}

function card(message) {
  const heading = `heading-${message.id}`;
  const taps = message.retracted ? [] : message.actions.map(({ action, label }) =>
    h("button", { type: "button", "data-action": action, class: action === "not_me" ? "full" : "", onclick: () => tap(message, action) }, label));
  const open = message.link && !message.retracted
    ? h("a", { class: "full", href: message.link, target: "_blank", rel: "noopener" }, "Open the page") : null;
  return h("article", { class: "bubble card", "aria-labelledby": heading },
    h("div", { class: "say" }, h("h2", { id: heading }, message.title || message.from), h("p", {}, message.text)),
    message.codes && !message.retracted ? pick(message) : null,
    h("div", { class: "taps" }, taps, open));
}

function pick({ id, codes }) {
  return h("fieldset", { class: "pick" }, h("legend", {}, "Which number does the agent read to you?"),
    h("div", {}, codes.map((code) => h("label", {}, h("input", { type: "radio", name: `code-${id}`, value: code }), code))));
}

function element(message, fresh) {
  const body = message.actions?.length > 0 ? card(message) : sms(message);
  return h("li", { class: `message${message.retracted ? " retracted" : ""}${fresh ? " new" : ""}`, "data-id": message.id, "data-channel": message.channel },
    h("p", { class: "from" }, h("b", {}, message.from), h("span", {}, `${message.channel} · ${minutes(message.at)}`)),
    body,
    h("div", { class: "answered", role: "status" }, answers.get(message.id) ?? (message.retracted ? h("p", { class: "note" }, "Taken back by the sender.") : null)));
}

function answered(id, node) {
  answers.set(id, node);
  drawn.get(id)?.element.querySelector(".answered").replaceChildren(node);
  node.scrollIntoView({ block: "nearest" });
}

async function tap(message, action) {
  const body = { action };
  const picked = drawn.get(message.id).element.querySelector(".pick input:checked");
  if (action === "approve" && message.codes) {
    if (!picked) {
      answered(message.id, h("p", { class: "note" }, "Pick the number first. Nobody reads you one? Then decline."));
      return;
    }
    body.session_code = picked.value;
  }
  try {
    const answer = await call("POST", `${messages}/${message.id}/tap`, { body });
    const label = message.actions.find((one) => one.action === action)?.label ?? words(action);
    answered(message.id, answer.ok ? h("p", { class: "note" }, `You tapped “${label}” at ${clock(Date.now())}.`) : problem(answer.json, answer.status));
  } catch {
    answered(message.id, unreachable());
  }
}

/** Draws only what changed, so that a picked number and the focus stay where they are. */
function draw(list) {
  const oldestFirst = list.toSorted((one, other) => String(one.at).localeCompare(String(other.at)));
  let fresh = false;
  for (const message of oldestFirst) {
    const text = JSON.stringify(message);
    const before = drawn.get(message.id);
    if (before?.text === text) continue;
    const now = element(message, !before && !first);
    if (before) before.element.replaceWith(now);
    else $("messages").append(now);
    fresh ||= !before;
    drawn.set(message.id, { text, element: now });
  }
  $("empty").hidden = drawn.size > 0;
  $("messages").hidden = drawn.size === 0;
  if (fresh) $("screen").scrollTop = $("screen").scrollHeight;
  first = false;
}

async function poll() {
  for (;;) {
    try {
      const answer = await call("GET", messages);
      $("trouble").replaceChildren(...(answer.ok ? [] : [problem(answer.json, answer.status)]));
      if (answer.ok) draw(listed(answer.json, "messages"));
    } catch {
      $("trouble").replaceChildren(unreachable());
    }
    $("time").textContent = minutes(Date.now());
    await pause(1000);
  }
}

$("number").value = number;
$("whose").textContent = number;
$("number-form").addEventListener("submit", (event) => {
  event.preventDefault();
  location.search = new URLSearchParams({ number: $("number").value.replace(/[\s()-]/g, "") });
});
if (number) poll();
