// The sandbox phone: shows the messages that a customer's phone would show, and sends the customer's taps.
import { $, call, element, formatMinutes, formatTime, listIn, pause, phoneDigits, problem, unreachable } from "/assets/common.js";
import { drawMessage } from "/assets/message_styles.js";

const config = (await call("GET", "/local/config.json").catch(() => null))?.json;
const number = new URLSearchParams(location.search).get("number")?.replace(/^ /, "+") || config?.phone_default || "";
const messagesPath = `/sandbox/phones/${encodeURIComponent(number).replace("%2B", "+")}/messages`;
// By message id: the drawn element with the JSON it was drawn from, and the note below it.
const drawn = new Map();
const notes = new Map();
let isFirstDraw = true;

function messageElement(message, isNew) {
  const retracted = message.retracted ? element("p", { class: "note" }, "Retracted by the sender.") : null;
  return element("li", { class: `message${message.retracted ? " retracted" : ""}${message.spent ? " spent" : ""}${isNew ? " new" : ""}`, "data-id": message.id, "data-channel": message.channel, "data-style": message.style },
    drawMessage(message, (action) => tap(message, action)),
    element("div", { class: "answered", role: "status" }, notes.get(message.id) ?? retracted),
    laterElement(message));
}

// What can be played later, by the word of the sandbox phone's API.
const REPORTS = {
  dispute_opened: "Dispute opened", charged_back: "Charged back", dispute_won: "Dispute won", dispute_lost: "Dispute lost",
  capture_failed: "Capture failed", refunded_outside: "Refunded in the dashboard", refund_failed: "Refund failed after all",
  paid_late: "Paid after the end", opted_out: "Provider says: opted out",
};

/** Draws what the customer may write, and what may happen later. */
function laterElement(message) {
  const send = (label, body) => tapWith(message, body, `You played “${label}” at`);
  const text = element("input", { name: "text", "aria-label": "Text of the customer", maxlength: "1600" });
  const reports = element("select", { name: "report", "aria-label": "Report of a provider" },
    Object.entries(REPORTS).map(([word, label]) => element("option", { value: word }, label)));
  const form = (field, button, body) => element("form", { onsubmit: (event) => { event.preventDefault(); send(...body()); } },
    field, element("button", {}, button));
  return element("details", { class: "later" }, element("summary", {}, "Write, or play a report"),
    form(text, "Write", () => [text.value, { text: text.value }]),
    form(reports, "Play", () => [REPORTS[reports.value], { report: reports.value }]));
}

function showNote(id, note) {
  notes.set(id, note);
  drawn.get(id)?.element.querySelector(".answered").replaceChildren(note);
  note.scrollIntoView({ block: "nearest" });
}

/** Sends a tap: the button's postback, or the action itself where a wallet pays. */
async function tap(message, { action, label, postback, session_code }) {
  await tapWith(message, postback ? { postback } : { action, session_code }, `You tapped “${label}” at`);
}

async function tapWith(message, body, said) {
  try {
    const answer = await call("POST", `${messagesPath}/${message.id}/tap`, { body });
    const note = () => element("p", { class: "note" }, `${said} ${formatTime(Date.now())}.`);
    showNote(message.id, answer.ok ? note() : problem(answer.json, answer.status));
  } catch {
    showNote(message.id, unreachable());
  }
}

/** Draws only the messages that changed, so that the keyboard focus stays. */
function draw(messages) {
  const oldestFirst = messages.toReversed();
  let hasNew = false;
  for (const message of oldestFirst) {
    const json = JSON.stringify(message);
    const before = drawn.get(message.id);
    if (before?.json === json) continue;
    const now = messageElement(message, !before && !isFirstDraw);
    if (before) before.element.replaceWith(now);
    else $("messages").append(now);
    hasNew ||= !before;
    drawn.set(message.id, { json, element: now });
  }
  $("empty").hidden = drawn.size > 0;
  $("messages").hidden = drawn.size === 0;
  if (hasNew) $("screen").scrollTop = $("screen").scrollHeight;
  isFirstDraw = false;
}

async function poll() {
  for (;;) {
    try {
      const answer = await call("GET", messagesPath);
      $("problem").replaceChildren(...(answer.ok ? [] : [problem(answer.json, answer.status)]));
      if (answer.ok) draw(listIn(answer.json, "messages"));
    } catch {
      $("problem").replaceChildren(unreachable());
    }
    $("time").textContent = formatMinutes(Date.now());
    await pause(1000);
  }
}

$("number").value = number;
$("owner").textContent = number;
$("number-form").addEventListener("submit", (event) => {
  event.preventDefault();
  location.search = new URLSearchParams({ number: phoneDigits($("number").value) });
});
if (number) poll();
