"""Broken files of every kind: each ends in a picture or a reason, and the next one is converted.

More cases than CI's: FUZZ_CASES=2000 script/test tests/workers/test_fuzz.py. `script/fuzz 100000 1`
does as many as you like, with any seed.
"""

from __future__ import annotations

import contextlib
import os
import sys

import psutil
import pytest

from bench.fuzz import SEED, cases, fuzz, originals, print_report
from imaging.target import Target
from workers.decoder.process import DecoderLimits
from workers.decoder.sandbox import Sandbox

CASES = int(os.environ.get("FUZZ_CASES", "500"))


@pytest.mark.timeout(900)
def test_each_broken_file_is_answered_and_no_decoder_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = set(psutil.Process().children())
    report = fuzz(CASES, SEED)
    # To stderr: that is what pytest-xdist passes on of its workers.
    with capsys.disabled(), contextlib.redirect_stdout(sys.stderr):
        print_report(report)
    assert report.outcomes.total() == CASES
    assert report.outcomes["done"]
    assert report.outcomes["failed"]
    assert not report.outcomes["timed out"]
    assert not report.outcomes["crashed"]
    assert report.peak < DecoderLimits().growth
    assert set(psutil.Process().children()) == before


def test_the_files_that_are_broken_are_whole_before() -> None:
    sandbox = Sandbox(60)
    target: Target = next(cases(1, SEED)).target
    try:
        for data in originals().values():
            assert sandbox.convert(data, target)
    finally:
        sandbox.close()


def test_the_same_seed_gives_the_same_cases() -> None:
    first, again, other = (list(cases(30, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
