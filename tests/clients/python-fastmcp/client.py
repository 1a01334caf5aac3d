"""PyPI fastmcp: lists all tools and calls one. See ../README.md for arguments and output."""

import asyncio
from importlib.metadata import version

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from order import Order, report
from sign_in import REQUESTED


async def main(order: Order) -> None:
    auth = "oauth" if REQUESTED else None
    async with Client(StreamableHttpTransport(order.url, headers=order.headers, auth=auth)) as client:
        tools = [tool.name for tool in await client.list_tools()]
        result = await client.call_tool_mcp(order.tool, order.arguments)
        report("python-fastmcp", version("fastmcp"), client.protocol_version, tools, result)


asyncio.run(main(Order.read()))
