// The health of channels, processors and the webhook endpoint: what succeeded and failed last, and which calls are held back.
import { channelName, clock, element, humanize, icon, problemNode } from "/widget.js";
import { call, pause } from "/desk/calls.js";
import { number, percent, table } from "/desk/plots.js";

const CIRCUITS = {
  open: (until) => `The account refuses us. No call is made before ${clock(until)}.`,
  probing: () => "The account refused us, and one call finds out whether it still does.",
  due: () => "The account refused us. The next call finds out whether it still does.",
};
const CALLS = { pay: "payments", save_card: "saving cards", read_claims: "claims", refund: "refunds", detach: "taking cards off file" };
const ENDPOINT = { working: ["good", "Deliveries succeed"], failing: ["wait", "Deliveries fail, and are tried again"], disabled: ["bad", "Disabled: one event an hour still tries it"] };

const when = (at) => (at ? new Date(at).toLocaleString([], { dateStyle: "short", timeStyle: "medium" }) : "never in this time");
const toned = (tone, text) => element("span", { class: `tone ${tone}` }, icon(tone), text);

/** Says how a part is: by what happened last, and by nothing that is not known. */
function verdict(held, succeeded, failed) {
  if (held) return toned("bad", "Held back");
  if (!succeeded && !failed) return toned("quiet", "Not used in this time");
  if (!failed) return toned("good", "Works");
  return succeeded > failed ? toned("good", "Works, failed before") : toned("wait", "Failed last");
}

function part(kind, { name, kind: adapter, failures, failed, ...rest }, facts, more = []) {
  const id = `${kind}-${name}`;
  const [succeeded, lost] = [rest.last_delivered_at ?? rest.last_fulfilled_at, rest.last_failed_at];
  return element("section", { class: "sheet", id, "aria-labelledby": `${id}-title` },
    element("div", { class: "head" }, element("h3", { id: `${id}-title` }, kind === "channel" ? channelName(name) : name, adapter === name ? null : element("span", { class: "soft" }, ` ${adapter}`)), verdict(more.length > 0, succeeded, lost)),
    ...more, element("dl", { class: "facts" }, [...facts, ["Last failure", when(lost)]].flatMap(([label, value]) => [element("dt", {}, label), element("dd", { class: "number" }, value)])),
    failures.length > 0 ? table(`Failures of ${name}`, ["Reason", "How often"], failures.map(({ reason, count }) => [humanize(reason), number(count)])) : null);
}

const channel = (one) => part("channel", one, [["Prompts", number(one.sent)], ["Delivered", `${number(one.delivered)} (${percent(one.delivered, one.sent)})`], ["Failed", number(one.failed)], ["Last delivery", when(one.last_delivered_at)]]);
const processor = (one) => part("processor", one, [["Attempts", number(one.attempts)], ["Fulfilled", `${number(one.fulfilled)} (${percent(one.fulfilled, one.attempts)})`], ["Failed", number(one.failed)], ["Last success", when(one.last_fulfilled_at)]],
  one.circuits.map(({ call: held, state, until, refusals }) => element("p", { class: "problem" }, `${held ? `For ${CALLS[held] ?? humanize(held)}: ` : ""}${CIRCUITS[state]?.(until) ?? humanize(state)} ${refusals === 1 ? "It refused once." : `It refused ${refusals} times in a row.`}`)));

function endpoint(webhooks) {
  if (!webhooks) return element("p", { class: "soft" }, "No address gets webhook events in this mode.");
  const [tone, text] = ENDPOINT[webhooks.state] ?? ["quiet", humanize(webhooks.state)];
  const since = webhooks.disabled_since ? ` Disabled since ${when(webhooks.disabled_since)}.` : webhooks.failing_since ? ` Failing since ${when(webhooks.failing_since)}.` : "";
  return element("p", { id: "endpoint" }, toned(tone, text), since, " ", element("a", { href: "/desk/webhooks" }, "See the webhook log"));
}

/** Shows the health, and reads it again once a minute while it is in front. */
export async function show(signal) {
  const note = element("p", { class: "soft", role: "status", id: "health-note" }, "Loading…");
  const shown = element("div", { class: "plots", id: "health" });
  let text = null;
  const read = async () => {
    const answer = await call("GET", "/v1/health", { signal });
    if (answer.isAborted) return;
    if (!answer.ok) return note.replaceChildren(...problemNode(answer.json, answer.status));
    const { at, since, channels, processors, webhooks, findings } = answer.json;
    note.textContent = `Read at ${clock(at)}. Counts are of requests that ended since ${when(since)}.`;
    // What has not changed keeps its elements, and with them the focus.
    if (text === JSON.stringify([channels, processors, webhooks, findings])) return;
    text = JSON.stringify([channels, processors, webhooks, findings]);
    const wrong = findings.map(({ setting }) => element("li", {}, element("code", {}, setting), " cannot be used. Mend it in the brand's secret; the command doctor says what is wrong."));
    shown.replaceChildren(...(wrong.length > 0 ? [element("section", { class: "sheet problem", "aria-labelledby": "findings-title" }, element("h2", { id: "findings-title" }, "Settings to mend"), element("ul", {}, wrong))] : []),
      element("h2", {}, "Channels"), ...channels.map(channel), element("h2", {}, "Processors"), ...processors.map(processor), element("h2", {}, "Webhooks"), element("div", { class: "sheet" }, endpoint(webhooks)));
  };
  const again = element("button", { type: "button", id: "health-again", onclick: read }, "Read again");
  document.getElementById("main").replaceChildren(element("div", { class: "head" }, element("h1", {}, "Health"), again), note, shown);
  await read();
  while (!signal.aborted) {
    await pause(60_000);
    if (!signal.aborted) await read();
  }
}
