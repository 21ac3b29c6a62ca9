"""The supervisor's life: start in order, watch, reload, stop in order."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from core.supervisor import layout, preparing, redis_server
from core.supervisor.child import Child, spawn
from core.supervisor.reload import Trial, Watch
from core.supervisor.settings import Settings, StartError, say
from core.supervisor.signals import Signals, Stopped

_HOPELESS = 3  # deaths of one child in a row, before the instance was ready once
_UPGRADE_LIMIT = 600.0  # seconds; migrations of a large database take their time


class Supervisor:
    """One instance on this machine; all children are tended by one loop in one thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.signals = Signals()
        self.children: dict[str, Child] = {}
        self.environ = dict(settings.environ)
        self.trial: Trial | None = None
        self.redis = ""  # in words, for people

    def run(self) -> None:
        """From nothing to stopped. ``StartError`` when it could not start."""
        try:
            self._run()
        finally:
            self.signals.ignore()

    def _run(self) -> None:
        settings = self.settings
        layout.make_directories(settings.data_dir)
        lock = layout.lock(settings)
        try:
            layout.end_leftovers(settings)
            self.listener = layout.listen(settings)
            (settings.run_dir / "draining").unlink(missing_ok=True)
            self.watch = Watch(settings.run_dir / "reload")
            try:
                self._announce(self._start())
                self._keep()
            except Stopped:
                pass
            finally:
                self._stop()
        finally:
            os.close(lock)

    # Starting

    def _start(self) -> str | None:
        """Bring everything up; returns the link for the first admin, if one is due."""
        say(f"data in {self.settings.data_dir}")
        self._start_redis()
        known = preparing.known(self.settings)
        preparing.forget(self.settings)
        if known:
            say("starting web, and looking after the database")
            self._add_web()
        else:
            say("preparing the database")
        link, changed = self._prepare()
        preparing.note(self.settings)
        if not known:
            say("starting web and worker")
            self._add_web()
        elif changed:  # it found tables that are no more
            self.children["web"].replace(self.settings.grace)
            self._await("web", lambda: not self.children["web"].stopping)
        # Not web and worker at once: on a small machine they would only delay each other.
        self._await("web", self._serves)
        self._add("worker", lambda: self._spawn("worker"))
        return link

    def _add_web(self) -> None:
        inherited = self.listener.fileno()
        self.environ["JOBSTEAD_LISTEN_FD"] = str(inherited)
        self._add("web", lambda: self._spawn("web", pass_fds=(inherited,)))

    def _spawn(
        self, role: str, *, pass_fds: Sequence[int] = (), stdout: int | None = None
    ) -> subprocess.Popen[bytes]:
        command, root = self.settings.commands[role], self.settings.root
        return spawn(command, env=self.environ, cwd=root, pass_fds=pass_fds, stdout=stdout)

    def _add(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        child = self.children[name] = Child(name, start)
        child.start()
        self._write_state()

    def _start_redis(self) -> None:
        if self.settings.redis_url and not self.settings.direct:
            self.environ["REDIS_URL"] = self.settings.redis_url
            self.redis = "as configured"
            return
        if self.settings.direct:
            self.redis = "not used, as configured (direct mode)"
        else:
            executable = redis_server.find()
            if executable is not None and self._embed(executable):
                return
            reason = "Redis did not start" if executable else "no Redis server found"
            self.redis = f"{reason}: running in direct mode; to install one: {redis_server.how_to_install()}"
        self.environ.pop("REDIS_URL", None)
        self.environ["JOBSTEAD_REDIS__MODE"] = "direct"

    def _embed(self, executable: str) -> bool:
        settings = self.settings
        path = redis_server.socket_path(settings.run_dir)
        command = redis_server.command(executable, settings.data_dir, path)
        for first in (True, False):
            self._add("redis", lambda: spawn(command, env=self.environ, cwd=settings.root))
            if self._await("redis", lambda: redis_server.answers(path), limit=15.0):
                self.environ["REDIS_URL"] = f"unix://{quote(str(path))}"
                self.redis = f"embedded ({executable})"
                return True
            self.children.pop("redis").kill()
            if first:
                say("Redis cannot read its data: setting that aside, the database refills the queues")
                redis_server.set_aside(settings.data_dir)
        return False

    def _prepare(self) -> tuple[str | None, bool]:
        """Migrate; returns the first admin's link, if one is due, and whether there was anything to do.

        The child says both on its standard output: ``{"link": "/setup?...", "applied": 3}``.
        """
        with tempfile.TemporaryFile() as output:
            process = self._spawn("prepare", stdout=output.fileno())
            try:
                while process.poll() is None:
                    for child in self.children.values():
                        child.tend(self.settings.grace)
                    self.signals.pause()
            except Stopped:
                process.terminate()
                process.wait(self.settings.grace)
                raise
            if process.returncode != 0:
                raise StartError("the database could not be prepared, the lines above say why.")
            output.seek(0)
            told = json.load(output)
        link = told["link"]
        return (self.settings.address + link if link.startswith("/") else link or None), bool(told["applied"])

    def _await(self, name: str, ready: Callable[[], bool], *, limit: float | None = None) -> bool:
        """Wait while tending the children; false when ``limit`` (seconds) passed or it keeps dying."""
        began = told = time.monotonic()
        while not ready():
            for child in self.children.values():
                child.tend(self.settings.grace)
                if child.deaths >= _HOPELESS:
                    if limit is not None:
                        return False
                    raise StartError(
                        f"{child.name} stopped {child.deaths} times while starting, the lines above say why."
                    )
            now = time.monotonic()
            if limit is not None and now - began > limit:
                return False
            if now - told > 10:
                told = now
                say(f"still waiting for {name} ({now - began:.0f} s)")
            self.signals.pause()
        return True

    def _serves(self) -> bool:
        """Whether /readyz answers 200. Until web accepts, an open connection awaits its first word."""
        address = self.settings.local
        request = f"GET /readyz HTTP/1.1\r\nHost: {address[0]}\r\nConnection: close\r\n\r\n".encode()
        try:
            with socket.create_connection(address, timeout=1) as client:
                client.sendall(request)
                until = time.monotonic() + 30
                while time.monotonic() < until and not any(child.gone() for child in self.children.values()):
                    self.signals.pause(client.fileno())
                    if select.select([client], [], [], 0)[0]:
                        return client.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            pass
        return False

    def _announce(self, link: str | None) -> None:
        rows = [
            ("address", self.settings.address),
            ("data", str(self.settings.data_dir)),
            ("redis", self.redis),
        ]
        if link:
            rows.append(("first admin", f"{link} (works once)"))
        rows.append(("stop", "Ctrl-C"))
        say("ready\n" + "\n".join(f"  {name:13}{value}" for name, value in rows))

    # Running

    def _keep(self) -> None:
        written = self._pids()
        while True:
            for child in self.children.values():
                child.tend(self.settings.grace)
            if self._pids() != written:
                written = self._pids()
                self._write_state()
            if self.watch.changed():
                self.signals.reload = True
            self._tend_reload()
            self.signals.pause()

    def _tend_reload(self) -> None:
        if self.trial is None:
            if not self.signals.reload:
                return
            self.signals.reload = False
            say("trying the new configuration")
            steps = [("upgrade", _UPGRADE_LIMIT), ("probe", self.settings.probe_limit)]
            self.trial = Trial(steps, self._spawn)
        if not self.trial.finished():
            return
        failure, self.trial = self.trial.failure, None
        if failure:
            say(f"{failure}: the running configuration stays")
        else:
            self.children["web"].signal(signal.SIGHUP)
            self.children["worker"].replace(self.settings.grace)
            say("the new configuration is in use")
        self._record_reload(failure)

    def _record_reload(self, failure: str | None) -> None:
        try:
            request = json.loads((self.settings.run_dir / "reload").read_text())
        except (OSError, ValueError):
            request = None
        generation = request.get("generation") if isinstance(request, dict) else None
        result = {"generation": generation, "ok": failure is None, "detail": failure}
        layout.write_json(self.settings.run_dir / "reloaded", result)

    def _pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self.children.items() if child.pid is not None}

    def _write_state(self) -> None:
        layout.write_state(self.settings, self._pids())

    # Stopping

    def _stop(self) -> None:
        """Web first, then the worker, Redis last, within ``grace`` seconds; a second signal hurries them."""
        end = time.monotonic() + self.settings.grace
        draining = self.settings.run_dir / "draining"
        if self.trial is not None:
            self.trial.abandon()
        if self.children:
            say("stopping")
        if "web" in self.children and self.settings.drain:
            draining.touch()
            self.signals.wait(lambda: False, time.monotonic() + self.settings.drain)
        self.listener.close()
        for name, share in (("web", 0.8), ("worker", 0.9), ("redis", 0.98)):
            child = self.children.get(name)
            if child is None:
                continue
            until = end - (1 - share) * self.settings.grace
            if self.signals.at_once and name == "redis":  # it has a file to write; that takes no time
                self.signals.at_once, until = False, time.monotonic() + 2
            child.signal(signal.SIGTERM)
            if not self.signals.wait(child.gone, until):
                say(f"{name} did not stop in time and was ended")
            child.kill()
        (self.settings.run_dir / "supervisor.json").unlink(missing_ok=True)
        draining.unlink(missing_ok=True)
        if self.children:
            say("stopped")


def run(settings: Settings) -> None:
    """Run one instance until a signal ends it. ``StartError`` when it could not start."""
    Supervisor(settings).run()
