"""What every Python client is told and what it prints. See README.md."""

import json
import os
import sys
from dataclasses import dataclass
from typing import Any


@dataclass
class Order:
    url: str
    tool: str
    arguments: dict[str, Any]
    headers: dict[str, str]

    @classmethod
    def read(cls) -> "Order":
        url, tool, arguments = sys.argv[1:4]
        bearer = os.environ.get("PORTCULLIS_TEST_BEARER")
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return cls(url, tool, json.loads(arguments), headers)


def report(client: str, version: str, protocol_version: str | None, tools: list[str], result: Any) -> None:
    line = {
        "client": client,
        "version": version,
        "protocolVersion": protocol_version,
        "tools": tools,
        "result": result.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
    print(json.dumps(line))
