"""One process that starts, watches and stops all others of an instance. Standard library only.

It must keep running when anything else is broken, so it imports nothing of Jobstead but itself.
``run(settings)`` is the whole interface; the command line builds the settings from the configuration.

Files under ``<data_dir>/run``: ``lock`` (held while a supervisor lives, freed by the kernel when it dies,
so nothing stale can block a start), ``supervisor.json`` (who runs, for people and for the next start),
``reload`` (touched by the host when the set of plugins changed), ``reloaded`` (what came of it),
``draining`` (present while stopping: readiness answers 503), ``redis.sock``.
"""

from __future__ import annotations

from core.supervisor.loop import run
from core.supervisor.settings import Settings, StartError, commands

__all__ = ["Settings", "StartError", "commands", "run"]
