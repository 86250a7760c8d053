// The list: a search, filters, and requests that stay where they are while they change.
import { amountText, askText, channelName, clock, describe, element, icon } from "/widget.js";
import { call, pause, query } from "/desk/calls.js";
import { readAmount, readPhone } from "/desk/entry.js";

const $ = (id) => document.getElementById(id);
const PAGE = 20;
/** The pages of one search by amount, for which the API has no list. */
const PAGES_MAX = 10;
const rows = new Map();
let [shown, cursor, asked, country] = [[], null, 0, "US"];

/** Reads what an agent searches for. */
function searched(text) {
  if (text === "") return {};
  if (/^[0-9a-z]{4}-[0-9a-z]{4}$/i.test(text)) return { transaction_code: text.toUpperCase() };
  const phone = readPhone(text, country).phone;
  if (phone && text.replace(/\D/g, "").length >= 7 && !/[.,]\d{1,3}$/.test(text)) return { phone };
  if (/^[\d.,' \u00a0]+$/.test(text)) return { amountOf: text };
  return /^call-|^CA/.test(text) ? { session: text } : { reference: text };
}

function parameters() {
  const day = $("filter-day").value;
  const next = day && new Date(`${day}T00:00`);
  if (next) next.setDate(next.getDate() + 1);
  return { state: $("filter-state").value, kind: $("filter-kind").value, created_from: day && new Date(`${day}T00:00`).toISOString(), created_before: next && next.toISOString() };
}

const hasAmount = (request, text) => request.ask.amount !== undefined && readAmount(text, request.ask.currency).amount === request.ask.amount;
const channelOf = (request) => request.timeline.findLast(({ channel }) => channel)?.channel ?? request.channels[0];
const passes = (request, amountOf) => (!amountOf || hasAmount(request, amountOf)) && (!$("filter-channel").value || channelOf(request) === $("filter-channel").value);

function row(request) {
  const link = rows.get(request.id) ?? element("a", { href: `/desk/requests/${request.id}` });
  const text = JSON.stringify([request.version, request.outcome, request.refunds]);
  if (link.dataset.text !== text) {
    link.dataset.text = text;
    const { label: whole, tone } = describe(request);
    const label = whole.length > 30 ? whole.split(/[,:(]/)[0].trim() : whole;
    link.dataset.state = request.state;
    const { ask } = request;
    const sum = ask.amount === undefined ? "" : `${amountText(ask)} ${ask.currency}`;
    link.replaceChildren(icon(ask.payment_method ? "payment_method" : ask.kind), element("span", { class: "what" }, ask.description || askText(ask)), element("span", { class: "sum" }, sum),
      element("span", { class: "under" }, element("span", { class: `tone ${tone}` }, icon(tone), label), element("span", { class: "soft number" }, `${channelName(channelOf(request) ?? "")} ${when(request.created_at)}`)));
  }
  rows.set(request.id, link);
  return link;
}

const when = (at) => (new Date(at).toDateString() === new Date().toDateString() ? clock(at).replace(/:\d\d(?=\D*$)/, "") : new Date(at).toLocaleDateString([], { day: "numeric", month: "short" }));

function render() {
  const list = $("list");
  const wanted = shown.map(row);
  // Rows keep their elements, so that the focus stays where it was.
  wanted.forEach((link, place) => {
    const item = link.parentElement ?? element("li", {}, link);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  while (list.children.length > wanted.length) list.lastElementChild.remove();
  $("older").hidden = !cursor;
  for (const link of wanted) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function page(from, amountOf) {
  const { amountOf: _, ...search } = searched($("search").value.trim());
  const found = [];
  let [next, last] = [from, null];
  for (let pages = 0; pages < (amountOf ? PAGES_MAX : 1); pages += 1) {
    last = await call("GET", query("/v1/requests", { ...parameters(), ...search, limit: PAGE, cursor: next }));
    if (!last.ok) return { problem: last };
    found.push(...last.json.requests.filter((request) => passes(request, amountOf)));
    next = last.json.next_cursor;
    if (!next || found.length >= PAGE) break;
  }
  return { found, next };
}

/** Loads the first page again. Requests that are loaded already stay below it. */
export async function refresh({ isNew = false } = {}) {
  const round = ++asked;
  if (isNew) $("list-note").textContent = shown.length === 0 ? "Loading…" : "";
  const { amountOf } = searched($("search").value.trim());
  const { found, next, problem } = await page(null, amountOf);
  if (round !== asked) return;
  if (problem) {
    if (!problem.isAborted) $("list-note").textContent = problem.json?.errors?.[0]?.detail ?? problem.json?.detail ?? "Assent does not answer. The list is tried again.";
    return;
  }
  const rest = isNew ? [] : shown.filter(({ id }) => !found.some((request) => request.id === id) && found.length > 0 && id < found.at(-1).id);
  if (isNew || rest.length === 0) cursor = next;
  shown = [...found, ...rest];
  render();
  const isFiltered = $("search").value || [...$("search-form").querySelectorAll(".filters > *")].some(({ value }) => value);
  $("list-note").textContent = shown.length > 0 ? "" : isFiltered ? "Nothing matches." : "No requests yet. Ask a customer, and the request is here.";
}

/** Shows a newer version of a request that is in the list. */
export function update(request) {
  const place = shown.findIndex(({ id }) => id === request.id);
  if (place >= 0 && shown[place].version <= request.version) shown[place] = request;
  render();
}

/** Starts the list, and keeps it fresh while the tab is in front. */
export async function start(home, channels) {
  country = home;
  $("filter-channel").append(...channels.map((name) => element("option", { value: name }, channelName(name))));
  let typing = 0;
  $("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => refresh({ isNew: true }), 300); });
  $("search-form").addEventListener("submit", (event) => { event.preventDefault(); refresh({ isNew: true }); });
  for (const filter of $("search-form").querySelectorAll(".filters > *")) filter.addEventListener("change", () => refresh({ isNew: true }));
  $("older").addEventListener("click", async () => {
    const { found, next } = await page(cursor, searched($("search").value.trim()).amountOf);
    if (!found) return;
    [shown, cursor] = [[...shown, ...found.filter(({ id }) => !shown.some((request) => request.id === id))], next];
    render();
  });
  $("list").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const links = [...$("list").querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    links[at + step]?.focus();
  });
  await refresh({ isNew: true });
  for (;;) {
    await pause(5000);
    await refresh();
  }
}

/** Forgets the search, as the next call is with another customer. */
export function clear() {
  $("search-form").reset();
  refresh({ isNew: true });
}
