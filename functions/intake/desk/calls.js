// The desk's key, its calls, and the call with the customer that is under way.
import { CHANNELS } from "/widget.js";

/** Whether this machine gives the desk its key, as one machine does for trying. */
export const isGiven = document.documentElement.dataset.access === "given";
/** What is known of the brand: its answer of the API, or null. */
export const known = { brand: null };
/** Returns the names of the brand's channels; all kinds where the brand is not known. */
export const channelNames = () => known.brand?.channels.map(({ name }) => name) ?? Object.keys(CHANNELS);
const KEPT = "assent-key";
const SESSION = "assent-session";
let key = sessionStorage.getItem(KEPT);
export const currentKey = () => key;

/** Keeps a key in this tab alone; null forgets it, and the session with it. */
export function keepKey(text) {
  key = text;
  if (text === null) {
    sessionStorage.removeItem(KEPT);
    sessionStorage.removeItem(SESSION);
  } else if (!isGiven) sessionStorage.setItem(KEPT, text);
}

/** Returns the settings that the machine gives its own pages. */
export async function machineSettings() {
  const answer = await fetch("/local/config.json", { cache: "no-store" });
  return answer.json();
}

/** Makes one call. It never throws: an answer that did not come has the status 0. */
export async function call(method, path, { body, idempotencyKey, signal } = {}) {
  const headers = { authorization: `Bearer ${key}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (idempotencyKey) headers["idempotency-key"] = idempotencyKey;
  try {
    const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", signal });
    const text = await answer.text();
    return { ok: answer.ok, status: answer.status, json: text === "" ? null : JSON.parse(text), after: Number(answer.headers.get("retry-after")) };
  } catch {
    return { ok: false, status: 0, json: null, after: 0, isAborted: signal?.aborted ?? false };
  }
}

export const randomHex = (bytes) => [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
/** Returns the id of the call under way, which a reload keeps. */
export function session() {
  if (!sessionStorage.getItem(SESSION)) nextSession();
  return sessionStorage.getItem(SESSION);
}
/** Begins another call with another customer. */
export const nextSession = () => sessionStorage.setItem(SESSION, `call-${randomHex(6)}`);
export const useSession = (id) => sessionStorage.setItem(SESSION, id);

/** The path of a query, without the parameters that are empty. */
export function query(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
/** Waits, and then until the tab is in front. */
export async function pause(milliseconds) {
  await new Promise((done) => setTimeout(done, milliseconds));
  while (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}
