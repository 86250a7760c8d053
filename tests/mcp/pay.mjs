// Pays one request with the client of the TypeScript SDK, as pay.py does with those of Python.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { API, KEY, PHONE_KEY } = process.env;
const PHONE = "+15551230024";
const messages = `${API}/sandbox/phones/${PHONE}/messages`;
const headers = { Authorization: `Bearer ${PHONE_KEY}`, "Content-Type": "application/json" };

const requestInit = { headers: { Authorization: `Bearer ${KEY}` } };
const client = new Client({ name: "pay", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(`${API}/mcp`), { requestInit }));

async function call(name, parameters) {
    const answered = await client.callTool({ name, arguments: parameters });
    if (answered.isError) throw new Error(JSON.stringify(answered));
    return answered.structuredContent;
}

async function tap(asked) {
    for (let attempt = 0; attempt < 600; attempt += 1) {
        const shown = await (await fetch(messages, { headers })).json();
        const found = shown.messages.find((one) => one.request === asked.request_id);
        if (found) {
            const body = JSON.stringify({ action: "approve", session_code: asked.session_code });
            const tapped = await fetch(`${messages}/${found.id}/tap`, { method: "POST", headers, body });
            if (!tapped.ok) throw new Error(await tapped.text());
            return;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the prompt did not come");
}

const ask = { phone: PHONE, amount: 4250, currency: "EUR", description: "Invoice 4711" };
const asked = await call("request_payment", { ...ask, session_id: "npm", call_id: "npm-1" });
await tap(asked);
let told = asked;
for (let attempt = 0; attempt < 60 && !told.over; attempt += 1) {
    told = await call("wait_for_outcome", { request_id: asked.request_id, max_seconds: 3 });
}
if (told.state !== "fulfilled" || !told.transaction_code) throw new Error(JSON.stringify(told));
console.log(`    npm SDK paid: ${told.transaction_code}`);
await client.close();
