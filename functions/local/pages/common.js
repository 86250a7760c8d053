// What console and phone share: elements, calls, times and problems.

/** Makes an element; text is always text, never markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const $ = (id) => document.getElementById(id);

/** Makes one call and returns its status and JSON. Network failures throw. */
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

/** A problem as a person reads it: what, about this occurrence, which fields, and the stable code. */
export function problem(json, status) {
  const errors = (json?.errors ?? []).map((one) => h("li", {}, `${one.pointer}: ${one.detail}`));
  return h("div", { class: "problem", role: "alert" },
    h("strong", {}, json?.title ?? "Something went wrong"),
    h("p", {}, json?.detail ?? ""),
    errors.length > 1 ? h("ul", {}, errors) : null,
    h("code", {}, `${json?.code ?? "unknown"} · HTTP ${status}`));
}

export const unreachable = () =>
  problem({ title: "The machine did not answer", detail: "Is it still running?", code: "no-answer" }, "none");

/** A list out of an answer, whatever the envelope around it is called. */
export const listed = (json, name) => (Array.isArray(json) ? json : (json?.[name] ?? json?.items ?? []));

export const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A stable word of the API as a person reads it. */
export const words = (stable) => stable.replaceAll("_", " ");

export function random(bytes) {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Waits, or until the page is looked at again, whichever is later. */
export async function pause(milliseconds) {
  await new Promise((done) => setTimeout(done, milliseconds));
  while (document.hidden) {
    await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
  }
}
