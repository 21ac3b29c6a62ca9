"""A flood of log-ins: what others feel while somebody tries 50 passwords a second for 20 seconds.

The server is gunicorn as it is deployed, with the limits as they are shipped; the flood comes from a
process of its own. From one address the limits refuse nearly all of it; from as many addresses as
tries every password is hashed, until there is no more room for it.
"""

from __future__ import annotations

import http.client
import itertools
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from core.app import create_app
from core.auth import setup
from core.config import load

from .http import deployed, environment, prepare

RATE = 50  # log-ins a second
SECONDS = 20.0
EMAIL, PASSWORD = "root@example.org", "correct horse battery"
PACE = 0.02  # seconds between two requests of somebody else
CLIENTS = 4


def run(progress: bool = True) -> dict[str, Any]:
    """Measure a route that needs somebody signed in, idle and in each flood."""
    floods: dict[str, tuple[bool, str]] = {
        "one address": (False, "wrong"),
        "many addresses": (True, "wrong"),
        "many, right password": (True, PASSWORD),
    }
    table: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        settings = environment(folder) | {
            "JOBSTEAD_LIMITS_SCALE": "1",
            "TRUSTED_PROXIES": "1",
            "ADMIN_EMAIL": EMAIL,
            "ADMIN_PASSWORD": PASSWORD,
        }
        _people(settings)
        with deployed(settings) as port:
            token = _log_in(port, "198.51.100.1", PASSWORD)[1]["accessToken"]
            _ask(port, token, 1.0)  # warm up
            for name, (many, password) in floods.items():
                if progress:
                    print(f"  flood: {name}", file=sys.stderr, flush=True)
                table[name] = _measure(port, token, many, password)
    return {"log-in flood": table}


def _people(settings: dict[str, str]) -> None:
    app = create_app(load(environ=settings), environ=settings)
    setup.issue_link(app)
    app.extensions["jobstead.db"].dispose()


def _measure(port: int, token: str, many: bool, password: str) -> dict[str, Any]:
    idle = _ask(port, token, SECONDS / 2)
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    attacker = context.Process(target=flood, args=(port, many, password, told))
    attacker.start()
    told.get()  # it begins now
    flooded = _ask(port, token, SECONDS)
    statuses = told.get()
    attacker.join()
    idle += _ask(port, token, SECONDS / 2)  # before and after, for the machine's mood changes
    before, during = _percentile(idle), _percentile(flooded)
    return {
        "idleP95Ms": round(before * 1000, 1),
        "floodP95Ms": round(during * 1000, 1),
        "ratio": round(during / before, 2),
        "answers": " ".join(f"{status}: {count}" for status, count in sorted(statuses.items())),
    }


def _ask(port: int, token: str, seconds: float) -> list[float]:
    """How long ``GET /auth/me`` took, each time, for a few clients who ask now and then."""
    took: list[float] = []
    until = time.monotonic() + seconds

    def one() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < until:
            begun = time.perf_counter()
            connection.request("GET", "/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - begun)
            if answer.status != 200:
                raise SystemExit(f"somebody who is signed in got {answer.status}")
            time.sleep(PACE)
        connection.close()

    _together(one, CLIENTS)
    return took


def flood(port: int, many: bool, password: str, told: Any) -> None:
    """Log in ``RATE`` times a second, whether the last ones were answered or not."""
    numbers = itertools.count()
    statuses: Counter[int] = Counter()

    def one(number: int) -> None:
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" if many else "10.0.0.1"
        statuses[_log_in(port, address, password)[0]] += 1

    told.put("begun")
    begun = time.monotonic()
    with ThreadPoolExecutor(200) as threads:
        while (elapsed := time.monotonic() - begun) < SECONDS:
            number = next(numbers)
            time.sleep(max(0.0, number / RATE - elapsed))
            threads.submit(one, number + int(begun) % 60_000 * 256)
    told.put(dict(statuses))


def _log_in(port: int, address: str, password: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    body = json.dumps({"email": EMAIL, "password": password})
    connection.request("POST", "/api/v1/auth/login", body, headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def _together(act: Callable[[], None], size: int) -> None:
    threads = [threading.Thread(target=act) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _percentile(seen: list[float]) -> float:
    return statistics.quantiles(seen, n=20)[-1]
