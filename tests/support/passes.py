"""``make test``: every test on the embedded default, with coverage; again on PostgreSQL and Redis.

The second pass is not measured, which would take as long again, and leaves out what has no database
in it. Arguments go to pytest: ``python -m tests.support.passes -k redis``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.support.servers import ROOT, postgres_server, redis_server, without_password

_GIVEN = ("JOBSTEAD_TEST_DATABASE_URL", "JOBSTEAD_TEST_REDIS_URL")
_MEASURED = ["-m", "coverage", "run"]
_ONCE = ["-m", "not once", *(f"--ignore=tests/{room}" for room in ("access", "boot", "ground"))]


def main(arguments: list[str]) -> int:
    _coverage("erase")
    closing: list[str] = []
    code = run("embedded default: SQLite, a Redis of each test's own", {}, arguments, closing, _MEASURED)
    postgres = postgres_server()
    if postgres is None:
        closing.append("no second pass: PostgreSQL is not installed here (.ci/run installs it)")
    else:
        redis = redis_server()
        given = {
            "JOBSTEAD_TEST_DATABASE_URL": postgres,
            **({"JOBSTEAD_TEST_REDIS_URL": redis} if redis else {}),
        }
        name = ", ".join(map(without_password, given.values()))
        code = run(name, given, [*_ONCE, *arguments], closing) or code
    _coverage("combine", "--quiet")
    reported = _coverage("report")
    if not arguments:  # a part of the tests covers a part of the code
        code = code or reported
    print("\n" + "\n".join(closing), flush=True)
    return code


def run(
    name: str, servers: Mapping[str, str], arguments: list[str], closing: list[str], under: Sequence[str] = ()
) -> int:
    """One pass of pytest ``under`` a tool, printed as it goes; its last line is kept for the end."""
    print(f"\n# {name}", flush=True)
    environ = {key: value for key, value in os.environ.items() if key not in _GIVEN}
    environ |= {**servers, "COVERAGE_FILE": str(ROOT / ".coverage"), "JOBSTEAD_LIMITS_SCALE": "100000"}
    workers = os.environ.get("PYTEST_WORKERS", "2")
    command = [
        sys.executable,
        *under,
        "-m",
        "pytest",
        "-n",
        workers,
        "--dist",
        "worksteal",
        "-rs",
    ]
    if sys.stdout.isatty():
        command.append("--color=yes")
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as tests:
        last = ""
        for line in tests.stdout or ():
            print(line, end="", flush=True)
            last = line.strip() or last
    closing += [f"# {name}", last]
    return tests.returncode


def _coverage(*arguments: str) -> int:
    environ = {**os.environ, "COVERAGE_FILE": str(ROOT / ".coverage")}
    return subprocess.run(
        [sys.executable, "-m", "coverage", *arguments], cwd=ROOT, env=environ, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
