"""Gunicorn for Jobstead: threads, bounded requests, no preload.

Under the supervisor the listening socket is inherited (``JOBSTEAD_LISTEN_FD``), so that a web process that
dies leaves the port open and its successor serves the connections that wait. On its own:
``gunicorn -c deploy/gunicorn.conf.py wsgi:app``.
"""

import os
from pathlib import Path

from core.config import load

_config = load()
_fd = os.environ.get("JOBSTEAD_LISTEN_FD")

chdir = str(Path(__file__).resolve().parent.parent)
wsgi_app = "wsgi:app"
bind = f"fd://{_fd}" if _fd else f"{_config.server.host}:{_config.server.port}"
backlog = 512

worker_class = "gthread"
workers = _config.server.workers
threads = _config.server.threads
# Each worker imports on its own: a HUP serves new code and configuration, no connection crosses a fork.
preload_app = False
# Recycled now and then, at different moments, so that a slow leak never becomes an outage.
max_requests = 100_000
max_requests_jitter = 20_000

timeout = 60
# The supervisor gives the whole instance 30 seconds; requests in flight get 18 of them, after the drain.
graceful_timeout = max(1, int(_config.server.shutdown_grace.total_seconds() * 0.6))
keepalive = 5

limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
# No peer is trusted to say who the client is; core counts trusted proxies itself (server.trusted_proxies).
forwarded_allow_ips = ""

# The heartbeat file is touched every second: in memory where the system offers it.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True
proc_name = "jobstead-web"
loglevel = "warning"
accesslog = None
errorlog = "-"
