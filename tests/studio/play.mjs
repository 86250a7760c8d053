// Plays the shipped Studio flow and its Twilio Function against one machine. No emulator of Studio exists.
//
// The widgets and their events are those of Twilio's schema of 2019-09:
// https://www.twilio.com/docs/studio/rest-api/v2/schemas, read 2026-11-27.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { API, IVR_KEY, PHONE_KEY, AGENTS } = process.env;
const SECONDS_MAX = 10;
const STEPS_MAX = 1_000;
const EVENTS = {
  trigger: ["incomingMessage", "incomingCall", "incomingConversationMessage", "incomingRequest", "incomingParent"],
  "set-variables": ["next"],
  "run-function": ["success", "fail"],
  "say-play": ["audioComplete"],
  "split-based-on": ["noMatch", "match"],
};
const CONDITIONS = {
  equal_to: (text, value) => text.toLowerCase() === value.toLowerCase(),
  is_not_blank: (text) => text.trim() !== "",
  greater_than: (text, value) => Number(text) > Number(value),
};
const flow = JSON.parse(readFileSync(`${AGENTS}/studio/flow.json`, "utf8"));
const { handler } = createRequire(import.meta.url)(`${AGENTS}/studio/assent.js`);
const widgets = new Map(flow.states.map((widget) => [widget.name, widget]));
const visited = new Set();

function check(truth, text) {
  if (!truth) throw new Error(text);
}

/** Every widget has the members, events and targets that the schema allows. */
function checkDefinition() {
  check(widgets.size === flow.states.length && widgets.has(flow.initial_state), "names are unique, and the first one exists");
  check(typeof flow.flags.allow_concurrent_calls === "boolean", "the flags are whole");
  for (const { name, type, transitions, properties } of flow.states) {
    check(EVENTS[type], `${name}: ${type}`);
    check(Number.isInteger(properties.offset.x) && Number.isInteger(properties.offset.y), `${name} has a place`);
    for (const { event, next, conditions } of transitions) {
      check(EVENTS[type].includes(event), `${name}: ${event}`);
      check(next === undefined || widgets.has(next), `${name} leads to ${next}`);
      check((event === "match") === Boolean(conditions), `${name}: ${event} and its conditions`);
      for (const condition of conditions ?? []) check(CONDITIONS[condition.type] && condition.arguments.length === 1, `${name}: ${condition.type}`);
    }
  }
}

/** Fills a text as Liquid does: a path, or a path and one number to add. */
function filled(text, variables) {
  return text.replace(/\{\{([\w.]+)(?: \| plus: (\d+))?\}\}/g, (_, path, plus) => {
    const value = path.split(".").reduce((part, name) => part?.[name], variables) ?? "";
    return plus ? String(Number(value) + Number(plus)) : String(value);
  });
}

/** Calls the Function as Twilio does: every parameter is a text, and a slow one fails. */
async function runs(parameters) {
  const begun = Date.now();
  const context = { ASSENT_URL: API, ASSENT_KEY: IVR_KEY };
  const answer = await new Promise((resolve) => { handler(context, parameters, (error, value) => resolve({ error, value })); });
  check(Date.now() - begun < SECONDS_MAX * 1_000, `${parameters.step} took longer than Studio waits`);
  return answer;
}

/** Plays a call. `reacts` is told each function's answer, as the customer and the network would react to it. */
async function plays({ sid, from, changes = {}, reacts = async () => {} }) {
  const variables = { trigger: { call: { CallSid: sid, From: from } }, flow: { variables: {} }, widgets: {} };
  const spoken = [];
  let [name, steps] = [widgets.get(flow.initial_state).transitions.find(({ event }) => event === "incomingCall").next, 0];
  visited.add(flow.initial_state);
  while (name) {
    check((steps += 1) < STEPS_MAX, "the flow ends");
    visited.add(name);
    const { type, properties, transitions } = widgets.get(name);
    let event = EVENTS[type][0];
    if (type === "set-variables") {
      for (const { key, value } of properties.variables) variables.flow.variables[key] = changes[key] !== undefined && name === "payment" ? changes[key] : filled(value, variables);
    } else if (type === "say-play") {
      spoken.push(filled(properties.say, variables));
    } else if (type === "run-function") {
      const parameters = Object.fromEntries(properties.parameters.map(({ key, value }) => [key, filled(value, variables)]));
      if (changes.seconds !== undefined && parameters.seconds) parameters.seconds = changes.seconds;
      const lost = await reacts(name, variables.widgets.ask?.parsed);
      const { error, value } = lost ? { error: new Error("lost") } : await runs(parameters);
      event = error ? "fail" : "success";
      if (!error) variables.widgets[name] = { parsed: value };
      if (!error && name === "ask") variables.widgets.ask.parsed.again = (await runs(parameters)).value.id;
    } else {
      const { conditions } = transitions.find((one) => one.event === "match");
      const holds = conditions.every(({ type: kind, arguments: [text], value }) => CONDITIONS[kind](filled(text, variables), value));
      event = holds ? "match" : "noMatch";
    }
    name = transitions.find((one) => one.event === event).next;
  }
  return { spoken, parsed: Object.fromEntries(Object.entries(variables.widgets).map(([key, { parsed }]) => [key, parsed])) };
}

/** The customer taps in the message on the sandbox phone. */
async function taps(phone, asked, action) {
  const headers = { Authorization: `Bearer ${PHONE_KEY}`, "Content-Type": "application/json" };
  const messages = `${API}/sandbox/phones/${phone}/messages`;
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { messages: shown } = await (await fetch(messages, { headers })).json();
    const found = shown.find((one) => one.request === asked.id);
    if (found) {
      const request = await (await fetch(`${API}/v1/requests/${asked.id}`, { headers })).json();
      const body = JSON.stringify({ action, session_code: request.session_code });
      check((await fetch(`${messages}/${found.id}/tap`, { method: "POST", headers, body })).ok, "the phone takes the tap");
      return;
    }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error("the prompt did not come");
}

checkDefinition();
const phone = (digits) => `+1555123${digits}`;

let rounds = 0;
const paid = await plays({ sid: "CA1", from: phone("0041"), reacts: async (name, asked) => {
  // The customer hears the code first. Then they approve, and the answer that says so is lost.
  if (name !== "wait") return false;
  rounds += 1;
  if (rounds !== 2) return false;
  await taps(phone("0041"), asked, "approve");
  return true;
} });
check(paid.parsed.ask.again === paid.parsed.ask.id, "a repeated ask is the same request");
check(paid.parsed.wait.state === "fulfilled", JSON.stringify(paid.parsed.wait));
const code = [...paid.parsed.wait.transaction_code.replace("-", "")].join(", ");
check(paid.spoken.at(-1).includes(code), paid.spoken.join("\n"));
check(paid.spoken.some((said) => /\d/.test(said)), "the session code is read out");

let hasDenied = false;
const denied = await plays({ sid: "CA2", from: phone("0042"), reacts: async (name, asked) => {
  if (name === "wait" && !hasDenied) { hasDenied = true; await taps(phone("0042"), asked, "deny"); }
  return false;
} });
check(denied.parsed.wait.state === "denied" && denied.spoken.length > 0, JSON.stringify(denied));

const late = await plays({ sid: "CA3", from: phone("0043"), changes: { seconds: "0" } });
check(late.parsed.wait_for_end.state === "cancelled", JSON.stringify(late.parsed.wait_for_end));

const refused = await plays({ sid: "CA4", from: phone("0044"), changes: { amount: "0" } });
check(refused.parsed.ask === undefined && refused.spoken.length === 1, JSON.stringify(refused));

const lost = await plays({ sid: "CA5", from: phone("0045"), changes: { seconds: "0" }, reacts: async (name) => name === "wait_for_end" });
check(lost.spoken.at(-1).includes("cannot see"), lost.spoken.join("\n"));

const unreached = [...widgets.keys()].filter((name) => !visited.has(name));
check(unreached.length === 0, `not reached: ${unreached}`);
console.log(`    Twilio Studio's flow paid: ${paid.parsed.wait.transaction_code}; ${widgets.size} widgets reached`);
