// Pays one request with the generated types, verifies its webhook, and pages through a list.
import createClient from "openapi-fetch";
import { Webhook } from "standardwebhooks";
import { readFile } from "node:fs/promises";
import type { components, paths, webhooks } from "./assent.ts";

type Request = components["schemas"]["Request"];
type Event = webhooks["request.fulfilled"]["post"]["requestBody"]["content"]["application/json"];

const { API, KEY, SECRET, EVENTS, PHONE } = process.env as Record<string, string>;
const client = createClient<paths>({ baseUrl: API, headers: { Authorization: `Bearer ${KEY}` } });

function expect<T>(value: T | undefined | null, what: unknown): T {
  if (value === undefined || value === null) throw new Error(`${JSON.stringify(what)}`);
  return value;
}

async function ask(call: number): Promise<Request> {
  const { data, error } = await client.POST("/v1/requests", {
    params: { header: { "Idempotency-Key": `typescript-${call}` } },
    body: {
      customer: { phone: PHONE, name: "Ada Byron", language: "en-GB" },
      session: { kind: "voice", id: "typescript" },
      ask: { kind: "payment", amount: 4250, currency: "EUR", description: "Invoice 4711" },
      allow_duplicate: true,
    },
  });
  return expect(data, error);
}

/** Taps as the customer. The phone is no part of the API. */
async function tap(request: Request): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    const answer = await fetch(`${API}/sandbox/phones/${PHONE}/messages`);
    const { messages } = (await answer.json()) as { messages: { id: string; request: string }[] };
    const message = messages.find((one) => one.request === request.id);
    if (message) {
      const tapped = await fetch(`${API}/sandbox/phones/${PHONE}/messages/${message.id}/tap`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ action: "approve", session_code: request.session_code }),
      });
      if (!tapped.ok) throw new Error(await tapped.text());
      return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("the prompt did not come");
}

async function end(id: string): Promise<Request> {
  let after = 0;
  for (let turn = 0; turn < 100; turn += 1) {
    const { data, error } = await client.GET("/v1/requests/{id}", { params: { path: { id }, query: { wait: 5, after } } });
    const request = expect(data, error);
    if (!("timeline" in request)) throw new Error("the answer is brief");
    if (request.outcome) return request;
    after = request.version;
  }
  throw new Error("the request did not end");
}

/** Waits for the event of the payment, and verifies its signature over the raw body. */
async function verified(id: string): Promise<Event> {
  for (let turn = 0; turn < 300; turn += 1) {
    const lines = (await readFile(EVENTS, "utf8")).split("\n").filter((line) => line !== "");
    for (const line of lines) {
      const { headers, body } = JSON.parse(line) as { headers: Record<string, string>; body: string };
      const event = new Webhook(SECRET).verify(body, headers) as Event;
      if (event.type === "request.fulfilled" && event.data.id === id) {
        let forged = false;
        try {
          new Webhook(SECRET).verify(body.replace("4250", "1"), headers);
          forged = true;
        } catch {
          // A changed body has another signature.
        }
        if (forged) throw new Error("a changed event was accepted");
        return event;
      }
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("the event did not come");
}

const asked = await ask(1);
await tap(asked);
const paid = await end(asked.id);
if (paid.outcome?.payment?.amount !== 4250) throw new Error(JSON.stringify(paid));
const event = await verified(asked.id);
if (event.data.outcome?.transaction_code !== paid.outcome.transaction_code) throw new Error(JSON.stringify(event));
await ask(2);
await ask(3);
const listed: string[] = [];
let cursor: string | undefined;
do {
  const { data, error } = await client.GET("/v1/requests", { params: { query: { session: "typescript", limit: 2, cursor } } });
  const page = expect(data, error);
  listed.push(...page.requests.map((request) => request.id));
  cursor = page.next_cursor ?? undefined;
} while (cursor);
if (listed.length !== 3 || new Set(listed).size !== 3 || listed.at(-1) !== asked.id) throw new Error(listed.join());
const { error } = await client.GET("/v1/requests/{id}", { params: { path: { id: "req_01M844DZG03XCBJ52V4K8GHNXC" } } });
if (error?.code !== "not-found") throw new Error(JSON.stringify(error));
console.log(`typescript: paid ${paid.outcome.transaction_code}, verified ${event.type}, listed ${listed.length}`);
