"""Small stand-ins for web, worker and probe: the supervisor is tried on real processes that start at once.

``python children.py ROLE JOURNAL`` writes JSON lines about itself to the journal and behaves as a file beside
it says: ``JOURNAL.ROLE`` may hold ``exit``, ``hang``, ``stubborn`` (does not stop when asked to) or ``apply``
(finds migrations to run).
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

role, journal = sys.argv[1], Path(sys.argv[2])
switch = journal.with_name(f"{journal.name}.{role}")


def note(what: str) -> None:
    line = {"role": role, "what": what, "pid": os.getpid(), "redis": os.environ.get("REDIS_URL")}
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, json.dumps(line).encode() + b"\n")
    os.close(descriptor)


def serve() -> None:
    listener = socket.socket(fileno=int(os.environ["JOBSTEAD_LISTEN_FD"]))
    while True:
        client, _ = listener.accept()
        client.recv(4096)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        client.close()


behaviour = switch.read_text().strip() if switch.exists() else ""
over = threading.Event()


def stop(number: int, frame: object) -> None:
    note(signal.Signals(number).name)
    if number == signal.SIGTERM and behaviour != "stubborn":
        over.set()


if role in ("web", "worker", "probe"):
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
note("start")
if behaviour == "exit":
    sys.exit(7)
if role == "prepare":
    while behaviour == "apply" and journal.read_text().count('"role": "web", "what": "start"') < 2:
        time.sleep(0.02)  # it is over when web of the second start is there, and not before
    print(json.dumps({"link": "/setup?token=abc", "applied": behaviour == "apply"}))
if role in ("prepare", "upgrade") or (role == "probe" and behaviour != "hang"):
    sys.exit(0)

if role == "web" and behaviour != "hang":
    threading.Thread(target=serve, daemon=True).start()
while not over.wait(0.5):
    pass
note("end")
