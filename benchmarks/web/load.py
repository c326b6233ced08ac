"""Many reviewers at once: latency of the list and of case JSON, from a client of its own process.

``python -m benchmarks.web.load URL CLIENTS REQUESTS`` prints the latencies as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any


def hammer(url: str, clients: int, requests: int) -> dict[str, Any]:
    """Run the clients in a process of their own and return what they saw."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.web.load", url, str(clients), str(requests)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


async def _all(url: str, clients: int, requests: int) -> dict[str, Any]:
    import httpx2

    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        listed = (await client.get("/v1/cases?limit=50")).json()["items"]
        places = ["/v1/cases?limit=50", *(f"/v1/cases/{item['id']}" for item in listed)]
        waits: dict[str, list[float]] = {"list": [], "case": []}
        errors: list[str] = []

        async def one(number: int) -> None:
            for turn in range(requests // clients):
                # Half of all questions are for the list, the other half for some case.
                which = 0 if (number + turn) % 2 else 1 + (7 * number + turn) % len(listed)
                start = time.perf_counter()
                try:
                    answer = await client.get(places[which])
                    if answer.status_code != 200:
                        errors.append(str(answer.status_code))
                except httpx2.HTTPError as error:
                    errors.append(type(error).__name__)
                waits["case" if which else "list"].append(time.perf_counter() - start)

        start = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(clients)))
        return {"waits": waits, "errors": errors, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))))
