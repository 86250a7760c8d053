// The desk: signs in, shows the view that the address names, and answers the keyboard.
import { describe, element, kindName } from "/widget.js";
import { call, channelNames, currentKey, isGiven, keepKey, known, machineSettings, nextSession, query, session } from "/desk/calls.js";
import { COUNTRIES, hoursText } from "/desk/entry.js";
import { askForm } from "/desk/form.js";
import * as list from "/desk/list.js";
import { showNothing, showRequest } from "/desk/pane.js";

const $ = (id) => document.getElementById(id);
const LANGUAGES = "ar cs da de el en es fi fr he hi hu it ja ko nb nl pl pt pt-BR ro sv tr uk zh-Hans zh-Hant".split(" ");
const region = new Intl.Locale(navigator.language).maximize().region;
const SOUND = "assent-sound";
let [form, widget, leaving, heard] = [null, null, new AbortController(), new Map()];

/** Asks a question in a dialog of its own. Returns the answer's name; `back` where the agent left it. */
function question(title, text, choices, ...more) {
  const dialog = $("question");
  dialog.returnValue = "back";
  dialog.replaceChildren(element("h2", { id: "question-title" }, title), element("p", {}, text), ...more,
    element("div", { class: "choices" }, choices.map(([name, label], place) => element("button", { type: "button", "data-choice": name, class: place === 0 ? "main" : null, onclick: () => dialog.close(name) }, label))));
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue || "back"), { once: true }));
}

function toast(text) {
  $("toast").textContent = text;
  setTimeout(() => { if ($("toast").textContent === text) $("toast").textContent = ""; }, 4000);
}

/** Plays two short tones, if the agent wants to hear changes. */
function chime() {
  if (localStorage.getItem(SOUND) !== "on") return;
  const audio = new AudioContext();
  [660, 880].forEach((frequency, place) => {
    const [tone, gain] = [new OscillatorNode(audio, { frequency }), new GainNode(audio, { gain: 0.08 })];
    tone.connect(gain).connect(audio.destination);
    tone.start(audio.currentTime + place * 0.12);
    tone.stop(audio.currentTime + place * 0.12 + 0.1);
  });
}

function changed(request) {
  const { label } = describe(request);
  const before = heard.get(request.id);
  heard.set(request.id, label);
  document.title = `${label} · ${kindName(request.ask)} · Desk`;
  if (before !== undefined && before !== label) {
    chime();
    if (document.hidden) document.title = `● ${document.title}`;
  }
  list.update(request);
  if (request.outcome?.reason === "not_me" && request.session.id === session()) tellCooldown(request.id);
}

/** Says for how long a number that reported a request is left alone. The number is known during its own call only. */
async function tellCooldown(id) {
  const phone = form.phone();
  const answer = phone && (await call("GET", `/v1/customers/${encodeURIComponent(phone)}`));
  const until = answer?.json?.cooldown_until;
  if (until && widget?.request === id) widget.note = `Try again in ${hoursText((new Date(until) - Date.now()) / 1000)}.`;
}

/** The views beside the requests. Their files are loaded when one is opened first. */
const VIEWS = {
  webhooks: { name: "Webhooks", load: () => import("/desk/events.js") },
  statistics: { name: "Statistics", load: () => import("/desk/statistics.js") },
  health: { name: "Health", load: () => import("/desk/health.js") },
};

async function showView({ name, load }, signal) {
  $("main").replaceChildren(element("div", { class: "head" }, element("h1", {}, name)));
  try {
    const view = await load();
    // The agent may have gone on before the file came.
    if (!signal.aborted) await view.show(signal);
  } catch {
    if (!signal.aborted) $("main").append(element("p", { class: "problem", role: "alert" }, "Assent did not answer. Try again."));
  }
}

/** Marks the link to what is shown, for the eye and for a screen reader. */
function mark(link, isHere) {
  if (isHere) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

/** Shows what the address names. */
function route() {
  leaving.abort();
  leaving = new AbortController();
  const { pathname } = location;
  const [, id] = /^\/desk\/requests\/(req_[0-9A-Z]+)$/.exec(pathname) ?? [];
  const view = VIEWS[pathname.replace(/^\/desk\/?/, "")];
  $("columns").classList.toggle("wide", Boolean(view));
  $("columns").classList.toggle("reading", Boolean(id));
  for (const link of document.querySelectorAll(".bar nav a")) mark(link, link.pathname === (view ? pathname : "/desk"));
  widget = null;
  document.title = view ? `${view.name} · Desk` : "Desk · Assent";
  if (view) showView(view, leaving.signal);
  else if (id) widget = showRequest(id, { changed, ask });
  else showNothing(ask);
  for (const link of $("list").querySelectorAll("a")) mark(link, link.pathname === pathname);
  $("main").scrollTo(0, 0);
}

function go(path) {
  if (location.pathname !== path) history.pushState(null, "", path);
  route();
}

const ask = () => { if (!$("form-dialog").open && !$("question").open) form.open(); };

/** Ends the call: says what is still open, then clears the form, the search and the request. */
async function nextCall() {
  if ($("question").open) return;
  const open = await call("GET", query("/v1/requests", { session: session(), state: "open", limit: 20 }));
  const requests = open.json?.requests ?? [];
  if (requests.length > 0) {
    const items = element("ul", {}, requests.map((request) => element("li", {}, `${kindName(request.ask)}: ${describe(request).label}`)));
    const text = requests.length === 1 ? "One request of this call is still open." : `${requests.length} requests of this call are still open.`;
    const choice = await question("Next call", text, [["cancel", "Cancel and go on"], ["leave", "Leave open and go on"], ["back", "Stay"]], items);
    if (choice === "back") return;
    const kept = choice === "cancel" ? (await Promise.all(requests.map(({ id }) => call("POST", `/v1/requests/${id}/cancel`)))).filter(({ ok }) => !ok).length : requests.length;
    if (kept > 0) toast(kept === 1 ? "One request of the last call is still open." : `${kept} requests of the last call are still open.`);
  }
  nextSession();
  $("form-dialog").close();
  form.clear();
  showPhone(null);
  heard = new Map();
  go("/desk");
  list.clear();
  $("ask").focus();
}

const SHORTCUTS = { KeyA: ask, KeyN: nextCall, KeyS: () => $("search").focus(), KeyC: () => widget?.act("cancel"), KeyR: () => widget?.act("resend", {}), KeyE: () => widget?.act("extend", { expires_in: 300 }) };

function listen() {
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat || !(event.code in SHORTCUTS)) return;
    event.preventDefault();
    SHORTCUTS[event.code]();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || link.origin !== location.origin || !link.pathname.startsWith("/desk") || link.hash) return;
    event.preventDefault();
    go(link.pathname);
  });
  addEventListener("popstate", route);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) document.title = document.title.replace(/^● /, ""); });
  $("ask").addEventListener("click", ask);
  $("next").addEventListener("click", nextCall);
  $("sign-out").addEventListener("click", () => { keepKey(null); location.assign("/desk"); });
  const sound = $("sound");
  sound.setAttribute("aria-pressed", String(localStorage.getItem(SOUND) === "on"));
  sound.addEventListener("click", () => {
    const isOn = localStorage.getItem(SOUND) !== "on";
    localStorage.setItem(SOUND, isOn ? "on" : "off");
    sound.setAttribute("aria-pressed", String(isOn));
    chime();
  });
  $("phone-toggle").addEventListener("click", ({ currentTarget }) => {
    const frame = $("phone-frame");
    frame.hidden = !frame.hidden;
    showPhone(form.phone());
    currentTarget.setAttribute("aria-pressed", String(!frame.hidden));
    $("columns").classList.toggle("with-phone", !frame.hidden);
  });
}

/** Shows the phone of a number beside the desk, where it is shown. Without a number it is the one that it begins with. */
function showPhone(number) {
  const frame = $("phone-frame");
  const address = number ? `/phone?number=${encodeURIComponent(number)}` : "/phone";
  if (!frame.hidden && frame.getAttribute("src") !== address) frame.src = address;
}

/** Begins with what the brand's settings say. Where they cannot be read, the browser's region stands in. */
async function begin(brand) {
  known.brand = brand;
  const home = brand?.country in COUNTRIES ? brand.country : region in COUNTRIES ? region : "US";
  $("sign-in").hidden = true;
  $("app").hidden = false;
  $("brand").textContent = brand?.name ?? /^[sr]k_[a-z]+_(.+)_/.exec(currentKey())?.[1] ?? "";
  $("mode").hidden = !/^.k_test_/.test(currentKey());
  $("to-statistics").hidden = !(brand?.key.may.includes("statistics") ?? true);
  $("sign-out").hidden = isGiven;
  $("phone-toggle").hidden = !isGiven;
  form = askForm({ home, own: brand?.currency, languages: brand?.languages ?? LANGUAGES, question, done: ({ id }) => { go(`/desk/requests/${id}`); showPhone(form.phone()); list.refresh(); $("main").focus(); } });
  listen();
  route();
  list.start(home, channelNames());
}

async function signIn(event) {
  event.preventDefault();
  keepKey($("key").value.trim());
  const answer = await call("GET", "/v1/brand");
  if (answer.ok) return begin(answer.json);
  keepKey(null);
  $("key").setAttribute("aria-invalid", "true");
  $("key-error").textContent = answer.status === 401 ? "This key is not known here." : (answer.json?.detail ?? "Assent does not answer. Try again.");
  return $("key").focus();
}

/** Begins with the key that is here. */
async function beginSignedIn() {
  const answer = await call("GET", "/v1/brand");
  await begin(answer.ok ? answer.json : null);
}

if (isGiven) {
  keepKey((await machineSettings()).key);
  await beginSignedIn();
} else if (currentKey()) await beginSignedIn();
else {
  $("sign-in").hidden = false;
  $("sign-in").addEventListener("submit", signIn);
  $("key").addEventListener("input", () => { $("key").removeAttribute("aria-invalid"); $("key-error").textContent = ""; });
  $("key").focus();
}
