"""Runs the tests of the package for Kotlin, by Maven, on the oldest and the latest Java that the machine has.

kotlin_suite.py [CLASS...]    all tests, or those classes of them; the reports are counted
"""

from __future__ import annotations

import shutil
import subprocess
import sys

from host_java import homes, version_of
from host_kotlin import OUT, PROJECT
from hosts import HOSTS
from project import environment

REPORTS = OUT / "maven" / "surefire-reports"
COMPILER = "BindgenTest"
"""Spends a minute in the Kotlin compiler, whose output does not depend on the Java that runs it."""
SKIPPED = '<testsuite><testcase name="kotlin"><skipped message="{}"/></testcase></testsuite>'


def main(tests: list[str]) -> int:
    """Run the tests on each Java; 0 when all passed."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    if reason := HOSTS["kotlin"].missing():
        (REPORTS / "none").mkdir(parents=True)
        (REPORTS / "none" / "TEST-skipped.xml").write_text(SKIPPED.format(reason))
        return 0
    HOSTS["kotlin"].build()
    # The compiler leaves the classes of files that are gone.
    shutil.rmtree(OUT / "maven" / "test-classes", ignore_errors=True)
    oldest, latest = homes()[0], homes()[-1]
    code = 0
    for home in dict.fromkeys((oldest, latest)):
        first = home == oldest
        chosen = tests or ([] if first else [f"!{COMPILER}"])
        command = [
            "mvn",
            "--batch-mode",
            "--quiet",
            "--file",
            PROJECT / "pom.xml",
            f"-Dundergo.build={OUT}",
            f"-Djvm={home / 'bin' / 'java'}",
            f"-Dundergo.reports={REPORTS / str(version_of(home / 'bin' / 'javac'))}",
        ]
        command += [f"-Dtest={','.join(chosen)}"] if chosen else []
        # What the first run has compiled serves the other.
        command += ["test" if first else "surefire:test"]
        code = subprocess.run(list(map(str, command)), env=environment() | {"JAVA_HOME": str(oldest)}).returncode or code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
