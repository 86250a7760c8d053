// A Twilio Function for the Run Function widget of Studio. It asks, waits and cancels with a key that no flow sees.
// The service's environment has ASSENT_URL, the public address, and ASSENT_KEY, a key of kind `ivr`.
//
// Studio waits ten seconds for a Function (https://www.twilio.com/docs/studio/widget-library/run-function, read 2026-11-27).
const SECONDS_MAX = 6;
const TIMEOUT = 9_000;

/** Calls the API. A refusal is an error, which leads the widget to its `fail` transition. */
async function call({ ASSENT_URL, ASSENT_KEY }, method, path, body, headers = {}) {
  const answer = await fetch(`${ASSENT_URL}${path}`, {
    method,
    headers: { Authorization: `Bearer ${ASSENT_KEY}`, "Content-Type": "application/json", ...headers },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT),
  });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`Assent refused: ${answer.status} ${json.code ?? ""}`);
  return json;
}

const path = ({ id }) => `/v1/requests/${encodeURIComponent(id)}`;

const STEPS = {
  /** Asks once for each `call` and `attempt`: a repeat asks nothing again. */
  async ask(context, { call: session, attempt, phone, language, amount, currency, description }) {
    const body = {
      customer: { phone, ...(language ? { language } : {}) },
      session: { kind: "ivr", id: session },
      ask: { kind: "payment", amount: Number(amount), currency, description },
      expires_in: 240,
    };
    const { id, state } = await call(context, "POST", "/v1/requests", body, { "Idempotency-Key": `studio:${session}:${attempt}` });
    return { id, state };
  },

  /** Answers when the request changes after `version`, or after some seconds. `speak` is what was not said before. */
  async wait(context, { version, said = "", seconds, ...event }) {
    const wait = Math.min(Number(seconds ?? SECONDS_MAX), SECONDS_MAX);
    const brief = await call(context, "GET", `${path(event)}?view=brief&wait=${wait}${version ? `&after=${encodeURIComponent(version)}` : ""}`);
    // Commas make the voice pause between the characters.
    const code = [...brief.transaction_code.replace("-", "")].join(", ");
    return { ...brief, speak: brief.say === said ? "" : brief.say, code_to_speak: code };
  },

  /** Cancels. What the customer approved in the meantime stays approved: the next wait tells. */
  async cancel(context, event) {
    await call(context, "POST", `${path(event)}/cancel`, {}).catch(() => {});
    return { id: event.id };
  },
};

exports.handler = async function handler(context, event, callback) {
  const step = Object.hasOwn(STEPS, event.step) ? STEPS[event.step] : null;
  try {
    if (!step) throw new Error("`step` is ask, wait or cancel");
    return callback(null, await step(context, event));
  } catch (error) {
    return callback(error);
  }
};
