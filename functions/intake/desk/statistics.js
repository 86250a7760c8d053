// The statistics: how far requests came by day, channel and kind, how long they took, and why they ended.
import { channelName, element, humanize, problemNode } from "/widget.js";
import { call, channelNames, query } from "/desk/calls.js";
import { bars, columns, csv, download, figure, number, percent, table } from "/desk/plots.js";

const STEPS = [["asked", "Asked"], ["delivered", "Delivered"], ["opened", "Opened"], ["approved", "Approved"], ["fulfilled", "Fulfilled"]];
const ENDS = ["fulfilled", "denied", "failed", "expired", "cancelled", "undeliverable"];
const KINDS = [["", "Every kind"], ["payment", "Payment"], ["payment_method", "Card to save"], ["identity", "Identity"]];
const DAY = 86_400_000;
const dayText = (time) => new Date(time).toISOString().slice(0, 10);
const spoken = (seconds) => (seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`);
const bound = (seconds) => (seconds === null ? "longer" : `up to ${spoken(seconds)}`);
const ofChannel = (channel) => (channel === null ? "No prompt" : channelName(channel));

/** Adds up the counts of rows that have the same name. */
function grouped(rows, nameOf) {
  const groups = new Map();
  for (const row of rows) {
    const sum = groups.get(nameOf(row)) ?? Object.fromEntries([...STEPS.map(([step]) => step), ...ENDS].map((name) => [name, 0]));
    for (const name of Object.keys(sum)) sum[name] += row[name];
    groups.set(nameOf(row), sum);
  }
  return groups;
}

function daysOf(from, to, rows) {
  const known = grouped(rows, ({ day }) => day);
  const days = [];
  for (let time = Date.parse(from); time <= Date.parse(to); time += DAY) days.push([dayText(time), known.get(dayText(time))]);
  return days;
}

function plots({ from, to, rows, total }, parts) {
  const steps = STEPS.map(([step, name]) => [name, total[step], `${number(total[step])} (${percent(total[step], total.asked)})`]);
  const funnel = figure("funnel", "How far requests came", `Of ${number(total.asked)} requests, ${percent(total.fulfilled, total.asked)} were fulfilled.`, bars(steps, Math.max(1, total.asked)),
    ["Step", "Requests", "Of those asked", "Of the step before"], STEPS.map(([step, name], place) => [name, number(total[step]), percent(total[step], total.asked), place === 0 ? "–" : percent(total[step], total[STEPS[place - 1][0]])]));
  const days = daysOf(from, to, rows);
  const short = (day) => new Date(`${day}T12:00Z`).toLocaleDateString([], { day: "numeric", month: "numeric", timeZone: "UTC" });
  const byDay = figure("by-day", "By day", "The outline is what was asked, and the hatched part is what was fulfilled. Days are in UTC.",
    columns("Requests by day", days.map(([day, counts]) => [short(day), counts?.asked ?? 0, counts?.fulfilled ?? 0, `${day}: ${counts?.asked ?? 0} asked, ${counts?.fulfilled ?? 0} fulfilled`])),
    ["Day", ...STEPS.map(([, name]) => name)], days.map(([day, counts]) => [day, ...STEPS.map(([step]) => number(counts?.[step] ?? 0))]));
  const heads = ["Asked", "Delivered", "Opened", "Approved", "Fulfilled", "Of those asked"];
  const split = (id, name, says, nameOf) => {
    const groups = [...grouped(parts.rows, nameOf)].sort(([, one], [, other]) => other.asked - one.asked);
    return figure(id, `By ${name.toLowerCase()}`, says, bars(groups.map(([group, counts]) => [group, counts.fulfilled / Math.max(1, counts.asked), `${percent(counts.fulfilled, counts.asked)} of ${number(counts.asked)}`]), 1),
      [name, ...heads], groups.map(([group, counts]) => [group, ...STEPS.map(([step]) => number(counts[step])), percent(counts.fulfilled, counts.asked)]));
  };
  const times = total.seconds_to_fulfilled;
  const paid = figure("times", "Time to pay", times.buckets.length === 0 ? "Nothing was fulfilled on these days." : `Half were fulfilled ${times.median === null ? "later than a week" : `within ${spoken(times.median)}`}, and nine in ten ${times.p90 === null ? "later than a week" : `within ${spoken(times.p90)}`}.`,
    bars(times.buckets.map(({ up_to: end, count }) => [bound(end), count, number(count)])), ["Time from the ask", "Requests"], times.buckets.map(({ up_to: end, count }) => [bound(end), number(count)]));
  const reasons = [...total.reasons.map(({ state, reason, count }) => [`${humanize(state)}: ${humanize(reason)}`, count]), ...total.declines.map(({ reason, count }) => [`asked again: ${humanize(reason)}`, count])].sort(([, one], [, other]) => other - one);
  const why = figure("reasons", "Refusals by reason", reasons.length === 0 ? "Nothing was refused on these days." : "Ends with their reason, and attempts after which the customer was asked again.", bars(reasons.map(([name, count]) => [name, count, number(count)])),
    ["Reason", "How often"], reasons.map(([name, count]) => [name, number(count)]));
  const ends = element("section", { class: "sheet", "aria-labelledby": "ends-title" }, element("h2", { id: "ends-title" }, "Ends"), table("Ends", ["End", "Requests", "Of those asked"], ENDS.map((end) => [humanize(end), number(total[end]), percent(total[end], total.asked)])));
  return [funnel, byDay, split("by-channel", "Channel", "The share that was fulfilled, by the channel that the customer answered on.", ({ channel }) => ofChannel(channel)),
    split("by-kind", "Kind", "The share that was fulfilled, by what was asked for.", ({ kind }) => KINDS.find(([known]) => known === kind)?.[1] ?? humanize(kind)), paid, why, ends];
}

const csvOf = ({ rows }) => csv([["day", "kind", "channel", ...STEPS.map(([step]) => step), ...ENDS.slice(1), "median_seconds", "p90_seconds"],
  ...rows.map((row) => [row.day, row.kind, row.channel, ...STEPS.map(([step]) => row[step]), ...ENDS.slice(1).map((end) => row[end]), row.seconds_to_fulfilled.median, row.seconds_to_fulfilled.p90])]);

/** Shows the statistics of the last thirty days, or of the days that the form names. */
export async function show(signal) {
  const today = dayText(Date.now());
  const field = (name, label, node) => element("label", {}, label, Object.assign(node, { id: `stats-${name}` }));
  const day = (value) => element("input", { type: "date", value, max: today, required: true });
  const pick = (options) => element("select", {}, options.map(([value, name]) => element("option", { value }, name)));
  const [from, to] = [day(dayText(Date.now() - 29 * DAY)), day(today)];
  const [kind, channel] = [pick(KINDS), pick([["", "Every channel"], ...channelNames().map((name) => [name, channelName(name)])])];
  const save = element("button", { type: "button", id: "stats-csv", disabled: true }, "Save as CSV");
  const note = element("p", { class: "soft", role: "status", id: "stats-note" }, "Loading…");
  const plotted = element("div", { class: "plots", id: "plots" });
  let [read, asked] = [null, 0];
  const fetched = (groups) => call("GET", query("/v1/statistics", { from: from.value, to: to.value, kind: kind.value, channel: channel.value, group_by: groups }), { signal });
  const show = async () => {
    const mine = (asked += 1);
    note.replaceChildren("Loading…");
    save.disabled = true;
    // Two small answers: days, and channels by kind. Only the file has each day of each.
    const [answer, parts] = await Promise.all([fetched("day"), fetched("kind,channel")]);
    if (mine !== asked || answer.isAborted) return;
    read = answer.ok && parts.ok ? answer.json : null;
    save.disabled = !read;
    const says = (json) => json?.errors?.map(({ detail }) => detail).join(" ") || null;
    note.replaceChildren(...(read ? [read.total.asked === 0 ? "No request ended on these days." : `${number(read.total.asked)} requests ended from ${read.from} to ${read.to} (UTC).`] : says(answer.json) ? [says(answer.json)] : problemNode((answer.ok ? parts : answer).json, (answer.ok ? parts : answer).status)));
    plotted.replaceChildren(...(read && read.total.asked > 0 ? plots(read, parts.json) : []));
  };
  save.addEventListener("click", async () => {
    const answer = await fetched("day,kind,channel");
    if (answer.ok) download(`assent-${answer.json.from}-${answer.json.to}.csv`, "text/csv;charset=utf-8", csvOf(answer.json));
    else if (!answer.isAborted) note.replaceChildren(...problemNode(answer.json, answer.status));
  });
  const form = element("form", { class: "row", id: "stats-form", onsubmit: (event) => event.preventDefault(), onchange: show }, field("from", "From", from), field("to", "To", to), field("kind", "Kind", kind), field("channel", "Channel", channel));
  document.getElementById("main").replaceChildren(element("div", { class: "head" }, element("h1", {}, "Statistics"), save), form, note, plotted);
  await show();
}
