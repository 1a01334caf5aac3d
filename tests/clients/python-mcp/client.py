"""PyPI mcp: lists all tools and calls one. See ../README.md for arguments and output."""

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from order import Order, report


async def main(order: Order) -> None:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=order.headers, timeout=30))
        client = await stack.enter_async_context(Client(streamable_http_client(order.url, http_client=http)))
        tools: list[str] = []
        page = await client.list_tools()
        tools += [tool.name for tool in page.tools]
        while page.next_cursor:
            page = await client.list_tools(cursor=page.next_cursor)
            tools += [tool.name for tool in page.tools]
        result = await client.call_tool(order.tool, order.arguments)
        report("python-mcp", version("mcp"), client.protocol_version, tools, result)


asyncio.run(main(Order.read()))
