"""What GitHub runs: a workflow that it accepts, of scripts that are there."""

from __future__ import annotations

import re
import subprocess
import sys

from bench.launch import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "check.yml"


def test_github_accepts_the_workflow() -> None:
    result = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.github-workflows", str(WORKFLOW)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_workflow_runs_scripts_that_are_there() -> None:
    scripts = re.findall(r"run: (script/\w+)", WORKFLOW.read_text("utf-8"))
    assert scripts == ["script/check", "script/test"]
    for script in scripts:
        assert (ROOT / script).stat().st_mode & 0o111
