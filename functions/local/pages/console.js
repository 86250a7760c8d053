// The agent's console: asks, watches one request live, and shows what the requester's own system is told.
import { $, call, clock, h, listed, pause, problem, random, unreachable, words } from "/assets/common.js";
import { STATES, TIMELINE, reasoned, spelled } from "/assets/words.js";

const config = (await call("GET", "/local/config.json")).json;
let selected = null;
let watching = new AbortController();
let unsent = null;

const authorization = { authorization: `Bearer ${config.key}` };
const session = () => $("session").value.trim();

/** Calls the API as the requester's own system would, and keeps the call to be shown as curl. */
async function api(method, path, { body, idempotent, signal, shown = true } = {}) {
  const headers = { ...authorization };
  if (idempotent) headers["idempotency-key"] = idempotent;
  const answer = await call(method, path, { headers, body, signal });
  if (shown) showCall(method, path, headers, body, answer);
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

// Amounts: typed in major units, sent in minor ones, without a detour over floating point.
const decimals = (currency) => new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;

function minor(text, currency) {
  const places = decimals(currency);
  const parts = /^(\d+)(?:[.,](\d+))?$/.exec(text.trim());
  if (!parts || (parts[2] ?? "").length > places) return null;
  return Number(parts[1] + (parts[2] ?? "").padEnd(places, "0"));
}

function major(amount, currency) {
  const places = decimals(currency);
  const digits = String(amount).padStart(places + 1, "0");
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

const MAGIC = [[4250, "approved"], [4202, "try again"], [4203, "refused"], [4204, "slow"], [4205, "answer lost"]];

/** Fills in an amount; whatever was wrong with the one before is forgotten. */
function fill(amount) {
  $("amount").value = amount;
  $("amount").setCustomValidity("");
}

function showMagic() {
  const currency = $("currency").value;
  $("amount").setCustomValidity("");
  $("magic").replaceChildren(...MAGIC.map(([amount, what]) =>
    h("button", { type: "button", class: "chip", onclick: () => fill(major(amount, currency)) },
      `${major(amount, currency)} ${what}`)));
}

/** Whether the amount can be sent at all; whether it can be charged is the API's to say. */
function amountReads() {
  const currency = $("currency").value;
  const reads = minor($("amount").value, currency) !== null;
  $("amount").setCustomValidity(reads ? "" : `An amount such as ${major(4250, currency)}`);
  return $("amount").reportValidity();
}

function asked() {
  const currency = $("currency").value;
  const amount = minor($("amount").value, currency);
  const customer = { phone: $("phone").value.replace(/[\s()-]/g, "") };
  if ($("name").value.trim()) customer.name = $("name").value.trim();
  if ($("language").value) customer.language = $("language").value;
  const ask = { kind: "payment", amount, currency, description: $("description").value };
  return { customer, ask };
}

/** Shows what is wrong with an answer, where it can be seen, or takes away what was shown before. */
function complain(place, answer) {
  $(place).replaceChildren(...(answer.ok ? [] : [problem(answer.json, answer.status)]));
  if (!answer.ok) $(place).scrollIntoView({ block: "nearest" });
}

async function send(event) {
  event.preventDefault();
  if (!amountReads()) return;
  const body = { ...asked(), session: { kind: $("kind").value, id: session(), agent: "console" } };
  const channels = [...$("channels").querySelectorAll("input:checked")].map((box) => box.value);
  if (channels.length > 0) body.channels = channels;
  if ($("expires").value) body.expires_in = Number($("expires").value);
  // The same request sent again after a lost answer keeps its key, so that it stays one request.
  const text = JSON.stringify(body);
  if (unsent?.text !== text) unsent = { text, key: random(16) };
  $("send").disabled = true;
  try {
    const answer = await api("POST", "/v1/requests", { body, idempotent: unsent.key });
    unsent = null;
    complain("ask-problem", answer);
    if (answer.ok) {
      watch(answer.json);
      if (matchMedia("(max-width: 46rem)").matches) $("request").scrollIntoView();
      await list();
    }
  } catch {
    $("ask-problem").replaceChildren(unreachable());
  } finally {
    $("send").disabled = false;
  }
}

/** Shows a request and follows it until it ends or another is picked. */
async function watch(request) {
  watching.abort();
  watching = new AbortController();
  const { signal } = watching;
  $("act-problem").replaceChildren();
  show(request);
  while (!signal.aborted && !STATES[selected.state]?.ended) {
    try {
      const answer = await api("GET", `/v1/requests/${request.id}?wait=20&after=${selected.version}`, { signal, shown: false });
      if (signal.aborted) return;
      if (!answer.ok) {
        $("act-problem").replaceChildren(problem(answer.json, answer.status));
        await pause(2000);
      } else if (answer.json.version === selected.version) {
        // The wait was over, or cut short: never ask faster than this.
        await pause(250);
      } else {
        $("act-problem").replaceChildren();
        show(answer.json);
        list();
      }
    } catch {
      if (signal.aborted) return;
      $("act-problem").replaceChildren(unreachable());
      await pause(2000);
    }
  }
}

function show(request) {
  selected = request;
  const state = STATES[request.state] ?? { word: words(request.state), hint: "", tone: "busy" };
  const { outcome } = request;
  $("nothing").hidden = true;
  $("shown").hidden = false;
  $("state").className = `state ${state.tone}`;
  $("state").dataset.state = request.state;
  $("state-word").textContent = state.word;
  $("state-hint").textContent = (outcome && reasoned(outcome)) || state.hint;
  $("code").hidden = !request.session_code || state.ended || state.answered;
  $("digits").textContent = request.session_code ?? "";
  $("digits").setAttribute("aria-label", [...(request.session_code ?? "")].join(" "));
  $("paid").hidden = !outcome?.transaction_code;
  $("transaction").textContent = outcome?.transaction_code ?? "";
  $("spelled").textContent = spelled(outcome?.transaction_code ?? "");
  $("acts").hidden = Boolean(state.ended);
  $("resend-channel").replaceChildren(h("option", { value: "" }, "best channel"), ...(request.channels ?? []).map((name) => h("option", {}, name)));
  $("facts").replaceChildren(...facts(request));
  $("timeline").replaceChildren(...request.timeline.map((fact) =>
    h("li", { class: TIMELINE[fact.what]?.tone ?? "" },
      h("time", { datetime: fact.at }, clock(fact.at)),
      h("b", {}, TIMELINE[fact.what]?.word ?? words(fact.what)),
      fact.channel ? h("span", {}, `over ${fact.channel}`) : null,
      fact.reason ? h("span", { class: "soft" }, words(fact.reason)) : null)));
  showLeft();
}

function facts({ id, ask, customer, session: of, outcome }) {
  const payment = outcome?.payment;
  const rows = [
    ["Asked", `${ask.amount === undefined ? words(ask.kind) : `${major(ask.amount, ask.currency)} ${ask.currency}`}, ${ask.description}`],
    ["Customer", [customer.name, customer.phone].filter(Boolean).join(", ")],
    ["Session", `${words(of.kind)} ${of.id}`],
    payment && ["Charged", `${major(payment.amount, payment.currency)} ${payment.currency}`],
    payment && ["Method", [payment.wallet && words(payment.wallet), payment.card_brand, payment.method, payment.last4 && `ending in ${payment.last4}`].filter(Boolean).join(" ")],
    outcome?.reference && ["Reference", `${outcome.processor} ${outcome.reference}`],
    ["Request", id],
  ];
  return rows.filter(Boolean).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

function showLeft() {
  if (!selected) return;
  const left = Math.max(0, Math.round((new Date(selected.expires_at) - Date.now()) / 1000));
  const open = !STATES[selected.state]?.ended;
  $("left").textContent = open ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left` : "";
}

async function act(name, body) {
  try {
    const answer = await api("POST", `/v1/requests/${selected.id}/${name}`, { body, idempotent: random(16) });
    complain("act-problem", answer);
    if (answer.ok && answer.json?.id === selected.id && answer.json.version >= selected.version) {
      show(answer.json);
      list();
    }
  } catch {
    $("act-problem").replaceChildren(unreachable());
  }
}

async function list() {
  const answer = await api("GET", `/v1/requests?session=${encodeURIComponent(session())}`, { shown: false }).catch(() => null);
  if (!answer?.ok) return;
  const requests = listed(answer.json, "requests");
  $("list-empty").hidden = requests.length > 0;
  $("list").replaceChildren(...requests.map((request) =>
    h("li", {}, h("button", { "aria-current": String(request.id === selected?.id), onclick: () => pick(request.id) },
      h("span", { class: "row" },
        h("span", {}, request.ask.amount === undefined ? words(request.ask.kind) : `${major(request.ask.amount, request.ask.currency)} ${request.ask.currency}`),
        h("span", { class: `tag ${STATES[request.state]?.tone ?? ""}` }, words(request.state))),
      h("span", { class: "soft" }, `${clock(request.created_at)} · ${request.ask.description}`)))));
}

async function pick(id) {
  const answer = await api("GET", `/v1/requests/${id}`).catch(() => null);
  if (answer?.ok) watch(answer.json);
  else $("act-problem").replaceChildren(answer ? problem(answer.json, answer.status) : unreachable());
  list();
}

async function webhooks() {
  let known = "";
  for (;;) {
    const answer = await call("GET", "/local/webhooks.json").catch(() => null);
    const text = JSON.stringify(answer?.json);
    if (answer?.ok && text !== known) {
      known = text;
      const newest = listed(answer.json, "webhooks").toSorted((one, other) => String(other.at).localeCompare(String(one.at)));
      $("webhooks").replaceChildren(...newest.slice(0, 50).map((webhook) =>
        h("li", {}, h("button", { onclick: () => pick(webhook.request) },
          h("span", { class: "row" }, h("b", {}, webhook.type),
            h("span", { class: webhook.verified ? "checked" : "checked no" }, webhook.verified ? "✓ signed" : "✗ signature")),
          h("span", { class: "soft" }, clock(webhook.at)), " ", h("code", {}, webhook.id)))));
    }
    await pause(1500);
  }
}

/** Asks what reaches the customer's phone now, and offers it. */
async function reach() {
  const answer = await api("POST", "/v1/capabilities", { body: asked(), shown: false }).catch(() => null);
  $("reach").textContent = answer?.ok ? "None picked: the best that reaches them." : (answer?.json?.detail ?? "");
  const routes = answer?.ok ? listed(answer.json, "routes") : (config.channels ?? []).map((channel) => ({ channel, reachable: true }));
  if (routes.length === 0) return;
  const picked = new Set([...$("channels").querySelectorAll("input:checked")].map((box) => box.value));
  $("channels").replaceChildren(...routes.map(({ channel, reachable, rich, reason }) =>
    h("label", {}, h("input", { type: "checkbox", value: channel, checked: picked.has(channel), disabled: !reachable }),
      `${channel}${rich ? " · buttons" : ""}${reachable ? "" : ` · ${words(reason ?? "not reachable")}`}`)));
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
  $("phone-link").href = `/phone?number=${encodeURIComponent($("phone").value.replace(/[\s()-]/g, ""))}`;
}

function newSession() {
  $("session").value = `call-${random(4)}`;
  list();
}

$("brand").textContent = config.brand;
$("phone").value = config.phone_default ?? "";
const names = new Intl.DisplayNames(["en"], { type: "language" });
$("language").append(h("option", { value: "" }, "default"), ...(config.languages ?? []).map((tag) => h("option", { value: tag }, names.of(tag))));
$("ask").addEventListener("submit", send);
$("phone").addEventListener("change", () => { showPhoneLink(); reach(); });
$("amount").addEventListener("input", () => $("amount").setCustomValidity(""));
$("currency").addEventListener("change", showMagic);
$("cancel").addEventListener("click", () => act("cancel"));
$("extend").addEventListener("click", () => act("extend", { expires_in: 300 }));
$("resend").addEventListener("click", () => act("resend", $("resend-channel").value ? { channel: $("resend-channel").value } : {}));
$("copy").addEventListener("click", copy);
$("session-form").addEventListener("submit", (event) => { event.preventDefault(); list(); });
$("session").addEventListener("change", list);
$("session-new").addEventListener("click", newSession);
setInterval(showLeft, 1000);
showMagic();
showPhoneLink();
newSession();
reach();
webhooks();
