"""A real Chromium for tests of pages, which reaches the hosts it is given and nobody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")

_ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def open_page(*hosts: str) -> Iterator[Page]:
    """An empty page that knows these hosts alone."""
    known = ", ".join(f"EXCLUDE {host}" for host in hosts)
    arguments = [*_ARGUMENTS, f"--host-resolver-rules=MAP * ~NOTFOUND, {known}"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser.new_page()
        finally:
            browser.close()


@contextmanager
def served(app: Any, host: str = "127.0.0.1") -> Iterator[str]:
    """Real HTTP in front of ``app``; yields its address."""
    server = make_server(host, 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
