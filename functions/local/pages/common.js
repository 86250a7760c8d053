// Helpers of the phone: elements, calls, times and problems.

/** Creates an element. Children are text nodes or elements, never markup. */
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

export const $ = (id) => document.getElementById(id);

/** Makes one call and returns its status and JSON. A network failure throws. */
export async function call(method, path, { headers = {}, body, signal } = {}) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal,
  });
  const text = await answer.text();
  let json = null;
  try {
    json = text === "" ? null : JSON.parse(text);
  } catch {
    json = { title: "The answer is not JSON", detail: text.slice(0, 200), code: "not-json" };
  }
  return { ok: answer.ok, status: answer.status, json };
}

/** Renders a problem: its title, its detail, the wrong fields and the stable code. */
export function problem(json, status) {
  const errors = (json?.errors ?? []).map((error) => element("li", {}, `${error.pointer ?? error.parameter ?? error.header}: ${error.detail}`));
  return element("div", { class: "problem", role: "alert" },
    element("strong", {}, json?.title ?? "The call failed"),
    element("p", {}, json?.detail ?? ""),
    errors.length > 1 ? element("ul", {}, errors) : null,
    element("code", {}, `${json?.code ?? "unknown"} · HTTP ${status}`));
}

export const unreachable = () =>
  problem({ title: "The machine did not answer", detail: "Check that `cargo run -p local` still runs.", code: "no-answer" }, "none");

/** Returns the list in an answer: the answer itself, or its field `name`. */
export const listIn = (json, name) => (Array.isArray(json) ? json : (json?.[name] ?? []));

export const formatTime = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const formatMinutes = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** Returns a phone number without the spaces and signs that people type. */
export const phoneDigits = (text) => text.replace(/[\s()-]/g, "");

/** Turns a code of the API, such as `card_declined`, into text. */
export const humanize = (code) => code.replaceAll("_", " ");

export function randomHex(bytes) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Waits, and then until the page is visible. */
export async function pause(milliseconds) {
  await new Promise((done) => setTimeout(done, milliseconds));
  while (document.hidden) {
    await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  }
}
