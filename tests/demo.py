#!/usr/bin/env python3
"""Checks what `make demo` prints and leaves behind.

    tests/demo.py MAKE ARGUMENT...      runs MAKE ARGUMENT... demo

The temporary folder of the demo has a space in its name. For a folder of sources with spaces, see tests/makefile.sh.
"""

import os
import re
import subprocess
import sys
import tempfile

LINES, COLUMNS = 60, 80
TIMEOUT = 1800  # only a demo that hangs takes so long, also when it builds all
MISSING = "no-such-compiler"
# Lines of the mail and of the report in it: what RFC 8460, Appendix B has.
SHOWN = [
    "To: reports@company-y.example",
    "Subject: Report Domain: company-y.example Submitter: company-x.example",
    r"company-x\.example!company-y\.example!\d+!\d+\.json\.gz",
    '"organization-name": "Company-X",',
    '"total-successful-session-count": 5326,',
    '"total-failure-session-count": 303',
    r'\{"result-type": "certificate-expired", "failed-session-count": 100\},',
    "tlsrpt: 5636 datagrams arrived: 5636 events, 0 invalid, 0 dropped, 0 lost",
]


def main():
    command = sys.argv[1:]
    faults = {"what it prints": judged(run(command)),
              "a step that fails": judged_failing(run(command, CC=MISSING))}
    for what, found in faults.items():
        for fault in found:
            print("demo: %s: %s" % (what, fault))
    failed = sum(bool(found) for found in faults.values())
    print("demo: %d passed, %d failed" % (len(faults) - failed, failed))
    return 1 if failed else 0


def run(command, **changes):
    """Standard output, standard error, what is left, and the exit code."""
    with tempfile.TemporaryDirectory() as outer:
        folder = os.path.join(outer, "a b")
        os.mkdir(folder)
        done = subprocess.run(command + ["demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=TIMEOUT,
                              env=dict(os.environ, TMPDIR=folder, **changes))
        return done.stdout, done.stderr, os.listdir(folder) + working_below(folder), done.returncode


def working_below(folder):
    """The processes that work in a folder, also in one that is removed."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/cwd" % process).startswith(folder):
                found.append("process " + process)
        except OSError:
            pass  # another user's, or one that has ended
    return found


def judged(ran):
    out, error, left, code = ran
    lines = without_make(out)
    faults = ["exit code %d" % code] if code else []
    if error:
        faults.append("says on standard error: " + error)
    if left:
        faults.append("leaves %s" % left)
    if len(lines) > LINES:
        faults.append("%d lines, more than %d" % (len(lines), LINES))
    faults += ["%d columns: %s" % (len(line), line) for line in lines if len(line) > COLUMNS]
    faults += ["no sentence before: " + line for before, line in zip(lines, lines[1:])
               if line.startswith("$ ") and not re.match(r"\S.*[.:]$", before)]
    stripped = [line.strip() for line in lines]
    faults += ["does not show: " + wanted for wanted in SHOWN
               if not any(wanted == line or re.fullmatch(wanted, line) for line in stripped)]
    return faults


def without_make(out):
    """The lines without those in which make names its folder."""
    return [line for line in out.splitlines() if not re.match(r"make(\[\d+\])?: (Entering|Leaving) directory", line)]


def judged_failing(ran):
    out, error, left, code = ran
    faults = [] if code else ["exit code 0"]
    if MISSING not in error:
        faults.append("does not show the output of the step: " + error)
    if "$ " in out:
        faults.append("goes on: " + out)
    return faults + (["leaves %s" % left] if left else [])


if __name__ == "__main__":
    sys.exit(main())
