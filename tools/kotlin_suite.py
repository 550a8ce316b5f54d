"""Runs the tests of the package for Kotlin, by Maven; its reports are counted."""

from __future__ import annotations

import shutil
import subprocess
import sys

from host_kotlin import OUT, PROJECT
from hosts import HOSTS
from project import environment

REPORTS = OUT / "maven" / "surefire-reports"
SKIPPED = '<testsuite><testcase name="kotlin"><skipped message="{}"/></testcase></testsuite>'


def main(tests: list[str]) -> int:
    """Run the tests, or those classes of them."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    if reason := HOSTS["kotlin"].missing():
        REPORTS.mkdir(parents=True)
        (REPORTS / "TEST-skipped.xml").write_text(SKIPPED.format(reason))
        return 0
    command = ["mvn", "--batch-mode", "--quiet", "--file", PROJECT / "pom.xml", f"-Dundergo.build={OUT}", "test"]
    command += [f"-Dtest={','.join(tests)}"] if tests else []
    return subprocess.run(list(map(str, command)), env=environment()).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
