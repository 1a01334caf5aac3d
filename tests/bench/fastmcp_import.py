"""Measures how long FastMCP takes from a document's bytes to its tools, in this process: DOCUMENT ROUNDS.

Prints one line of JSON, as the import measurement of portcullis-bench does.
"""

import asyncio
import json
import statistics
import sys
import time

import httpx2
from fastmcp import FastMCP

path, rounds = sys.argv[1], int(sys.argv[2])
with open(path, "rb") as file:
    content = file.read()


def peak_memory_kib():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


async def tools_of(document):
    server = FastMCP.from_openapi(document, client=httpx2.AsyncClient(base_url="http://127.0.0.1"))
    return len(await server.list_tools())


times, peak, tools = [], 0, 0
for number in range(rounds):
    begun = time.perf_counter()
    tools = asyncio.run(tools_of(json.loads(content)))
    times.append((time.perf_counter() - begun) * 1e3)
    peak = peak or peak_memory_kib()
print(json.dumps({"ready_ms": statistics.median(times), "ready_peak_kib": peak, "tools": tools}))
