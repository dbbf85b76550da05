"""The clock of the simulated day. Debian's libfaketime moves the clock of the day of the programs that it is loaded into.

A time namespace does not do: it moves only the clocks that count from the start of the machine, and the collector, the reporter and
PostgreSQL ask for the time of the day. The monotonic clock is left alone, so that timeouts and pauses are as long as in reality.
"""

import datetime
import glob
import os
import shutil
import subprocess

PACKAGE = "libfaketime"
# The folder of the clock in each root filesystem.
FOLDER = "/run/clock"
LIBRARY, OFFSET = "libfaketime.so", "offset"
UTC = datetime.timezone.utc
# Readers of the offset must not see a moment that is half written, nor remember an earlier one.
ENVIRONMENT = {
    "LD_PRELOAD": os.path.join(FOLDER, LIBRARY), "FAKETIME_TIMESTAMP_FILE": os.path.join(FOLDER, OFFSET), "FAKETIME_NO_CACHE": "1",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", "FAKETIME_DISABLE_SHM": "1"}


class Clock:
    """A clock that all programs of the site share. It begins at a time of tomorrow, when all certificates are valid."""

    def __init__(self, folder, root):
        self.folder = folder
        os.mkdir(folder)
        library, = glob.glob(root + "/usr/lib/*/faketime/libfaketimeMT.so.1")
        shutil.copyfile(library, os.path.join(folder, LIBRARY))
        self.offset = 0
        self.day = (datetime.datetime.now(UTC) + datetime.timedelta(days=1)).date()

    def set(self, hours, minutes=0, seconds=0, days=0):
        """Sets the clock to a time of the day that is simulated, or of one of the days after it."""
        self._set(datetime.datetime.combine(self.day, datetime.time(hours, minutes, seconds), UTC) + datetime.timedelta(days=days))

    def forward(self, minutes):
        self._set(self.now() + datetime.timedelta(minutes=minutes))

    def _set(self, wanted):
        if wanted < self.now():
            raise RuntimeError("the clock is %s already, and must not go back to %s" % (self.now(), wanted))
        self.offset = round((wanted - datetime.datetime.now(UTC)).total_seconds())
        path = os.path.join(self.folder, OFFSET)
        with open(path + ".new", "w") as target:
            target.write("+%d\n" % self.offset)
        os.rename(path + ".new", path)

    def now(self):
        return datetime.datetime.now(UTC) + datetime.timedelta(seconds=self.offset)

    def date(self, days=0):
        """The day that is simulated, or one after it, as the store has it: YYYYMMDD."""
        return int((self.day + datetime.timedelta(days=days)).strftime("%Y%m%d"))

    def is_after(self, hours, minutes, days):
        """Whether a time of a day has passed."""
        return self.now() >= datetime.datetime.combine(self.day, datetime.time(hours, minutes), UTC) + datetime.timedelta(days=days)

    def mount(self, root):
        """Puts the clock into a root filesystem."""
        os.makedirs(root + FOLDER, exist_ok=True)
        subprocess.run(["mount", "--bind", self.folder, root + FOLDER], check=True)
