"""What is in hand when the process is told to stop; in a process of its own, as signals are."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

HANG = "while True: time.sleep(0.01)"


def _ran(body: str) -> str:
    program = "import os, signal, time\nfrom core.engine.timeouts import *\n" + textwrap.dedent(body)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


@pytest.mark.parametrize("told", ["before", "inside", "between"])
def test_whatever_moment_the_signal_takes(told: str) -> None:
    before, inside, between = (
        "hand_back_after(0.05)" if told == moment else "pass" for moment in ("before", "inside", "between")
    )
    assert (
        _ran(f"""
            {before}
            try:
                with watch() as arm:
                    {between}
                    arm(30)
                    {inside}
                    {HANG}
            except HandedBack:
                print("handed back")
        """)
        == "handed back"
    )


def test_a_limit_that_ends_before_the_grace_is_a_limit() -> None:
    assert (
        _ran(f"""
            hand_back_after(30)
            try:
                with limit(0.05):
                    {HANG}
            except TimedOut:
                print("timed out")
        """)
        == "timed out"
    )


def test_the_alarm_of_others_is_left_alone() -> None:
    assert (
        _ran("""
            signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            hand_back_after(0.01)
            print(signal.getitimer(signal.ITIMER_REAL)[0] > 0.05)
            signal.pause()
        """)
        == "True\nalarm"
    )
