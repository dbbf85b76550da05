"""The disk of a machine: an ext4 file system on a loop device, which keeps after a power cut what was synchronized and no more.

The kernel is asked to shut the file system down without writing its journal, as the tests of ext4 do. All that programs had
written and not synchronized is lost then, which killing them does not do.
"""

import fcntl
import os
import struct
import subprocess

SIZE = "1G"  # the file has holes: it takes the memory of what is written
SHUTDOWN, WITHOUT_THE_JOURNAL = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH
SYNCHRONIZED, NOT_SYNCHRONIZED = "synchronized", "not-synchronized"


class Disk:
    """A disk that is mounted at a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.image = folder + ".disk"
        os.mkdir(folder)
        subprocess.run(["truncate", "--size", SIZE, self.image], check=True)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.folder], check=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def cut(self):
        """Cuts its power. Two files show at the next start that this loses what is not synchronized, and only that."""
        for name in (SYNCHRONIZED, NOT_SYNCHRONIZED):
            with open(self.path(name), "w") as target:
                target.write(name)
                target.flush()
                if name == SYNCHRONIZED:
                    os.fsync(target.fileno())
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_THE_JOURNAL))
        finally:
            os.close(folder)

    def mount_again(self):
        """Mounts it after a power cut."""
        self.mount()
        found = []
        for name in (SYNCHRONIZED, NOT_SYNCHRONIZED):
            path = self.path(name)
            found.append(os.path.exists(path) and os.path.getsize(path) > 0)
            if os.path.exists(path):
                os.unlink(path)
        if found != [True, False]:
            raise RuntimeError("the power cut of %s left the synchronized file: %s, the other: %s" % (self.folder, *found))

    def synchronize(self):
        subprocess.run(["sync", "--file-system", self.folder], check=True)
