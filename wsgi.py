"""The WSGI entry point: ``gunicorn -c deploy/gunicorn.conf.py wsgi:app``."""

from __future__ import annotations

from core.cli import boot

app = boot()

from core.web import add_check  # noqa: E402 - boot() imports rooms faster than a line above it would

_draining = app.extensions["jobstead.config"].data_dir / "run" / "draining"


def _staying() -> None:
    """Raises once our supervisor is about to stop us (see ``core.supervisor``): requests go elsewhere."""
    if _draining.exists():
        raise RuntimeError("about to stop")


add_check(app, "process", _staying)
