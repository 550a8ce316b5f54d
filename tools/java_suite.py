"""Runs the tests of the package for Java with its jar, by Maven, on the oldest and the latest Java that the machine has.

java_suite.py [CLASS...]    all tests, or those classes of them; the reports are counted
"""

from __future__ import annotations

import shutil
import subprocess
import sys

from host_java import OUT, PROJECT, homes, version_of
from hosts import HOSTS
from project import environment

REPORTS = OUT / "maven" / "surefire-reports"
SKIPPED = '<testsuite><testcase name="java"><skipped message="{}"/></testcase></testsuite>'


def main(tests: list[str]) -> int:
    """Run the tests on each Java; 0 when all passed."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    if reason := HOSTS["java"].missing():
        (REPORTS / "none").mkdir(parents=True)
        (REPORTS / "none" / "TEST-skipped.xml").write_text(SKIPPED.format(reason))
        return 0
    HOSTS["java"].build()
    oldest, latest = homes()[0], homes()[-1]
    code = 0
    for home in dict.fromkeys((oldest, latest)):
        command = [
            "mvn",
            "--batch-mode",
            "--quiet",
            "--file",
            PROJECT / "pom.xml",
            f"-Dundergo.build={OUT}",
            f"-Djvm={home / 'bin' / 'java'}",
        ]
        command += [f"-Dundergo.reports={REPORTS / str(version_of(home / 'bin' / 'javac'))}"]
        command += [f"-Dtest={','.join(tests)}"] if tests else []
        command += ["resources:testResources", "compiler:testCompile", "surefire:test"]
        code = subprocess.run(list(map(str, command)), env=environment() | {"JAVA_HOME": str(oldest)}).returncode or code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
