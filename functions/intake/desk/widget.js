// <assent-request>: one request, live. A page of any origin loads this one file and gives the element a client token.
// The agents' desk is built from it, and imports the words and the formats below.

const HERE = new URL(import.meta.url).origin;

/** Creates an element. Children are text or elements, never markup. */
export function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else if (value === true) created.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) created.setAttribute(name, value);
  }
  created.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return created;
}

const ICONS = {
  sms: "M3 3.5h10v7H7l-3 2.5v-2.5H3z",
  rcs: "M3 3.5h10v7H7l-3 2.5v-2.5H3zM5.5 6h5M5.5 8h3",
  whatsapp: "M3 13l.8-2.8A5.2 5.2 0 1 1 6 12.2zM6.2 6.2c0 2 1.6 3.6 3.6 3.6",
  apple: "M8 3c3 0 5.5 2 5.5 4.5S11 12 8 12l-3 1.5.3-2.2C3.6 10.5 2.5 9 2.5 7.5 2.5 5 5 3 8 3z",
  link: "M6.5 9.5l3-3M7 5l1.2-1.2a2.7 2.7 0 0 1 3.9 3.9L11 9M9 11l-1.2 1.2a2.7 2.7 0 0 1-3.9-3.9L5 7",
  payment: "M2.5 4.5h11v7h-11zM2.5 7h11",
  payment_method: "M2.5 4.5h11v7h-11zM8 6.5v3M6.5 8h3",
  identity: "M8 8a2.2 2.2 0 1 0 0-4.4A2.2 2.2 0 0 0 8 8zM3.8 13c.5-2.3 2.2-3.5 4.2-3.5s3.7 1.2 4.2 3.5",
  busy: "M8 3v2M8 11v2M3 8h2M11 8h2", wait: "M8 4.5V8l2.2 1.5", good: "M4.5 8.3l2.3 2.3 4.7-5", bad: "M5.5 5.5l5 5M10.5 5.5l-5 5", quiet: "M5 8h6",
};

/** Draws an icon that repeats what a text beside it says. */
export function icon(name) {
  const made = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const drawn = made("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", fill: "none", stroke: "currentColor",
    "stroke-width": 1.4, "stroke-linecap": "round", "stroke-linejoin": "round" });
  drawn.append(made("path", { d: ICONS[name] ?? ICONS.sms }));
  return drawn;
}

// The decimals of ISO 4217, which the API counts in. The browser's own data has other ones for some currencies.
const DECIMALS = {
  0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND", 4: "CLF UYW",
};
/** Returns the decimal places of a currency. */
export const decimals = (currency) => Number(Object.keys(DECIMALS).find((places) => DECIMALS[places].includes(currency)) ?? 2);

/** Writes an amount of minor units in the agent's locale, without its currency. */
export function amountText({ amount, currency }) {
  const places = decimals(currency);
  const digits = String(amount).padStart(places + 1, "0");
  const major = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return new Intl.NumberFormat(navigator.language, { minimumFractionDigits: places, maximumFractionDigits: places }).format(major);
}
export const moneyText = (money) => `${amountText(money)} ${money.currency}`;
export const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
/** Turns a code of the API, such as `insufficient_funds`, into words. */
export const humanize = (code) => ({ birthdate: "birth date", given_name: "given name" })[code] ?? code.replaceAll("_", " ");
export const CHANNELS = { sms: "SMS", rcs: "RCS", whatsapp: "WhatsApp", apple: "Apple Messages", link: "link" };
export const channelName = (name) => CHANNELS[name] ?? name;

const KINDS = {
  payment: { name: "Payment", busy: "Charging the card", away: "Entering card details", undone: "Nothing was charged." },
  payment_method: { name: "Card to save", busy: "Saving the card", away: "Entering card details", undone: "No card was saved." },
  identity: { name: "Identity", busy: "Reading the claims", away: "Signing in at the identity provider", undone: "No claims were released." },
};
export const kindName = (ask) => (ask.payment_method ? "Saved card" : (KINDS[ask.kind]?.name ?? humanize(ask.kind)));
/** Says what is asked for, without whom. */
export const askText = (ask) => (ask.amount === undefined ? `${kindName(ask)}: ${(ask.claims ?? []).map(humanize).join(", ")}`.replace(/: $/, "") : moneyText(ask));

export const cardText = ({ wallet, card_brand: brand, last4 }) => {
  const name = brand ? brand[0].toUpperCase() + brand.slice(1) : "Card";
  return `${name}${last4 ? ` •••• ${last4}` : ""}${wallet ? `, ${humanize(wallet)}` : ""}`;
};

const PROGRESS = {
  accepted: (over) => `Sent${over}. No delivery is reported yet.`, unknown: (over) => `Sent${over}. The channel's answer was lost.`,
  delivered: (over) => `Delivered${over}.`, read: (over) => `Read${over}.`, opened: (over) => `The customer opened it${over}.`,
  failed: (over) => `Not delivered${over}.`, resent: () => "Sending it again.", superseded: () => "Sending it over another channel.",
};
const ENDS = {
  denied: ["Declined by the customer", "bad"], expired: ["Expired", "quiet"], cancelled: ["Cancelled", "quiet"],
  undeliverable: ["Not delivered", "bad"], failed: ["Failed", "bad"],
};
const REASONS = {
  customer: "", not_me: "The customer says that this is not them. Stop, and check whom you are talking to.",
  wrong_session_code: "A number was picked that you did not read out. The person with the phone may not hear you.",
  opted_out: "The customer opted out of your messages.", customer_left: "The customer did not finish on the payment page.",
};
const STEPS = ["authorized", "redirected", "returned", "card_declined", "attempt_failed", "in_doubt"];
const HOW = { payment: (reason) => `Card refused${reason}. Ask for another card.` };

/** Returns what is true of a request now: its words, its tone, and what an agent can do. */
export function describe(request) {
  const { state, ask, timeline, outcome } = request;
  const kind = KINDS[ask.kind] ?? KINDS.payment;
  const step = timeline.findLast(({ what, channel }) => STEPS.includes(what) && !(what === "failed" && !channel));
  const isOpen = state === "pending" || state === "prompted";
  const can = { cancel: isOpen || (state === "processing" && step?.what === "redirected"), extend: isOpen, resend: state === "prompted" };
  const told = (label, tone, ...hints) => ({ label, tone, hint: hints.filter(Boolean).join(" "), can, isOver: Boolean(outcome), hasCode: isOpen });
  const doubt = timeline.findLast(({ what }) => what === "in_doubt");
  const settled = doubt && !request.in_doubt && timeline.find(({ at, what }) => at >= doubt.at && what !== "in_doubt" && (what in ENDS || ["fulfilled", "card_declined", "attempt_failed"].includes(what)));
  const history = settled && `In doubt at ${clock(doubt.at)}, settled at ${clock(settled.at)}.`;
  if (state === "pending") return told("Sending the message", "busy", "Assent picks the best channel.");
  if (state === "prompted") {
    const reason = step?.reason && step.reason !== "card_declined" ? ` (${humanize(step.reason)})` : "";
    if (step?.what === "card_declined") return told((HOW[ask.kind] ?? HOW.payment)(reason), "wait", "The message on the phone still works.", history);
    if (step?.what === "attempt_failed") {
      const label = step.reason === "customer_left" ? "The customer left the payment page" : `That did not work${reason}`;
      return told(label, "wait", "The message on the phone still works.", history);
    }
    const fact = timeline.findLast(({ what }) => what in PROGRESS);
    return told("Waiting for the customer", "wait", fact && PROGRESS[fact.what](fact.channel ? ` over ${channelName(fact.channel)}` : ""), history);
  }
  if (state === "authorized") return told("The customer approved", "busy", "The processor is next.");
  if (state === "processing") {
    if (request.in_doubt) return told("In doubt", "wait", `Since ${clock(doubt?.at ?? Date.now())}. The processor's answer was lost and is being looked up.`);
    if (step?.what === "redirected") return told(ask.payment_method ? "Confirming at the bank" : kind.away, "busy", "The customer is on the processor's page.");
    return told(kind.busy, "busy", "Waiting for the processor.");
  }
  if (state === "fulfilled") return told(doneText(request), "good", ...afterText(request), history);
  const [label, tone] = ENDS[state] ?? [humanize(state), "quiet"];
  const reason = outcome?.reason ? (REASONS[outcome.reason] ?? `Reason: ${humanize(outcome.reason)}.`) : "";
  return told(outcome?.reason === "not_me" ? "This number reported a request." : label, tone, reason, kind.undone, history, ...lateText(request));
}

/** Returns the minor units of a charge that went back, or are on their way with `pending`. */
export function refunded({ refunds = [], outside_refunds: outside = [] }, state = "refunded") {
  const found = [...refunds, ...(state === "refunded" ? outside : [])].filter((refund) => refund.state === state);
  return found.reduce((sum, { amount }) => sum + amount, 0);
}

function doneText({ ask, outcome, ...request }) {
  const { payment, payment_method: card, identity } = outcome;
  if (card) return `Card saved, ${cardText(card)}, ${card.id}`;
  if (identity) return identity.released.length > 0 ? `Released: ${identity.released.map(humanize).join(", ")}` : "No claims were released";
  const back = refunded(request);
  if (!payment || back === 0) return "Paid";
  const whole = amountText(payment);
  return back >= payment.amount ? `Paid, all of ${whole} refunded` : `Paid, ${amountText({ ...payment, amount: back })} of ${whole} refunded`;
}

const lateText = ({ late_payments: late = [] }) => late.map(({ state }) => (state === "kept"
  ? "A payment came after the end and was not reversed. Refund it at the processor." : state === "reversed" ? "A payment came after the end and was reversed." : "A payment came after the end and is being reversed."));

function afterText(request) {
  const { ask, outcome: { payment, identity } } = request;
  const pending = refunded(request, "pending");
  const missing = (ask.claims ?? []).filter((claim) => identity && !identity.released.includes(claim));
  const disputes = (request.disputes ?? []).map(({ state }) => `Dispute: ${humanize(state)}.`);
  return [
    payment && `${moneyText(payment)}, ${cardText(payment)}.`, pending > 0 && `A refund of ${amountText({ ...payment, amount: pending })} is on its way.`,
    missing.length > 0 && `Not released: ${missing.map(humanize).join(", ")}.`, request.capture_failed_at && "The money never came: the capture failed.", ...disputes, ...lateText(request),
  ];
}

const TIMELINE = {
  accepted: "Message accepted", unknown: "The channel's answer was lost", delivered: "Delivered", read: "Read", opened: "Opened", failed: "Not delivered",
  superseded: "Replaced by another message", authorized: "Approved by the customer", card_declined: "Card refused", attempt_failed: "Attempt failed",
  in_doubt: "In doubt", redirected: "On the processor's page", returned: "Back from the processor's page", extended: "More time given", resent: "Sent again",
  refund_asked: "Refund asked for", refunded: "Refunded", refund_failed: "Refund failed", disputed: "Dispute", fulfilled: "Fulfilled", denied: "Declined by the customer",
  expired: "Expired", cancelled: "Cancelled", undeliverable: "Not delivered", capture_failed: "Capture failed", refunded_outside: "Refunded at the processor",
};
const NATO = "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu".split(" ");
const NUMBERS = "zero one two three four five six seven eight nine".split(" ");
/** Spells a code for reading aloud. */
export const spell = (code) => [...code].map((sign) => NUMBERS[sign] ?? NATO[sign.charCodeAt(0) - 65] ?? (sign === "-" ? "dash" : sign)).join(", ");

/** Copies a text, and says so on the button for a moment. */
export async function copyFrom(button, text) {
  // Without TLS a browser has no clipboard.
  const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  button.textContent = copied ? "Copied" : "Not copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

/** A problem of the API, beside what the agent was doing. */
export const problemNode = (json, status) => [element("strong", {}, json?.title ?? "No answer"), " ", json?.detail ?? "Assent did not answer. Try again.",
  element("code", {}, status ? ` ${json?.code ?? "unknown"} · ${status}` : "")];

const STYLE = `
:host { display: block; color: var(--assent-ink, light-dark(#1a1f36, #e8eaf0)); font: var(--assent-font, 400 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif);
  --soft: var(--assent-soft, light-dark(#545b6d, #a3abbd)); --line: var(--assent-line, light-dark(#dfe3ea, #2e3442)); --back: var(--assent-back, light-dark(#fff, #171a21));
  --accent: var(--assent-accent, light-dark(#4650c8, #a5adff)); --good: var(--assent-good, light-dark(#0b6b41, #6fd3a2)); --bad: var(--assent-bad, light-dark(#b3261e, #ff9f96));
  --wait: var(--assent-wait, light-dark(#835400, #f0c26a)); --radius: var(--assent-radius, .5rem); --mono: var(--assent-mono, ui-monospace, "SF Mono", Menlo, monospace); }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; margin: 0; padding: 0; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.box { background: var(--back); border: 1px solid var(--line); border-radius: var(--radius); overflow-wrap: anywhere; }
.state { display: grid; grid-template-columns: auto 1fr auto; gap: .25rem .75rem; padding: 1rem 1.25rem; --tone: var(--soft); align-items: start; }
.good { --tone: var(--good) !important; } .bad { --tone: var(--bad) !important; } .wait { --tone: var(--wait) !important; } .busy { --tone: var(--accent) !important; }
.mark { display: grid; place-items: center; width: 1.5rem; height: 1.5rem; border-radius: 50%; color: var(--tone); border: 1.5px solid currentColor; }
.label { font-weight: 600; font-size: 1.0625rem; color: var(--tone); outline-offset: 2px; } .hint, .left, .soft { color: var(--soft); font-size: .875rem; }
.left { font-variant-numeric: tabular-nums; white-space: nowrap; line-height: 1.75; }
.code { padding: .75rem 1.25rem 1rem; border-top: 1px solid var(--line); display: grid; grid-template-columns: 1fr auto; gap: 0 .75rem; align-items: center; }
.digits { font-size: 3.25rem; line-height: 1.1; font-weight: 600; letter-spacing: .06em; font-variant-numeric: tabular-nums; } .transaction { font: 600 1.75rem/1.3 var(--mono); letter-spacing: .04em; }
.code .soft { grid-column: 1 / -1; } .words { grid-column: 1 / -1; font-size: 1rem; }
.say { padding: .75rem 1.25rem; border-top: 1px solid var(--line); font-size: .9375rem; } .say b { display: block; font: inherit; font-size: .875rem; color: var(--soft); }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; padding: .75rem 1.25rem; border-top: 1px solid var(--line); }
button, select { min-height: 2.25rem; padding: .25rem .75rem; border: 1px solid var(--line); border-radius: calc(var(--radius) - 1px); background: var(--back); color: inherit; font: inherit; font-size: .875rem; font-weight: 500; cursor: pointer; }
button:hover { border-color: var(--soft); } button:disabled { opacity: .55; cursor: default; }
.copy { min-height: 1.75rem; padding: 0 .5rem; font-size: .8125rem; } .joined { display: inline-flex; } .joined > :first-child { border-radius: calc(var(--radius) - 1px) 0 0 calc(var(--radius) - 1px); border-inline-end: 0; } .joined > :last-child { border-radius: 0 calc(var(--radius) - 1px) calc(var(--radius) - 1px) 0; }
.problem { padding: .75rem 1.25rem; border-top: 1px solid var(--line); color: var(--bad); font-size: .9375rem; } code { font: .8125rem var(--mono); }
.timeline { list-style: none; padding: .75rem 1.25rem; border-top: 1px solid var(--line); font-size: .875rem; } .timeline li { display: grid; grid-template-columns: 5.75rem 1fr; gap: .75rem; padding: .125rem 0; }
.timeline time { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; } .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (forced-colors: active) { .mark { border-color: CanvasText; } }`;
const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
const wait = (milliseconds, signal) => new Promise((done) => { const timer = setTimeout(done, milliseconds); signal?.addEventListener("abort", () => { clearTimeout(timer); done(); }); });
const PAUSE_MAX = 15_000;

/** The custom element. `request` and `token` are attributes or properties; `api` is another address of Assent. */
export class AssentRequest extends HTMLElement {
  static observedAttributes = ["request", "token", "api"];
  #parts; #value = null; #loop = null; #token = null; #timer = null; #said = ""; #note = "";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const parts = this.#parts = {};
    const part = (name, tag, attributes = {}, ...children) => (parts[name] = element(tag, { id: name, part: name, ...attributes }, ...children));
    const acts = (name, body) => ({ type: "button", onclick: () => this.act(name, body?.()) });
    root.append(part("box", "section", { class: "box", "aria-label": "Request" },
      part("state", "div", { class: "state" }, part("mark", "span", { class: "mark", "aria-hidden": "true" }),
        element("div", { role: "status" }, part("label", "p", { class: "label", tabindex: "-1" }, "Loading the request"), part("hint", "p", { class: "hint" })), part("left", "p", { class: "left" })),
      part("code", "div", { class: "code", hidden: true }, element("p", { class: "soft" }, "Read this number to the customer"), part("digits", "p", { class: "digits" }),
        part("copy-code", "button", { type: "button", class: "copy", "aria-label": "Copy the number", onclick: ({ currentTarget }) => copyFrom(currentTarget, parts.digits.textContent) }, "Copy"), part("words", "p", { class: "words" })),
      part("done", "div", { class: "code", hidden: true }, element("p", { class: "soft" }, "Transaction code"), part("transaction", "p", { class: "transaction" }),
        part("copy-transaction", "button", { type: "button", class: "copy", "aria-label": "Copy the transaction code", onclick: ({ currentTarget }) => copyFrom(currentTarget, parts.transaction.textContent) }, "Copy"), part("spelled", "p", { class: "soft" })),
      part("say", "p", { class: "say", hidden: true }, element("b", {}, "Say"), part("sentence", "span")),
      part("actions", "div", { class: "actions", hidden: true },
        element("span", { class: "joined" }, part("resend", "button", acts("resend", () => (parts.channel.value ? { channel: parts.channel.value } : {})), "Send again"),
          part("channel", "select", { "aria-label": "Channel to send again over" })),
        part("extend", "button", acts("extend", () => ({ expires_in: 300 })), "5 more minutes"), part("cancel", "button", acts("cancel"), "Cancel request")),
      part("problem", "div", { class: "problem", role: "alert", hidden: true }),
      part("timeline", "ol", { class: "timeline", "aria-label": "Timeline", hidden: true })));
  }

  /** The request as the API last showed it. */
  get value() { return this.#value; }
  get token() { return this.#token ?? this.getAttribute("token"); }
  /** A sentence of the page's own, in front of the hint. */
  set note(text) { this.#note = text; if (this.#value) this.#show(this.#value); }
  /** Reads the request again now, as after a refund. */
  refresh() { this.#restart(); }
  /** A token that stays out of the page's markup. */
  set token(token) { this.#token = token; this.#restart(); }
  get request() { return this.getAttribute("request"); }
  set request(id) { this.setAttribute("request", id); }

  connectedCallback() { this.#timer = setInterval(() => this.#showLeft(), 1000); this.#restart(); }
  disconnectedCallback() { clearInterval(this.#timer); this.#loop?.abort(); }
  attributeChangedCallback(name, old, now) { if (old !== now) this.#restart(); }

  #restart() {
    this.#loop?.abort();
    if (!this.isConnected || !this.request || !this.token) return;
    if (this.#value?.id !== this.request) this.#clear();
    this.#loop = new AbortController();
    this.#follow(this.#loop.signal);
  }

  #clear() {
    const { state, label, hint, left, mark, code, done, say, actions, problem, timeline } = this.#parts;
    [this.#value, this.#said, this.#note] = [null, "", ""];
    state.className = "state";
    label.textContent = "Loading the request";
    for (const part of [hint, left, mark]) part.replaceChildren();
    for (const part of [code, done, say, actions, problem, timeline]) part.hidden = true;
  }

  async #call(method, path, body, signal) {
    const headers = { authorization: `Bearer ${this.token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const address = `${this.getAttribute("api") ?? HERE}/v1/requests/${encodeURIComponent(this.request)}${path}`;
    const answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: "no-store" });
    const json = await answer.json().catch(() => null);
    return { ok: answer.ok && json !== null, status: answer.status, json, after: Number(answer.headers.get("retry-after")) * 1000 };
  }

  /** Follows the request: waiting reads until it ends, and rare ones after that, as refunds and disputes come late. */
  async #follow(signal) {
    let failures = 0;
    while (!signal.aborted) {
      const known = this.#value?.version;
      const isOver = Boolean(this.#value?.outcome);
      const answer = await this.#call("GET", known && !isOver ? `?wait=20&after=${known}` : "", undefined, signal).catch(() => ({ ok: false, status: 0 }));
      if (signal.aborted) return;
      if (answer.ok) {
        failures = 0;
        this.#problem(null);
        if (answer.json.version !== known) await this.#update(answer.json, signal);
        await wait(!isOver ? 250 : refunded(answer.json, "pending") > 0 ? 2000 : PAUSE_MAX, signal);
      } else {
        this.#problem(answer);
        if ([400, 401, 403, 404].includes(answer.status)) return;
        failures += 1;
        await wait(Math.min(answer.after || 500 * 2 ** failures, PAUSE_MAX), signal);
      }
    }
  }

  async #update(request, signal) {
    if (this.#value?.id === request.id && request.version < this.#value.version) return;
    this.#value = request;
    this.#show(request);
    this.dispatchEvent(new CustomEvent("assent-change", { detail: request, bubbles: true, composed: true }));
    const brief = await this.#call("GET", "?view=brief", undefined, signal).catch(() => ({ ok: false }));
    if (signal?.aborted || !brief.ok || brief.json.version !== String(this.#value?.version)) return;
    const { say, sentence } = this.#parts;
    say.hidden = !brief.json.say;
    if (sentence.textContent !== brief.json.say) sentence.textContent = brief.json.say;
    sentence.lang = brief.json.say_language;
  }

  #show(request) {
    const parts = this.#parts;
    const told = describe(request);
    told.hint = `${this.#note} ${told.hint}`.trim();
    const focused = this.shadowRoot.activeElement;
    parts.state.className = `state ${told.tone}`;
    parts.state.dataset.state = request.state;
    parts.mark.replaceChildren(icon(told.tone));
    // The same words again would be spoken again.
    if (this.#said !== told.label + told.hint) [parts.label.textContent, parts.hint.textContent] = [told.label, told.hint];
    this.#said = told.label + told.hint;
    parts.code.hidden = !request.session_code || !told.hasCode;
    parts.digits.textContent = request.session_code ?? "";
    parts.words.textContent = spell(request.session_code ?? "");
    const code = request.outcome?.transaction_code;
    parts.done.hidden = !code;
    parts.transaction.textContent = code ?? "";
    parts.spelled.textContent = spell(code ?? "");
    parts.actions.hidden = !Object.values(told.can).some(Boolean);
    parts.cancel.hidden = !told.can.cancel;
    parts.extend.hidden = !told.can.extend;
    parts.resend.parentElement.hidden = !told.can.resend;
    const channels = ["", ...(request.channels ?? [])];
    if ([...parts.channel.options].map((option) => option.value).join() !== channels.join()) {
      parts.channel.replaceChildren(...channels.map((name) => element("option", { value: name }, name ? `over ${channelName(name)}` : "over the best channel")));
    }
    parts.timeline.hidden = this.hasAttribute("compact");
    parts.timeline.replaceChildren(...request.timeline.toReversed().map(({ at, what, channel, reason }) => element("li", { "data-what": what },
      element("time", { datetime: at }, clock(at)), element("span", {}, what === "failed" && !channel ? "Failed" : (TIMELINE[what] ?? humanize(what)), channel ? ` over ${channelName(channel)}` : "",
        reason ? element("span", { class: "soft" }, `, ${humanize(reason)}`) : null))));
    this.#showLeft();
    if (focused && (focused.hidden || focused.closest("[hidden]"))) parts.label.focus();
  }

  #showLeft() {
    const request = this.#value;
    const seconds = request && !request.outcome && describe(request).hasCode ? Math.max(0, Math.round((new Date(request.expires_at) - Date.now()) / 1000)) : null;
    this.#parts.left.textContent = seconds === null ? "" : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
  }

  #problem(answer) {
    const { problem } = this.#parts;
    if (!answer && problem.hidden) return;
    problem.hidden = !answer;
    problem.replaceChildren(...(answer ? problemNode(answer.json, answer.status) : []));
    if (answer) this.dispatchEvent(new CustomEvent("assent-problem", { detail: { status: answer.status, code: answer.json?.code }, bubbles: true, composed: true }));
  }

  /** Does what a button does: `cancel`, `extend` or `resend`. */
  async act(name, body) {
    const button = this.#parts[name];
    if (!this.#value || button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    const answer = await this.#call("POST", `/${name}`, body).catch(() => ({ ok: false, status: 0 }));
    button.removeAttribute("aria-disabled");
    this.#problem(answer.ok ? null : answer);
    if (answer.ok) await this.#update(answer.json);
    if (answer.status === 202) this.#parts.hint.textContent = "Cancelling. It ends once the page can no longer be completed, or as paid if it was.";
  }
}

customElements.define("assent-request", AssentRequest);
