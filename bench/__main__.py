"""``make bench``: what the server costs, as ratios within one run. ``--json`` for programs."""

from __future__ import annotations

import argparse
import json
import os
import platform
from typing import Any

from . import engine, flood, http


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--only", choices=["http", "engine", "flood"], help="run one part")
    options = parser.parse_args()
    parts = {"http": http.run, "engine": engine.run, "flood": flood.run}
    chosen = [options.only] if options.only else list(parts)
    result: dict[str, Any] = {"machine": machine()}
    for name in chosen:
        result |= parts[name]()
    print(json.dumps(result, indent=2) if options.json else as_tables(result))


def machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}


def as_tables(result: dict[str, Any]) -> str:
    lines = []
    for title, table in result.items():
        lines.append(f"\n{title}")
        for name, values in table.items():
            if isinstance(values, dict):
                values = "   ".join(
                    f"{key} {value:>10,}" if isinstance(value, int | float) else f"{key} {value}"
                    for key, value in values.items()
                )
            lines.append(f"  {name:<24} {values}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
