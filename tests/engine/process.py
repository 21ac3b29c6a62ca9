"""A worker process of a test's world: ``python -m tests.engine.process``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from core import log
from core.engine import Timing, worker
from tests.engine.world import make_app


def main() -> int:
    told = json.loads(os.environ["JOBSTEAD_TEST_WORLD"])
    app = make_app(told["database"], told["redis"], Path(told["folder"]), Timing(**told["timing"]))
    log.init(app.extensions["jobstead.config"].log)
    return worker.main(app)


if __name__ == "__main__":
    sys.exit(main())
