// The log of webhook events: what was sent, what the endpoint answered, and sending it again.
import { clock, copyFrom, element, humanize, icon, problemNode } from "/widget.js";
import { call, pause, query } from "/desk/calls.js";

const PAGE = 10;
const TONES = { delivered: "good", pending: "wait", failed: "bad" };

/** Computes the signature of Standard Webhooks 1.0.0 over a text, with a secret as the brand's settings have it. */
async function signatureOf(secret, text) {
  const key = Uint8Array.from(atob(secret.trim().replace(/^whsec_/, "")), (sign) => sign.charCodeAt(0));
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `v1,${btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text)))))}`;
}

/** What the last call carried, what was signed, and a check of it with a secret that stays in this field. */
function signing(headers, body) {
  const base = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const secret = element("input", { type: "password", class: "secret", autocomplete: "off", spellcheck: "false", placeholder: "whsec_…" });
  const result = element("p", { class: "soft verdict", role: "status" });
  const check = async (event) => {
    event.preventDefault();
    const expected = await signatureOf(secret.value, base).catch(() => null);
    const [tone, text] = expected === null ? ["bad", "This is not a signing secret: whsec_ and base64."] : headers["webhook-signature"].split(" ").includes(expected) ? ["good", "The signature is right for this secret."] : ["bad", "The signature is not of this secret, or the bytes differ."];
    result.replaceChildren(element("span", { class: `tone ${tone}` }, icon(tone), text));
  };
  return element("details", { class: "signing" }, element("summary", {}, "Headers and signature"),
    element("dl", { class: "facts" }, Object.entries(headers).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, element("code", {}, value))])),
    element("p", { class: "soft" }, "The signature is HMAC-SHA-256 over this text: the id, the time and the body, with dots between them."), element("pre", { tabindex: "0", class: "base" }, base),
    element("div", { class: "row" }, element("button", { type: "button", "aria-label": "Copy the signed text", onclick: ({ currentTarget }) => copyFrom(currentTarget, base) }, "Copy")),
    element("form", { class: "row", onsubmit: check }, element("label", {}, "Signing secret, which stays in this field", secret), element("button", { class: "check" }, "Check the signature")), result);
}

function inside(event, changed) {
  const payload = JSON.stringify(event.payload, null, 2);
  const problem = element("p", { class: "problem", role: "alert" });
  const send = async ({ currentTarget }) => {
    currentTarget.disabled = true;
    const answer = await call("POST", `/v1/events/${event.id}/redeliver`);
    currentTarget.disabled = false;
    problem.replaceChildren(...(answer.ok ? [] : problemNode(answer.json, answer.status)));
    if (answer.ok) changed(answer.json);
  };
  const attempts = event.attempts.map((attempt) => element("tr", {}, element("td", { class: "number" }, new Date(attempt.at).toLocaleString()),
    element("td", {}, attempt.destination), element("td", { class: "number" }, attempt.status ?? ""), element("td", { class: "number" }, `${attempt.duration_ms ?? ""} ms`),
    element("td", {}, attempt.reason ? humanize(attempt.reason) : "taken"), element("td", {}, attempt.answer ?? "")));
  const signed = element("div", {});
  const sent = event.attempts.findLast(({ headers }) => headers)?.headers;
  // The exact bytes are in the answer for this one event alone.
  if (sent && !event.erased_at) call("GET", `/v1/events/${event.id}`).then((answer) => { if (answer.ok) signed.replaceChildren(signing(sent, answer.json.body)); });
  return element("div", { class: "inside" },
    element("p", { class: "soft" }, element("code", {}, event.id), event.next_attempt_at ? ` Next attempt at ${clock(event.next_attempt_at)}.` : ""),
    event.attempts.length === 0 ? element("p", { class: "soft" }, "No attempt yet.") : element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Attempts" }, element("table", {},
      element("thead", {}, element("tr", {}, ["Attempt", "To", "Status", "Time", "Result", "Answer"].map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, attempts))),
    element("div", { class: "row" }, event.erased_at ? element("p", { class: "soft" }, "Its customer was erased, so it is not sent again.") : element("button", { type: "button", class: "redeliver", onclick: send }, "Send again"),
      element("button", { type: "button", onclick: ({ currentTarget }) => copyFrom(currentTarget, payload), "aria-label": "Copy the payload" }, "Copy")), problem,
    signed, element("pre", { tabindex: "0" }, payload));
}

/** An entry of the log, which keeps its element and stays open while it changes. */
function entryOf(event) {
  const [name, tone, at] = [element("span", {}), element("span", {}), element("span", { class: "soft number" })];
  const details = element("details", {}, element("summary", {}, name, tone, at));
  const item = element("li", { "data-event": event.id }, details);
  let known = event;
  const fill = () => { details.lastElementChild.className === "inside" && details.lastElementChild.remove(); if (details.open) details.append(inside(known, show)); };
  const show = (next) => {
    const isSame = item.dataset.text === JSON.stringify(next);
    if (isSame) return;
    [known, item.dataset.text, item.dataset.type] = [next, JSON.stringify(next), next.type];
    name.textContent = next.type;
    [tone.className, tone.textContent] = [`tone ${TONES[next.state] ?? "quiet"}`, `${humanize(next.state)}, ${next.attempts.length} ${next.attempts.length === 1 ? "attempt" : "attempts"}`];
    at.textContent = new Date(next.created_at).toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
    // A focused button would vanish with its part. The next change comes soon.
    if (!details.contains(document.activeElement) || document.activeElement.tagName === "SUMMARY" || document.activeElement.disabled) fill();
  };
  details.addEventListener("toggle", fill);
  show(event);
  return { item, show };
}

/** Sends all events since a time again, oldest first, a hundred a call. */
function redeliverForm(done) {
  const hourAgo = new Date(Date.now() - 3_600_000);
  const local = new Date(hourAgo.getTime() - hourAgo.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const since = element("input", { type: "datetime-local", id: "redeliver-since", value: local, required: true });
  const [button, told] = [element("button", { id: "redeliver-all" }, "Send these again"), element("p", { class: "soft", role: "status", id: "redeliver-note" })];
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    let [queued, cursor] = [0, null];
    do {
      const answer = await call("POST", "/v1/events/redeliver", { body: { since: new Date(since.value).toISOString(), ...(cursor ? { cursor } : {}) } });
      if (!answer.ok) { told.replaceChildren(...problemNode(answer.json, answer.status)); break; }
      queued += answer.json.queued;
      cursor = answer.json.next_cursor;
      told.replaceChildren(`${queued} ${queued === 1 ? "event is" : "events are"} due again${cursor ? ", and more follow." : "."}`);
    } while (cursor);
    button.disabled = false;
    await done();
  };
  return element("details", { class: "sheet", id: "redeliver" }, element("summary", {}, "Send all since a time again"), element("form", { class: "row", onsubmit: send }, element("label", {}, "Since", since), button), told);
}

/** Shows the webhook log: pages by cursor, and only what is new while it is open. */
export async function show(signal) {
  const main = document.getElementById("main");
  const [list, note] = [element("ol", { class: "log sheet", id: "events", hidden: true }), element("p", { class: "soft", role: "status", id: "events-note" }, "Loading…")];
  const older = element("button", { type: "button", id: "events-older", hidden: true }, "Show older");
  const known = new Map();
  let cursor = null;
  const tell = (answer) => note.replaceChildren(...(answer.ok ? [known.size === 0 ? "No events yet. Each change of a request makes one." : ""] : problemNode(answer.json, answer.status)));
  const take = (events, isOlder) => {
    const fresh = [];
    for (const event of events) {
      if (known.has(event.id)) known.get(event.id).show(event);
      else { known.set(event.id, entryOf(event)); fresh.push(known.get(event.id).item); }
    }
    if (isOlder) list.append(...fresh);
    else list.prepend(...fresh);
    list.hidden = known.size === 0;
    return fresh.length;
  };
  const more = async () => {
    const answer = await call("GET", query("/v1/events", { limit: PAGE, cursor }), { signal });
    if (answer.ok) { take(answer.json.events, true); cursor = answer.json.next_cursor; older.hidden = !cursor; }
    tell(answer);
  };
  /** Reads from the newest on until an event is known, so that nothing is fetched twice. */
  const newest = async () => {
    let from = null;
    const fresh = [];
    for (;;) {
      const answer = await call("GET", query("/v1/events", { limit: 3, cursor: from }), { signal });
      if (!answer.ok) return answer.isAborted || tell(answer);
      fresh.push(...answer.json.events);
      from = answer.json.next_cursor;
      if (!from || known.size === 0 || answer.json.events.some(({ id }) => known.has(id)) || fresh.length > 300) break;
    }
    take(fresh, false);
    return tell({ ok: true });
  };
  const test = async ({ currentTarget }) => {
    currentTarget.disabled = true;
    const answer = await call("POST", "/v1/webhooks/test");
    currentTarget.disabled = false;
    if (answer.ok) await newest();
    else tell(answer);
  };
  older.addEventListener("click", more);
  main.replaceChildren(element("div", { class: "head" }, element("h1", {}, "Webhooks"), element("button", { type: "button", id: "test-event", onclick: test }, "Send a test event")), redeliverForm(newest), note, list, older);
  await more();
  while (!signal.aborted) {
    await pause(3000);
    if (!signal.aborted) await newest();
  }
}

/** The webhook events of one request, which are read when they are opened. */
export function deliveries(id) {
  const list = element("ol", { class: "log" });
  const note = element("p", { class: "soft" });
  const load = async ({ currentTarget }) => {
    if (!currentTarget.open) return;
    const found = [];
    let cursor = null;
    // Events are listed by time. Those of this request are near its own.
    for (let pages = 0; pages < 20; pages += 1) {
      const answer = await call("GET", query("/v1/events", { limit: PAGE, cursor }));
      if (!answer.ok) return note.replaceChildren(...problemNode(answer.json, answer.status));
      found.push(...answer.json.events.filter(({ request }) => request === id));
      cursor = answer.json.next_cursor;
      if (!cursor || found.some(({ type }) => type === "request.prompted")) break;
    }
    note.textContent = found.length === 0 ? "None among the newest events." : "";
    list.replaceChildren(...found.map((event) => entryOf(event).item));
  };
  return element("details", { class: "sheet", id: "deliveries", ontoggle: load }, element("summary", {}, "Webhook events"), note, list);
}
