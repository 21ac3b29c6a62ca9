"""Start a supervisor as a process of its own: ``python -m tests.boot.launch SETTINGS`` (JSON)."""

import json
import os
import sys
from pathlib import Path

from core.supervisor import Settings, StartError, run

given = json.loads(sys.argv[1])
given["data_dir"] = Path(given["data_dir"])
try:
    run(Settings(**given, root=Path.cwd(), environ=dict(os.environ)))
except StartError as error:
    sys.exit(f"jobstead: {error}")
