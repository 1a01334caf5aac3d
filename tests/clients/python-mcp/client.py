"""PyPI mcp: lists all tools and calls one. See ../README.md for arguments and output."""

import asyncio
from contextlib import AsyncExitStack
from importlib.metadata import version

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from order import Order, report
from sign_in import PUBLIC, REQUESTED, Answers, Memory


def sign_in(url: str, answers: Answers) -> OAuthClientProvider:
    async def callback() -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(await answers.answer())

    metadata = OAuthClientMetadata(client_name="Tests of Portcullis", redirect_uris=[answers.redirect_uri], **PUBLIC)
    return OAuthClientProvider(url, metadata, Memory(), answers.open_browser, callback)


async def main(order: Order) -> None:
    async with AsyncExitStack() as stack:
        answers = await stack.enter_async_context(Answers())
        auth = sign_in(order.url, answers) if REQUESTED else None
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=order.headers, timeout=30, auth=auth))
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
