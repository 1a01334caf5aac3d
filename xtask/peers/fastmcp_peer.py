"""FastMCP serving the bench's document, for `cargo xtask bench --peers`.

Arguments: the document, the port, the bearer that callers must present.
"""

import json
import sys

import httpx
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier

path, port, bearer = sys.argv[1:4]
with open(path, encoding="utf-8") as file:
    document = json.load(file)
client = httpx.AsyncClient(base_url=document["servers"][0]["url"])
auth = StaticTokenVerifier(tokens={bearer: {"client_id": "bench", "scopes": []}})
server = FastMCP.from_openapi(document, client=client, name="bench", auth=auth)
server.run(
    transport="http",
    host="127.0.0.1",
    port=int(port),
    path="/bench/mcp",
    stateless_http=True,
    json_response=True,
    show_banner=False,
    log_level="ERROR",
)
