"""Pays one request each with the client of the Python SDK, in both lifecycles, and with the client of OpenAI's agents.

The model's part is the calls of the tools, in the order that a model would make them. The customer's part is a tap on the
sandbox phone of the machine, with the code that the agent reads out.
"""

import asyncio
import json
import os
import time
import urllib.request

import httpx2
from agents.mcp import MCPServerStreamableHttp
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

API, KEY, PHONE_KEY = (os.environ[name] for name in ("API", "KEY", "PHONE_KEY"))
HEADERS = {"Authorization": f"Bearer {KEY}"}


def tap(phone, request_id, code):
    """Taps as the customer. The phone is no part of the surface."""
    messages, headers = f"{API}/sandbox/phones/{phone}/messages", {"Authorization": f"Bearer {PHONE_KEY}"}
    for _ in range(600):
        with urllib.request.urlopen(urllib.request.Request(messages, headers=headers)) as answer:
            found = [one for one in json.load(answer)["messages"] if one["request"] == request_id]
        if found:
            assert "automated assistant" in json.dumps(found[0]), found
            body = json.dumps({"action": "approve", "session_code": code}).encode()
            headers |= {"Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(f"{messages}/{found[0]['id']}/tap", body, headers)).close()
            return
        time.sleep(0.1)
    raise AssertionError("the prompt did not come")


async def pay(name, phone, call):
    """Asks, has the customer tap, and waits. `call` calls a tool and returns what it shows."""
    ask = {"phone": phone, "amount": 4250, "currency": "EUR", "description": "Invoice 4711"}
    ask |= {"session_id": name, "call_id": f"{name}-1"}
    asked = await call("request_payment", ask)
    again = await call("request_payment", ask)
    assert again["request_id"] == asked["request_id"], (asked, again)
    assert len(asked["session_code"]) == 2, asked
    await asyncio.to_thread(tap, phone, asked["request_id"], asked["session_code"])
    for _ in range(60):
        told = await call("wait_for_outcome", {"request_id": asked["request_id"], "max_seconds": 3})
        if told["over"]:
            break
    assert told["state"] == "fulfilled" and told["transaction_code"], told
    print(f"    {name} paid: {told['transaction_code']}", flush=True)


async def with_sdk(name, phone, mode):
    async with httpx2.AsyncClient(headers=HEADERS, timeout=30) as http:
        transport = streamable_http_client(f"{API}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            assert len(tools) == 8 and tools[1] == "request_payment", tools

            async def call(tool, arguments):
                answered = await client.call_tool(tool, arguments)
                assert not answered.is_error, answered
                return answered.structured_content

            await pay(name, phone, call)


async def with_openai_agents(phone):
    params = {"url": f"{API}/mcp", "headers": HEADERS}
    async with MCPServerStreamableHttp(params=params, client_session_timeout_seconds=10) as server:
        assert len(await server.list_tools()) == 8

        async def call(tool, arguments):
            answered = await server.call_tool(tool, arguments)
            # A model of this framework reads the text.
            return json.loads(answered.content[0].text)

        await pay("openai-agents", phone, call)


async def main():
    await with_sdk("mcp-initialize", "+15551230021", "legacy")
    await with_sdk("mcp-stateless", "+15551230022", "2026-07-28")
    await with_openai_agents("+15551230023")


asyncio.run(main())
