// The console's words for the stable words of the API. A word that is not here is shown as it is.

export const STATES = {
  pending: { word: "Sending", hint: "Picking a channel and sending the prompt.", tone: "busy" },
  prompted: { word: "Waiting for the customer", hint: "They are asked. It is their turn.", tone: "wait" },
  authorized: { word: "The customer said yes", hint: "Handing it to the processor.", tone: "busy", answered: true },
  processing: { word: "Charging", hint: "The processor is at it.", tone: "busy", answered: true },
  fulfilled: { word: "Paid", hint: "Done.", tone: "good", ended: true },
  denied: { word: "Denied", hint: "The customer said no.", tone: "bad", ended: true },
  expired: { word: "Expired", hint: "No answer came in time. Nothing was charged.", tone: "quiet", ended: true },
  cancelled: { word: "Cancelled", hint: "You took it back. Nothing was charged.", tone: "quiet", ended: true },
  undeliverable: { word: "Not delivered", hint: "No channel reached the customer.", tone: "bad", ended: true },
  failed: { word: "Failed", hint: "The processor would not do it. Nothing was charged.", tone: "bad", ended: true },
};

const REASONS = {
  customer: "The customer said no. Nothing was charged.",
  not_me: "The customer says this is not them, and reported it. Stop, and check whom you are talking to.",
  wrong_session_code: "A number was picked that you did not read out: whoever holds the phone may not be hearing you. Nothing was charged.",
  customer_left: "The customer did not finish on the processor's own page. Nothing was charged.",
  opted_out: "The customer wants no messages. Nothing was charged.",
};

/** Why a request ended as it did, where there is a why. */
export function reasoned(outcome) {
  if (outcome.kind === "fulfilled") return "Read the code out if they want it: it is on their page, too.";
  if (!outcome.reason) return null;
  return REASONS[outcome.reason] ?? `${STATES[outcome.kind]?.hint ?? ""} Reason: ${outcome.reason.replaceAll("_", " ")}.`;
}

export const TIMELINE = {
  created: { word: "Request accepted" },
  accepted: { word: "Prompt taken by the channel" },
  sending: { word: "Sending" },
  delivered: { word: "On the phone" },
  read: { word: "Read" },
  opened: { word: "Page opened" },
  authorized: { word: "Customer said yes", tone: "good" },
  in_doubt: { word: "Outcome in doubt, being settled", tone: "wait" },
  processing: { word: "At the processor" },
  card_declined: { word: "Card refused, customer may try again", tone: "wait" },
  fulfilled: { word: "Paid", tone: "good" },
  denied: { word: "Customer said no", tone: "bad" },
  expired: { word: "Deadline passed", tone: "bad" },
  cancelled: { word: "Cancelled" },
  redirected: { word: "On the processor's own page", tone: "wait" },
  returned: { word: "Back from it" },
  refund_asked: { word: "Refund asked for" },
  refunded: { word: "Given back" },
  refund_failed: { word: "Not given back", tone: "bad" },
  resent: { word: "Sent again" },
  retracted: { word: "Prompt taken back" },
  superseded: { word: "Replaced by another prompt" },
  unknown: { word: "Channel's answer was lost", tone: "wait" },
  extended: { word: "More time given" },
  failed: { word: "Failed", tone: "bad" },
  undeliverable: { word: "No channel left", tone: "bad" },
};

const SPELLED = {
  A: "Alfa", B: "Bravo", C: "Charlie", D: "Delta", E: "Echo", F: "Foxtrot", G: "Golf", H: "Hotel", I: "India", J: "Juliett",
  K: "Kilo", L: "Lima", M: "Mike", N: "November", O: "Oscar", P: "Papa", Q: "Quebec", R: "Romeo", S: "Sierra", T: "Tango",
  U: "Uniform", V: "Victor", W: "Whiskey", X: "X-ray", Y: "Yankee", Z: "Zulu", "-": "dash",
};

/** A code as it is read out: digits as they are, letters by the spelling alphabet. */
export const spelled = (code) => [...code].map((letter) => SPELLED[letter] ?? letter).join(" · ");
