// The console's labels for states, reasons and timeline entries of the API. A code without a label is shown as it is.

// By the kind of ask: its name, and the labels while the processor works, after a success and otherwise.
const ASKS = {
  payment: { name: "Payment", busy: "Charging", done: "Paid", undone: "Nothing was charged." },
  payment_method: { name: "Saved card", busy: "Saving the card", done: "Card saved", undone: "No card was saved." },
  identity: { name: "Identity claims", busy: "Reading the claims", done: "Claims released", undone: "No claims were released." },
};

export const askName = (ask) => ASKS[ask.kind]?.name ?? ask.kind;

const STATES = {
  pending: { label: "Sending", hint: "Assent picks a channel and sends the prompt.", tone: "busy" },
  prompted: { label: "Waiting for the customer", hint: "The prompt was sent.", tone: "wait" },
  authorized: { label: "The customer approved", hint: "The processor is next.", tone: "busy", answered: true },
  processing: { hint: "Waiting for the processor.", tone: "busy", answered: true },
  fulfilled: { hint: "Read the code out if the customer wants it.", tone: "good", ended: true },
  denied: { label: "Denied", hint: "The customer denied.", tone: "bad", ended: true },
  expired: { label: "Expired", hint: "The deadline passed.", tone: "quiet", ended: true },
  cancelled: { label: "Cancelled", hint: "You cancelled the request.", tone: "quiet", ended: true },
  undeliverable: { label: "Not delivered", hint: "No channel reached the customer.", tone: "bad", ended: true },
  failed: { label: "Failed", hint: "The processor declined, or did not answer.", tone: "bad", ended: true },
};

const REASONS = {
  customer: "The customer denied.",
  not_me: "The customer says this is not them, and reported it. Stop, and check whom you are talking to.",
  wrong_session_code: "A number was picked that you did not read out: the person with the phone may not hear you.",
  customer_left: "The customer did not finish on the processor's hosted page.",
  opted_out: "The customer opted out of your messages.",
};

/** Returns a request's state for the agent: its label, hint and tone, and whether it was answered or has ended. */
export function stateOf(request) {
  const { state, ask, outcome } = request;
  const kind = ASKS[ask.kind] ?? ASKS.payment;
  const known = STATES[state] ?? { label: state.replaceAll("_", " "), hint: "", tone: "busy" };
  const label = known.label ?? (state === "fulfilled" ? kind.done : kind.busy);
  if (state === "processing") return { ...known, label, hint: processingHint(request) ?? known.hint };
  const hint = known.ended && state !== "fulfilled" ? `${reasonOf(outcome, known.hint)} ${kind.undone}` : known.hint;
  return { ...known, label, hint };
}

function processingHint({ in_doubt, timeline }) {
  if (in_doubt) return "The processor's answer was lost. Assent looks it up.";
  return timeline.at(-1)?.what === "redirected" ? "The customer is on the processor's hosted page." : null;
}

function reasonOf(outcome, hint) {
  if (!outcome?.reason) return hint;
  return REASONS[outcome.reason] ?? `${hint} Reason: ${outcome.reason.replaceAll("_", " ")}.`;
}

const TIMELINE = {
  accepted: { label: "Prompt accepted by the channel" },
  unknown: { label: "Channel's answer was lost", tone: "wait" },
  delivered: { label: "Delivered" },
  read: { label: "Read" },
  opened: { label: "Page opened" },
  failed: { label: "Prompt failed", tone: "bad" },
  superseded: { label: "Replaced by another prompt" },
  authorized: { label: "Customer approved", tone: "good" },
  card_declined: { label: "Card declined, customer may try again", tone: "wait" },
  attempt_failed: { label: "Attempt failed, customer may try again", tone: "wait" },
  in_doubt: { label: "In doubt: the processor's answer was lost", tone: "wait" },
  redirected: { label: "On the processor's hosted page", tone: "wait" },
  returned: { label: "Back from the hosted page" },
  extended: { label: "Deadline moved" },
  resent: { label: "Sent again" },
  refund_asked: { label: "Refund requested" },
  refunded: { label: "Refunded" },
  refund_failed: { label: "Refund failed", tone: "bad" },
};

/** The ends of a request, which concern no channel. */
const ENDS = {
  fulfilled: { label: "Done", tone: "good" },
  denied: { label: "Customer declined", tone: "bad" },
  expired: { label: "Deadline passed", tone: "bad" },
  cancelled: { label: "Cancelled", tone: "bad" },
  undeliverable: { label: "No channel reached the customer", tone: "bad" },
  failed: { label: "Failed", tone: "bad" },
};

/** Returns the label and the tone of a timeline entry; undefined for a code without a label. */
export const timelineLabel = ({ what, channel }) => (channel ? TIMELINE[what] : (ENDS[what] ?? TIMELINE[what]));

const SPELLING_ALPHABET = {
  A: "Alfa", B: "Bravo", C: "Charlie", D: "Delta", E: "Echo", F: "Foxtrot", G: "Golf", H: "Hotel", I: "India", J: "Juliett",
  K: "Kilo", L: "Lima", M: "Mike", N: "November", O: "Oscar", P: "Papa", Q: "Quebec", R: "Romeo", S: "Sierra", T: "Tango",
  U: "Uniform", V: "Victor", W: "Whiskey", X: "X-ray", Y: "Yankee", Z: "Zulu", "-": "dash",
};

/** Spells a code for reading aloud: digits stay, letters follow the spelling alphabet. */
export const spellOut = (code) => [...code].map((letter) => SPELLING_ALPHABET[letter] ?? letter).join(" · ");
