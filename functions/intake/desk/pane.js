// The request on the right: the widget, what the agent may copy, a refund, released claims, and the journal.
import { amountText, askText, cardText, channelName, clock, copyFrom, element, humanize, icon, kindName, moneyText, problemNode, refunded } from "/widget.js";
import { call, currentKey, randomHex } from "/desk/calls.js";
import { readAmount } from "/desk/entry.js";
import { deliveries } from "/desk/events.js";

const main = () => document.getElementById("main");
const copyable = (text, name, shown = element("code", {}, text)) => [shown, element("button", { type: "button", class: "copy", "aria-label": `Copy the ${name}`, onclick: ({ currentTarget }) => copyFrom(currentTarget, text) }, "Copy")];

/** Shows that no request is picked. */
export function showNothing(ask) {
  main().replaceChildren(element("div", { class: "empty" }, icon("payment"), element("h1", {}, "Ask the customer while you talk"),
    element("p", { class: "soft" }, "Pick a request on the left, or ask for a payment, a card to save, or identity claims."),
    element("button", { type: "button", class: "main", onclick: ask }, "Ask the customer")));
}

function factsOf(request) {
  const { ask, customer, session, outcome, metadata } = request;
  const { payment, payment_method: card } = outcome ?? {};
  const rows = [
    ["What for", ask.description], ask.payment_method && ["Saved card", ...copyable(ask.payment_method, "card")],
    ["Customer", [customer.name, customer.phone].filter(Boolean).join(", ")], ["Session", `${humanize(session.kind)} `, ...copyable(session.id, "session")],
    payment && ["Charged", `${moneyText(payment)}, ${cardText(payment)}`], card && ["Card", ...copyable(card.id, "card")],
    outcome?.reference && ["Reference", `${outcome.processor} `, ...copyable(outcome.reference, "reference")],
    ...Object.entries(metadata ?? {}).map(([name, value]) => [name, value]), ["Channels", request.channels.map(channelName).join(", ")],
    ["Request", ...copyable(request.id, "request's id")],
  ];
  return rows.filter(Boolean).flatMap(([name, ...values]) => [element("dt", {}, name), element("dd", {}, ...values)]);
}

/** The link that the agent hands over, where no channel sends it, with its picture for a screen at the counter. */
function handedOver(request) {
  const open = request.outcome ? [] : [["Link", request.link, request.qr], ["Link to begin in the app", request.entry_link, request.entry_qr]];
  return open.filter(([, link]) => link).flatMap(([name, link, qr]) => [element("h2", {}, name), element("p", {}, ...copyable(link, name.toLowerCase())),
    qr ? element("img", { class: "qr", src: `data:image/svg+xml,${encodeURIComponent(qr)}`, alt: `${name} as a QR code` }) : null]).filter(Boolean);
}

function claimsOf({ identity }) {
  if (!identity) return [];
  const { claims } = identity;
  if (!claims) return [element("h2", {}, "Claims"), element("p", { class: "soft" }, "They are no longer kept. The request says which were released.")];
  const text = (value) => (typeof value === "object" && value !== null ? value.formatted ?? Object.values(value).join(", ") : String(value));
  return [element("h2", {}, "Claims"), element("dl", { class: "facts" }, Object.entries(claims).flatMap(([name, value]) => [element("dt", {}, humanize(name)), element("dd", {}, text(value))]))];
}

/** The form of a refund. It stays as it is while the request changes, until all is refunded. */
function refundForm(id) {
  let [payment, left, unanswered] = [null, 0, null];
  const amount = element("input", { id: "refund-amount", inputmode: "decimal", autocomplete: "off", "aria-describedby": "refund-error" });
  const reason = element("input", { id: "refund-reason", maxlength: "140", autocomplete: "off" });
  const error = element("p", { class: "error", id: "refund-error", role: "alert" });
  const button = element("button", {}, "Refund");
  const mend = () => { amount.removeAttribute("aria-invalid"); error.replaceChildren(); };
  const refuse = (...nodes) => { amount.setAttribute("aria-invalid", "true"); error.replaceChildren(...nodes); amount.focus(); };
  const send = async (event) => {
    event.preventDefault();
    const read = readAmount(amount.value, payment.currency);
    if (read.error) return refuse(read.error);
    if (read.amount > left) return refuse(`At most ${amountText({ ...payment, amount: left })} is left to refund.`);
    const body = { amount: read.amount, ...(reason.value.trim() ? { reason: reason.value.trim() } : {}) };
    // After a lost answer the same refund keeps its key, so that it is made once.
    if (unanswered?.text !== JSON.stringify(body)) unanswered = { text: JSON.stringify(body), key: randomHex(16) };
    button.disabled = true;
    const answer = await call("POST", `/v1/requests/${id}/refund`, { body, idempotencyKey: unanswered.key });
    button.disabled = false;
    if (answer.status !== 0) unanswered = null;
    if (!answer.ok) return refuse(...problemNode(answer.json, answer.status));
    [amount.value, reason.value] = ["", ""];
    document.querySelector("assent-request")?.refresh();
  };
  amount.addEventListener("input", mend);
  const form = element("form", { class: "sheet", id: "refund", novalidate: true, hidden: true, onsubmit: send }, element("h2", {}, "Refund"),
    element("div", { class: "row" }, element("label", {}, "Amount", amount), element("label", {}, "Reason, optional", reason), button), error);
  return { form, show(request) {
    payment = request.outcome?.payment ?? null;
    left = payment ? payment.amount - refunded(request) - refunded(request, "pending") : 0;
    form.hidden = left <= 0;
    if (payment) amount.placeholder = amountText({ ...payment, amount: Math.max(left, 0) });
  } };
}

/** The entries of a request's journal, with who caused each, and its webhook events. */
function journal(id) {
  const list = element("div", { class: "inside" });
  const load = async ({ currentTarget }) => {
    if (!currentTarget.open) return;
    const answer = await call("GET", `/v1/requests/${id}/record`);
    if (!answer.ok) return list.replaceChildren(element("p", { class: "problem", role: "alert" }, ...problemNode(answer.json, answer.status)));
    const entries = answer.json.events.map(({ text }) => JSON.parse(text));
    const rest = ({ at, seq, previous, what: { kind, ...what }, ...other }) => JSON.stringify({ ...what, ...other }, null, 1);
    const told = ({ delivery_status: delivery, fact, status, channel, code, reason, reference }) => [delivery?.what, fact?.what, status, channel, code, reason].filter((value) => typeof value === "string").map(humanize).concat(reference ?? []).join(", ");
    list.replaceChildren(element("ol", { class: "log" }, entries.map((entry) => element("li", {}, element("details", {},
      element("summary", {}, element("span", {}, `${entry.seq}. ${humanize(entry.what.kind ?? "")}`), element("span", { class: "soft" }, told(entry.what)), element("span", { class: "soft number" }, clock(entry.at))), element("pre", { tabindex: "0" }, rest(entry)))))),
    element("p", { class: "soft" }, "Head of the chain: ", ...copyable(answer.json.head, "head of the chain")));
  };
  return element("details", { class: "sheet", id: "journal", ontoggle: load }, element("summary", {}, "Journal"), list);
}

/** Shows a request by its id, and tells each version of it. */
export function showRequest(id, { changed, ask }) {
  const title = element("h1", { id: "request-title" }, "Request");
  const facts = element("dl", { class: "facts" });
  const claims = element("section", { class: "sheet", id: "claims", "aria-label": "Claims", hidden: true });
  const link = element("section", { class: "sheet", id: "link", "aria-label": "Link to hand over", hidden: true });
  const again = element("button", { type: "button", id: "ask-again", hidden: true, onclick: () => ask() }, "Ask for something else");
  const refund = refundForm(id);
  const widget = element("assent-request", { request: id });
  widget.token = currentKey();
  const show = (request) => {
    title.textContent = request.ask.amount === undefined ? kindName(request.ask) : `Payment of ${askText(request.ask)}`;
    const text = JSON.stringify([request.outcome, request.metadata, request.customer, request.link]);
    if (facts.dataset.text !== text) facts.replaceChildren(...factsOf(request));
    facts.dataset.text = text;
    const handed = JSON.stringify([request.link, request.entry_link, Boolean(request.outcome)]);
    if (link.dataset.text !== handed) link.replaceChildren(...handedOver(request));
    link.dataset.text = handed;
    link.hidden = link.childElementCount === 0;
    const released = JSON.stringify(request.outcome?.identity ?? null);
    if (claims.dataset.text !== released) claims.replaceChildren(...claimsOf(request.outcome ?? {}));
    claims.dataset.text = released;
    claims.hidden = !request.outcome?.identity;
    again.hidden = !request.outcome;
    refund.show(request);
  };
  widget.addEventListener("assent-change", ({ detail }) => { show(detail); changed(detail); });
  const rest = element("div", { class: "sheet" }, element("h2", {}, "Details"), facts);
  main().replaceChildren(element("div", { class: "head" }, title, again), widget, link, refund.form, claims, rest, journal(id), deliveries(id));
  return widget;
}
