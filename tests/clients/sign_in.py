"""How a program on one of the SDKs signs somebody in: the browser is opened at the client's word, and answers on loopback."""

import asyncio
import os
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

REQUESTED = "PORTCULLIS_TEST_SIGN_IN" in os.environ

# What a client says of itself that must have no secret; otherwise the server decides.
PUBLIC = {"token_endpoint_auth_method": "none"} if "PORTCULLIS_TEST_PUBLIC" in os.environ else {}


class Memory:
    """What the SDKs ask for all they must remember; nothing is kept."""

    def __init__(self) -> None:
        self._tokens: Any = None
        self._client_info: Any = None

    async def get_tokens(self) -> Any:
        return self._tokens

    async def set_tokens(self, tokens: Any) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> Any:
        return self._client_info

    async def set_client_info(self, client_info: Any) -> None:
        self._client_info = client_info


class Answers:
    """Listens on loopback for what the browser brings."""

    def __init__(self) -> None:
        self._came: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._path = f"/callback/{secrets.token_hex(4)}"
        self.redirect_uri = ""

    async def __aenter__(self) -> "Answers":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.redirect_uri = f"http://127.0.0.1:{port}{self._path}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def open_browser(self, url: str) -> None:
        process = await asyncio.create_subprocess_exec("xdg-open", url)
        await process.wait()

    async def answer(self) -> dict[str, str]:
        answer = await self._came
        if "error" in answer:
            raise RuntimeError(f"refused: {answer['error']}: {answer.get('error_description')}")
        return answer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = urlsplit((await reader.readline()).split()[1].decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        if target.path == self._path and not self._came.done():
            self._came.set_result(dict(parse_qsl(target.query)))
