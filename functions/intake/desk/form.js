// The drawer: whom to ask for what. An error stays at its field until it is mended, and nothing is sent before all are.
import { cardText, channelName, element, humanize, icon, moneyText, problemNode } from "/widget.js";
import { call, randomHex, session } from "/desk/calls.js";
import { COUNTRIES, hoursText, readAmount, readPhone } from "/desk/entry.js";
import { preview } from "/desk/preview.js";

const dialog = document.getElementById("form-dialog");
const CLAIMS = ["name", "given_name", "family_name", "birthdate", "email", "phone_number", "address"];
const CURRENCIES = `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB
EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD
TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG`.split(/\s+/);
const KINDS = [["payment", "Payment"], ["saved", "Saved card"], ["payment_method", "Save a card"], ["identity", "Identity"]];
/** The fields from the top of the drawer down. */
const ORDER = ["phone", "amount", "cards", "claims", "description", "channels", "name", "email", "language", "where", "minutes"];
const USED = "assent-currency";
const POINTERS = [["/customer/phone", "phone"], ["/customer/name", "name"], ["/customer/email", "email"], ["/ask/amount", "amount"], ["/ask/currency", "amount"], ["/ask/description", "description"], ["/ask/payment_method", "cards"],
  ["/ask/claims", "claims"], ["/channels", "channels"], ["/expires_in", "minutes"]];

/** Makes the drawer. `own` is the brand's own currency. `done` gets the request that was made, or the open one that the agent went to. */
export function askForm({ home, own, languages, done, question }) {
  const fields = {};
  const errors = {};
  const field = (name, label, input, hint) => {
    fields[name] = input;
    input.id ||= `ask-${name}`;
    errors[name] = element("p", { class: "error", id: `ask-${name}-error` });
    input.setAttribute("aria-describedby", `ask-${name}-error${hint ? ` ${hint.id}` : ""}`);
    input.addEventListener("input", () => mend(name));
    return element("div", {}, element("label", { for: input.id }, label), input, hint, errors[name]);
  };
  const group = (name, label, ...children) => {
    fields[name] = element("fieldset", { id: `ask-${name}`, tabindex: "-1", "aria-describedby": `ask-${name}-error` }, element("legend", {}, label), ...children);
    errors[name] = element("p", { class: "error", id: `ask-${name}-error` });
    fields[name].addEventListener("change", () => mend(name));
    return element("div", {}, fields[name], errors[name]);
  };
  const mend = (name) => { fields[name].removeAttribute("aria-invalid"); errors[name].textContent = ""; };
  const fault = (name, text) => { if (fields[name].tagName === "INPUT") fields[name].setAttribute("aria-invalid", "true"); errors[name].textContent = text; };
  const options = (values, text) => values.map((value) => element("option", { value }, text(value)));
  const country = element("select", { id: "ask-country", "aria-label": "Country of the number" }, options(Object.keys(COUNTRIES).toSorted(), (code) => `${code} +${COUNTRIES[code][0]}`));
  const phone = element("input", { id: "ask-phone", type: "tel", autocomplete: "off", inputmode: "tel" });
  const currency = element("select", { id: "ask-currency", "aria-label": "Currency" });
  const used = own ?? localStorage.getItem(USED) ?? "EUR";
  currency.append(...options([used, ...CURRENCIES.filter((code) => code !== used)], String));
  currency.value = used;
  const amount = element("input", { id: "ask-amount", autocomplete: "off", inputmode: "decimal" });
  const reading = element("p", { class: "soft number", id: "ask-reading", role: "status" });
  const kinds = element("div", { class: "kinds" }, KINDS.map(([value, name], place) => element("label", {}, element("input", { type: "radio", name: "kind", value, checked: place === 0 }), name)));
  const [cards, channels] = [element("div", { class: "options", id: "ask-card-list" }), element("div", { class: "options", id: "ask-channel-list" })];
  const names = new Intl.DisplayNames([navigator.language, "en"], { type: "language" });
  const problem = element("div", { class: "problem", role: "alert", id: "ask-problem" });
  const send = element("button", { class: "main", id: "ask-send" }, "Send to the customer");
  const money = element("div", {}, element("label", { for: "ask-amount" }, "Amount"), element("div", { class: "money" }, amount, currency), reading, (errors.amount = element("p", { class: "error", id: "ask-amount-error" })));
  fields.amount = amount;
  amount.setAttribute("aria-describedby", "ask-amount-error ask-reading");
  const number = element("div", {}, element("label", { for: "ask-phone" }, "Customer's number"), element("div", { class: "phone" }, country, phone), element("p", { class: "soft number", id: "ask-number", role: "status" }), (errors.phone = element("p", { class: "error", id: "ask-phone-error" })));
  fields.phone = phone;
  phone.setAttribute("aria-describedby", "ask-phone-error ask-number");
  const savedPart = group("cards", "Card", cards);
  const claimsPart = group("claims", "Claims", element("div", { class: "claims" }, CLAIMS.map((name) => element("label", {}, element("input", { type: "checkbox", value: name, checked: name === "given_name" || name === "birthdate" }), humanize(name)))));
  const seen = element("section", { class: "preview", id: "ask-preview", "aria-label": "What the customer gets" });
  const show = preview(seen);
  const form = element("form", { id: "ask-form", novalidate: true, autocomplete: "off" },
    element("div", { class: "head" }, element("h2", { id: "form-title" }, "Ask the customer"), element("button", { type: "button", id: "ask-close", onclick: () => dialog.close() }, "Close")),
    number, element("fieldset", {}, element("legend", {}, "Ask for"), kinds), money, savedPart, claimsPart,
    field("description", "What for", element("input", { maxlength: "140" })),
    group("channels", "Channels, best first", channels), seen,
    element("details", {}, element("summary", { id: "ask-more" }, "More"), element("div", { class: "two" }, field("name", "Customer's name", element("input", { maxlength: "60" })), field("email", "Customer's e-mail address", element("input", { type: "email", maxlength: "254", autocomplete: "off" })),
      field("language", "Customer's language", element("select", {}, element("option", { value: "" }, "The brand's"), options(languages, (tag) => names.of(tag)))),
      field("where", "You talk", element("select", {}, options(["voice", "chat", "in_person", "ivr"], (kind) => ({ voice: "on a call", chat: "in a chat", in_person: "at a counter", ivr: "through a voice menu" })[kind]))), field("minutes", "Minutes until it expires", element("input", { type: "number", min: "1", value: "5" })))),
    problem, send);
  dialog.replaceChildren(form);

  const kind = () => form.elements.kind.value;
  const hasAmount = () => kind() === "payment" || kind() === "saved";
  let [asking, unanswered, timer] = [0, null, 0];

  /** Fills a list of choices again. The focus stays at the choice where it was. */
  function refill(place, ...nodes) {
    const held = place.contains(document.activeElement) ? document.activeElement.value : null;
    place.replaceChildren(...nodes);
    if (held !== null) place.querySelector(`input[value="${CSS.escape(held)}"]`)?.focus();
  }

  const pickedChannels = () => [...channels.querySelectorAll("input:checked")].map(({ value }) => value);

  /** Reads the fields. Returns the body of a call, and what is wrong by field. */
  function read() {
    const wrong = {};
    const who = readPhone(phone.value, country.value);
    if (who.error) wrong.phone = who.error;
    const ask = { kind: hasAmount() ? "payment" : kind() };
    if (hasAmount()) {
      const sum = readAmount(amount.value, currency.value);
      if (sum.error) wrong.amount = sum.error;
      Object.assign(ask, { amount: sum.amount, currency: currency.value });
    }
    if (kind() === "saved") {
      ask.payment_method = cards.querySelector("input:checked")?.value;
      if (!ask.payment_method) wrong.cards = "Pick one of the customer's cards.";
    }
    if (kind() === "identity") {
      ask.claims = [...claimsPart.querySelectorAll("input:checked")].map(({ value }) => value);
      if (ask.claims.length === 0) wrong.claims = "Pick at least one claim.";
    }
    ask.description = fields.description.value.trim();
    if (!ask.description) wrong.description = "Say what it is for. The customer reads it.";
    const minutes = Number(fields.minutes.value);
    if (!(minutes > 0)) wrong.minutes = "Type the minutes, such as 5.";
    const customer = { phone: who.phone, ...(fields.email.value.trim() ? { email: fields.email.value.trim() } : {}), ...(fields.name.value.trim() ? { name: fields.name.value.trim() } : {}), ...(fields.language.value ? { language: fields.language.value } : {}) };
    return { wrong, body: { customer, ask, session: { kind: fields.where.value, id: session() }, expires_in: Math.round(minutes * 60) } };
  }

  function showParts() {
    money.hidden = !hasAmount();
    savedPart.hidden = kind() !== "saved";
    claimsPart.hidden = kind() !== "identity";
    const sum = hasAmount() ? readAmount(amount.value, currency.value) : {};
    reading.textContent = sum.amount ? moneyText({ amount: sum.amount, currency: currency.value }) : "";
    document.getElementById("ask-number").textContent = readPhone(phone.value, country.value).phone ?? "";
    clearTimeout(timer);
    timer = setTimeout(showRoutes, 350);
  }

  /** Asks which channels reach the customer now, and which of their cards are kept. */
  async function showRoutes() {
    const round = ++asking;
    const { body, body: { customer, ask }, wrong } = read();
    const picks = pickedChannels();
    show(Object.keys(wrong).length > 0 ? null : { ...body, ...(picks.length > 0 ? { channels: picks } : {}) });
    if (wrong.phone || (wrong.amount && hasAmount())) return channels.replaceChildren(element("p", { class: "soft" }, "Type the number and what to ask for; the channels that reach it come here."));
    if (kind() === "saved") await showCards(customer.phone, round);
    const { payment_method: card, ...asked } = ask;
    const answer = await call("POST", "/v1/capabilities", { body: { customer, ask: { ...asked, ...(card ? { payment_method: card } : {}), description: ask.description || "Request" } } });
    if (round !== asking) return null;
    if (!answer.ok) return channels.replaceChildren(element("p", { class: "problem" }, ...problemNode(answer.json, answer.status)));
    const refused = answer.json.processors.every(({ supported }) => !supported) ? answer.json.processors.map(({ name, detail, reason }) => `${name}: ${detail ?? humanize(reason ?? "")}`) : [];
    if (hasAmount() && refused.length > 0) fault("amount", `No processor takes this. ${refused.join(" ")}`);
    const picked = new Set(pickedChannels());
    return refill(channels, ...answer.json.routes.map(({ channel, reachable, rich, wallets, reason }) => {
      const told = reason === "requester_shows_link" ? ["you show the link"] : reachable ? [rich ? "with buttons" : "as a text with a link", ...wallets.map(humanize), reason && humanize(reason)] : [humanize(reason ?? "does not reach this number")];
      return element("label", { class: "option" }, element("input", { type: "checkbox", value: channel, checked: picked.has(channel) && reachable, disabled: !reachable }), icon(channel), channelName(channel), element("span", { class: "soft" }, told.filter(Boolean).join(", ")));
    }), element("p", { class: "soft" }, "Pick none to try the best one first."));
  }

  async function showCards(number, round) {
    const answer = await call("GET", `/v1/customers/${encodeURIComponent(number)}`);
    if (round !== asking) return;
    const kept = (answer.json?.cards ?? []).filter(({ state = "on_file" }) => state === "on_file");
    const picked = cards.querySelector("input:checked")?.value;
    if (kept.length > 0) mend("cards");
    const none = answer.ok ? "No card of this customer is kept. Ask for a card to save first." : (answer.json?.detail ?? "The cards could not be read.");
    refill(cards, ...(kept.length === 0 ? [element("p", { class: "soft" }, none)] : kept.map((card, place) => element("label", { class: "option" },
      element("input", { type: "radio", name: "card", value: card.id, checked: picked ? picked === card.id : place === 0 }), cardText(card), element("span", { class: "soft" }, card.exp_month ? `${card.exp_month}/${card.exp_year}` : "")))));
  }

  async function submit(event, allowed = {}) {
    event?.preventDefault();
    // The cards of the number may not be here yet.
    if (kind() === "saved" && !cards.querySelector("input")) await showRoutes();
    const { wrong, body } = read();
    for (const name of Object.keys(errors)) mend(name);
    problem.replaceChildren();
    for (const [name, text] of Object.entries(wrong)) fault(name, text);
    if (Object.keys(wrong).length > 0) return focusFirst();
    const picked = pickedChannels();
    Object.assign(body, allowed, picked.length > 0 ? { channels: picked } : {});
    const text = JSON.stringify(body);
    // After a lost answer the same body keeps its key, so that it stays one request.
    if (unanswered?.text !== text) unanswered = { text, key: randomHex(16) };
    send.disabled = true;
    const answer = await call("POST", "/v1/requests", { body, idempotencyKey: unanswered.key });
    send.disabled = false;
    if (answer.status !== 0) unanswered = null;
    if (answer.ok) {
      localStorage.setItem(USED, currency.value);
      [amount.value, fields.description.value] = ["", ""];
      showParts();
      dialog.close();
      return done(answer.json);
    }
    if (answer.json?.code === "duplicate-open-request") return duplicate(answer.json);
    const quiet = { "address-reported": "This number reported a request.", "address-in-cooldown": "This customer denied several requests." }[answer.json?.code];
    if (quiet) fault("phone", `${quiet} Try again in ${hoursText(answer.after)}.`);
    for (const { pointer = "", detail } of answer.json?.errors ?? []) {
      const [, name] = POINTERS.find(([known]) => pointer.startsWith(known)) ?? [];
      if (name) fault(name, detail);
    }
    problem.replaceChildren(...problemNode(answer.json, answer.status));
    return focusFirst() ?? problem.scrollIntoView({ block: "nearest" });
  }

  function focusFirst() {
    const name = ORDER.find((known) => errors[known].textContent);
    if (!name) return null;
    fields[name].closest("details")?.setAttribute("open", "");
    fields[name].focus();
    return name;
  }

  async function duplicate({ request }) {
    const choices = [request && ["open", "Go to the open one"], ["again", "Ask a second time"], ["back", "Back"]].filter(Boolean);
    const choice = await question("The same is open already", "This customer has an open request for the same. A second one would ask twice.", choices);
    if (choice === "again") return submit(null, { allow_duplicate: true });
    if (choice === "open") {
      dialog.close();
      return done({ id: request });
    }
    return send.focus();
  }

  function clear() {
    form.reset();
    [country.value, currency.value, unanswered] = [home, own ?? localStorage.getItem(USED) ?? used, null];
    for (const name of Object.keys(errors)) mend(name);
    for (const part of [cards, channels, problem]) part.replaceChildren();
    show(null);
    showParts();
  }

  form.addEventListener("submit", submit);
  form.addEventListener("input", showParts);
  form.addEventListener("input", ({ target }) => { if (target === phone || target === country) mend("phone"); if (target === amount || target === currency) mend("amount"); });
  clear();
  return { clear, phone: () => readPhone(phone.value, country.value).phone, open() { showParts(); dialog.showModal(); (phone.value ? amount.hidden || !hasAmount() ? fields.description : amount : phone).focus(); } };
}
