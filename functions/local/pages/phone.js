// The sandbox phone: shows what a customer's phone would show, and taps for them.
import { $, call, clock, h, listed, pause, problem, unreachable } from "/assets/common.js";
import { drawn } from "/assets/looks.js";

const config = (await call("GET", "/local/config.json").catch(() => null))?.json;
const number = new URLSearchParams(location.search).get("number")?.replace(/^ /, "+") || config?.phone_default || "";
const messages = `/sandbox/phones/${encodeURIComponent(number).replace("%2B", "+")}/messages`;
const shown = new Map();
const answers = new Map();
let first = true;

const minutes = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function element(message, fresh) {
  return h("li", { class: `message${message.retracted ? " retracted" : ""}${fresh ? " new" : ""}`, "data-id": message.id, "data-channel": message.channel, "data-look": message.look },
    drawn(message, (action) => tap(message, action)),
    h("div", { class: "answered", role: "status" }, answers.get(message.id) ?? (message.retracted ? h("p", { class: "note" }, "Taken back by the sender.") : null)));
}

function answered(id, node) {
  answers.set(id, node);
  shown.get(id)?.element.querySelector(".answered").replaceChildren(node);
  node.scrollIntoView({ block: "nearest" });
}

/** What a channel like this brings back, where it brings something back; what the tap means, where a wallet pays. */
async function tap(message, { action, label, postback, session_code }) {
  const body = postback ? { postback } : { action, session_code };
  try {
    const answer = await call("POST", `${messages}/${message.id}/tap`, { body });
    answered(message.id, answer.ok ? h("p", { class: "note" }, `You tapped “${label}” at ${clock(Date.now())}.`) : problem(answer.json, answer.status));
  } catch {
    answered(message.id, unreachable());
  }
}

/** Draws only what changed, so that the focus stays where it is. */
function draw(list) {
  const oldestFirst = list.toSorted((one, other) => String(one.at).localeCompare(String(other.at)));
  let fresh = false;
  for (const message of oldestFirst) {
    const text = JSON.stringify(message);
    const before = shown.get(message.id);
    if (before?.text === text) continue;
    const now = element(message, !before && !first);
    if (before) before.element.replaceWith(now);
    else $("messages").append(now);
    fresh ||= !before;
    shown.set(message.id, { text, element: now });
  }
  $("empty").hidden = shown.size > 0;
  $("messages").hidden = shown.size === 0;
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
