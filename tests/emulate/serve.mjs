// Serves `emulate`'s imitation of Stripe's hosted page on 127.0.0.1 until standard input ends.
//
//     node serve.mjs PORT WEBHOOK_URL WEBHOOK_SECRET
//
// Prints its address in one line of JSON.
import { createEmulator } from "emulate";

const [port, url, secret] = process.argv.slice(2);
const seed = { stripe: { webhooks: [{ url, events: ["*"], secret }] } };
await createEmulator({ service: "stripe", port: Number(port), baseUrl: `http://127.0.0.1:${port}`, seed });
console.log(JSON.stringify({ EMULATE_URL: `http://127.0.0.1:${port}`, EMULATE_WEBHOOKS: url, EMULATE_SECRET: secret }));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
