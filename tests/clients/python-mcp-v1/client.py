"""PyPI mcp of the first generation: lists all tools and calls one. See ../README.md for arguments and output."""

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version

import httpx
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

from order import Order, report
from sign_in import PUBLIC, REQUESTED, Answers, Memory


def sign_in(url: str, answers: Answers) -> OAuthClientProvider:
    async def callback() -> tuple[str, str | None]:
        answer = await answers.answer()
        return answer["code"], answer.get("state")

    metadata = OAuthClientMetadata(client_name="Tests of Portcullis", redirect_uris=[answers.redirect_uri], **PUBLIC)
    return OAuthClientProvider(url, metadata, Memory(), answers.open_browser, callback)


async def main(order: Order) -> None:
    async with AsyncExitStack() as stack:
        answers = await stack.enter_async_context(Answers())
        auth = sign_in(order.url, answers) if REQUESTED else None
        http = await stack.enter_async_context(httpx.AsyncClient(headers=order.headers, timeout=30, auth=auth))
        reader, writer, _ = await stack.enter_async_context(streamable_http_client(order.url, http_client=http))
        session = await stack.enter_async_context(ClientSession(reader, writer))
        started = await session.initialize()
        tools: list[str] = []
        page = await session.list_tools()
        tools += [tool.name for tool in page.tools]
        while page.nextCursor:
            page = await session.list_tools(cursor=page.nextCursor)
            tools += [tool.name for tool in page.tools]
        result = await session.call_tool(order.tool, order.arguments)
        report("python-mcp-v1", version("mcp"), str(started.protocolVersion), tools, result)


asyncio.run(main(Order.read()))
