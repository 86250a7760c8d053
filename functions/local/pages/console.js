// The agent's console: sends requests, follows one of them live, and shows the webhooks that the requester's system receives.
import { $, call, element, formatTime, humanize, listIn, pause, phoneDigits, problem, randomHex, unreachable } from "/assets/common.js";
import { askName, spellOut, stateOf, timelineLabel } from "/assets/labels.js";

const config = (await call("GET", "/local/config.json")).json;
// The request in the middle, and what stops following it.
let selected = null;
let following = new AbortController();
// The last request that got no answer: its body and its idempotency key.
let unanswered = null;

const authorization = { authorization: `Bearer ${config.key}` };
const session = () => $("session").value.trim();

/** Calls the API as the requester's system would, and shows the call as curl. */
async function api(method, path, { body, idempotencyKey, signal, asCurl = true } = {}) {
  const headers = { ...authorization };
  if (idempotencyKey) headers["idempotency-key"] = idempotencyKey;
  const answer = await call(method, path, { headers, body, signal });
  if (asCurl) showCall(method, path, headers, body, answer);
  return answer;
}

function showCall(method, path, headers, body, answer) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = [`curl -X ${method} ${quoted(config.api + path)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) lines.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  $("curl").textContent = lines.join(" \\\n  ");
  $("answered").textContent = `Answer: HTTP ${answer.status}`;
  $("answer").textContent = JSON.stringify(answer.json, null, 2);
  $("copied").textContent = "";
  $("last").hidden = false;
}

// Amounts are typed in major units and sent in minor units. Strings keep them exact.
const decimals = (currency) => new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;

/** Returns the amount in minor units, or null if the text is not an amount. */
function minorUnits(text, currency) {
  const places = decimals(currency);
  const parts = /^(\d+)(?:[.,](\d+))?$/.exec(text.trim());
  if (!parts || (parts[2] ?? "").length > places) return null;
  return Number(parts[1] + (parts[2] ?? "").padEnd(places, "0"));
}

function majorUnits(amount, currency) {
  const places = decimals(currency);
  const digits = String(amount).padStart(places + 1, "0");
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

const moneyText = ({ amount, currency }) => `${majorUnits(amount, currency)} ${currency}`;

const askText = (ask) => (ask.amount === undefined ? askName(ask) : moneyText(ask));

// A session code is said digit by digit: 60 sounds like 16.
const DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

// The last two digits decide what the sandbox processor does.
const MAGIC_AMOUNTS = [[4250, "approved"], [4202, "declined once"], [4203, "declined"], [4204, "slow"], [4205, "answer lost"]];

/** Fills in an amount and clears the error of the one before. */
function fillAmount(amount) {
  $("amount").value = amount;
  $("amount").setCustomValidity("");
}

function showMagicAmounts() {
  const currency = $("currency").value;
  $("amount").setCustomValidity("");
  $("magic").replaceChildren(...MAGIC_AMOUNTS.map(([amount, effect]) =>
    element("button", { type: "button", class: "chip", onclick: () => fillAmount(majorUnits(amount, currency)) },
      `${majorUnits(amount, currency)} ${effect}`)));
}

/** Returns whether the text is an amount, and reports it if not. The API decides whether it can be charged. */
function isAmountValid() {
  const currency = $("currency").value;
  const isValid = minorUnits($("amount").value, currency) !== null;
  $("amount").setCustomValidity(isValid ? "" : `An amount such as ${majorUnits(4250, currency)}`);
  return $("amount").reportValidity();
}

/** Returns the form's customer and ask, as the API takes them. */
function formParams() {
  const currency = $("currency").value;
  const amount = minorUnits($("amount").value, currency);
  const customer = { phone: phoneDigits($("phone").value) };
  if ($("name").value.trim()) customer.name = $("name").value.trim();
  if ($("language").value) customer.language = $("language").value;
  const ask = { kind: "payment", amount, currency, description: $("description").value };
  return { customer, ask };
}

/** Shows the problem of an answer and scrolls to it, or removes the one before. */
function showProblem(place, answer) {
  $(place).replaceChildren(...(answer.ok ? [] : [problem(answer.json, answer.status)]));
  if (!answer.ok) $(place).scrollIntoView({ block: "nearest" });
}

async function send(event) {
  event.preventDefault();
  if (!isAmountValid()) return;
  const body = { ...formParams(), session: { kind: $("kind").value, id: session(), agent: "console" } };
  const channels = [...$("channels").querySelectorAll("input:checked")].map((box) => box.value);
  if (channels.length > 0) body.channels = channels;
  if ($("expires").value) body.expires_in = Number($("expires").value);
  // After a lost answer the same body keeps its key, so that it stays one request.
  const text = JSON.stringify(body);
  if (unanswered?.text !== text) unanswered = { text, key: randomHex(16) };
  $("send").disabled = true;
  try {
    const answer = await api("POST", "/v1/requests", { body, idempotencyKey: unanswered.key });
    unanswered = null;
    showProblem("ask-problem", answer);
    if (answer.ok) {
      follow(answer.json);
      if (matchMedia("(max-width: 46rem)").matches) $("request").scrollIntoView();
      await showList();
    }
  } catch {
    $("ask-problem").replaceChildren(unreachable());
  } finally {
    $("send").disabled = false;
  }
}

/** Shows a request and follows it until it ends or another one is picked. */
async function follow(request) {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  $("action-problem").replaceChildren();
  show(request);
  while (!signal.aborted && !stateOf(selected).ended) {
    try {
      const answer = await api("GET", `/v1/requests/${request.id}?wait=20&after=${selected.version}`, { signal, asCurl: false });
      if (signal.aborted) return;
      if (!answer.ok) {
        $("action-problem").replaceChildren(problem(answer.json, answer.status));
        await pause(2000);
      } else if (answer.json.version === selected.version) {
        // The wait ended without a change. This pause bounds the rate of calls.
        await pause(250);
      } else {
        $("action-problem").replaceChildren();
        show(answer.json);
        showList();
      }
    } catch {
      if (signal.aborted) return;
      $("action-problem").replaceChildren(unreachable());
      await pause(2000);
    }
  }
}

function show(request) {
  selected = request;
  const state = stateOf(request);
  const { outcome } = request;
  $("nothing").hidden = true;
  $("selected").hidden = false;
  $("state").className = `state ${state.tone}`;
  $("state").dataset.state = request.state;
  $("state-label").textContent = state.label;
  $("state-hint").textContent = state.hint;
  $("code").hidden = !request.session_code || state.ended || state.answered;
  $("digits").textContent = request.session_code ?? "";
  $("digits").setAttribute("aria-label", [...(request.session_code ?? "")].join(" "));
  $("said").textContent = [...(request.session_code ?? "")].map((digit) => DIGITS[digit]).join(", ");
  $("fulfilled").hidden = !outcome?.transaction_code;
  $("transaction").textContent = outcome?.transaction_code ?? "";
  $("spelled").textContent = spellOut(outcome?.transaction_code ?? "");
  $("actions").hidden = Boolean(state.ended);
  $("resend-channel").replaceChildren(element("option", { value: "" }, "best channel"), ...(request.channels ?? []).map((name) => element("option", {}, name)));
  $("details").replaceChildren(...detailRows(request));
  $("timeline").replaceChildren(...request.timeline.map(({ at, what, channel, reason }) =>
    element("li", { class: timelineLabel({ what, channel })?.tone ?? "" },
      element("time", { datetime: at }, formatTime(at)),
      element("b", {}, timelineLabel({ what, channel })?.label ?? humanize(what)),
      channel ? element("span", {}, `over ${channel}`) : null,
      reason ? element("span", { class: "soft" }, humanize(reason)) : null)));
  showLeft();
}

const cardText = ({ wallet, card_brand, method, last4 }) =>
  [wallet && humanize(wallet), card_brand, method, last4 && `ending in ${last4}`].filter(Boolean).join(" ");

function detailRows({ id, ask, customer, session: conversation, outcome }) {
  const { payment, payment_method: card, identity } = outcome ?? {};
  const rows = [
    ["Asked", `${askText(ask)}, ${ask.description}`],
    ["Customer", [customer.name, customer.phone].filter(Boolean).join(", ")],
    ["Session", `${humanize(conversation.kind)} ${conversation.id}`],
    payment && ["Charged", moneyText(payment)],
    payment && ["Method", cardText(payment)],
    card && ["Saved card", `${cardText(card)}, ${card.id}`],
    identity && ["Released", identity.released.map(humanize).join(", ")],
    outcome?.reference && ["Reference", `${outcome.processor} `, element("code", {}, outcome.reference)],
    ["Request", element("code", {}, id)],
  ];
  return rows.filter(Boolean).flatMap(([name, ...values]) => [element("dt", {}, name), element("dd", {}, ...values)]);
}

function showLeft() {
  if (!selected) return;
  const left = Math.max(0, Math.round((new Date(selected.expires_at) - Date.now()) / 1000));
  const open = !stateOf(selected).ended;
  $("left").textContent = open ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left` : "";
}

async function change(name, body) {
  try {
    const answer = await api("POST", `/v1/requests/${selected.id}/${name}`, { body, idempotencyKey: randomHex(16) });
    showProblem("action-problem", answer);
    if (answer.ok && answer.json?.id === selected.id && answer.json.version >= selected.version) {
      show(answer.json);
      showList();
    }
  } catch {
    $("action-problem").replaceChildren(unreachable());
  }
}

async function showList() {
  const answer = await api("GET", `/v1/requests?session=${encodeURIComponent(session())}`, { asCurl: false }).catch(() => null);
  if (!answer?.ok) return;
  const requests = listIn(answer.json, "requests");
  $("list-empty").hidden = requests.length > 0;
  $("list").replaceChildren(...requests.map((request) =>
    element("li", {}, element("button", { "aria-current": String(request.id === selected?.id), onclick: () => pick(request.id) },
      element("span", { class: "row" },
        element("span", {}, askText(request.ask)),
        element("span", { class: `tag ${stateOf(request).tone}` }, request.state)),
      element("span", { class: "soft" }, `${formatTime(request.created_at)} · ${request.ask.description}`)))));
}

async function pick(id) {
  const answer = await api("GET", `/v1/requests/${id}`).catch(() => null);
  if (answer?.ok) follow(answer.json);
  else $("action-problem").replaceChildren(answer ? problem(answer.json, answer.status) : unreachable());
  showList();
}

async function pollWebhooks() {
  let known = "";
  for (;;) {
    const answer = await call("GET", "/local/webhooks.json").catch(() => null);
    const text = JSON.stringify(answer?.json);
    if (answer?.ok && text !== known) {
      known = text;
      const newestFirst = listIn(answer.json, "webhooks").toSorted((one, other) => String(other.at).localeCompare(String(one.at)));
      $("webhooks").replaceChildren(...newestFirst.slice(0, 50).map((webhook) =>
        element("li", {}, element("button", { onclick: () => pick(webhook.request) },
          element("span", { class: "row" }, element("b", {}, webhook.type),
            element("span", { class: webhook.verified ? "checked" : "checked no" }, webhook.verified ? "✓ signed" : "✗ signature wrong")),
          element("span", { class: "soft" }, formatTime(webhook.at)), " ", element("code", {}, webhook.id)))));
    }
    await pause(1500);
  }
}

/** Asks which channels reach the customer now, and offers them. */
async function showChannels() {
  const answer = await api("POST", "/v1/capabilities", { body: formParams(), asCurl: false }).catch(() => null);
  $("reach").textContent = answer?.ok ? "Without a pick, Assent tries the best channel first." : (answer?.json?.detail ?? "");
  const routes = answer?.ok ? listIn(answer.json, "routes") : [];
  if (routes.length === 0) return;
  const picked = new Set([...$("channels").querySelectorAll("input:checked")].map((box) => box.value));
  $("channels").replaceChildren(...routes.map(({ channel, reachable, rich, reason }) =>
    element("label", {}, element("input", { type: "checkbox", value: channel, checked: picked.has(channel), disabled: !reachable }),
      `${channel}${rich ? " · buttons" : ""}${reachable ? "" : ` · ${humanize(reason ?? "not reachable")}`}`)));
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("curl").textContent);
    $("copied").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren($("curl"));
    $("copied").textContent = "Selected: press Ctrl+C";
  }
}

function showPhoneLink() {
  $("phone-link").href = `/phone?number=${encodeURIComponent(phoneDigits($("phone").value))}`;
}

function newSession() {
  $("session").value = `call-${randomHex(4)}`;
  showList();
}

$("brand").textContent = config.brand;
$("phone").value = config.phone_default ?? "";
const names = new Intl.DisplayNames(["en"], { type: "language" });
$("language").append(element("option", { value: "" }, "default"), ...(config.languages ?? []).map((tag) => element("option", { value: tag }, names.of(tag))));
$("ask").addEventListener("submit", send);
$("phone").addEventListener("change", () => { showPhoneLink(); showChannels(); });
$("amount").addEventListener("input", () => $("amount").setCustomValidity(""));
$("currency").addEventListener("change", showMagicAmounts);
$("cancel").addEventListener("click", () => change("cancel"));
$("extend").addEventListener("click", () => change("extend", { expires_in: 300 }));
$("resend").addEventListener("click", () => change("resend", $("resend-channel").value ? { channel: $("resend-channel").value } : {}));
$("copy").addEventListener("click", copy);
$("session-form").addEventListener("submit", (event) => { event.preventDefault(); showList(); });
$("session").addEventListener("change", showList);
$("session-new").addEventListener("click", newSession);
setInterval(showLeft, 1000);
showMagicAmounts();
showPhoneLink();
newSession();
showChannels();
pollWebhooks();
