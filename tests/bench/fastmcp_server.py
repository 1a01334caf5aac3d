"""Serves an OpenAPI document's operations by FastMCP: PORT DOCUMENT.

BENCH_KEY holds the one bearer token that is good.
"""

import json
import os
import sys

import httpx2
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier

port, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    document = json.load(file)

key = {os.environ["BENCH_KEY"]: {"client_id": "bench", "scopes": []}}
server = FastMCP.from_openapi(
    document,
    client=httpx2.AsyncClient(base_url=document["servers"][0]["url"]),
    auth=StaticTokenVerifier(tokens=key),
)
server.run(
    transport="http",
    host="127.0.0.1",
    port=int(port),
    stateless_http=True,
    json_response=True,
    show_banner=False,
    log_level="error",
)
