"""Faults of the collector, its store and its socket, for `tlsrpt check --postfix`."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys

from harness import checked, installed, postfix, roots
from harness.check_faults import PASTE, Fault
from harness.checked import FAIL, WARN

SOCKET = "%s/%s" % (postfix.QUEUE, postfix.SOCKET)
FOLDER = os.path.dirname(SOCKET)
OUTSIDE = "/run/tlsrpt/tlsrpt.sock"  # as systemd's socket unit has it
OTHER = os.path.join(FOLDER, "collector.sock")
held = []  # sockets that stay open
SMALL, LARGE = 4 << 20, 1 << 30
OTHER_DATABASE = os.path.join(installed.STORE_FOLDER, "other.db")
READ = "import socket; reader = socket.socket(fileno=0)\nwhile True: reader.recv(65536)"


def no_collector(host):
    host.end_collector()
    if os.path.lexists(host.path(host.ours.socket)):
        os.unlink(host.path(host.ours.socket))


def kill_collector(host):
    host.end_collector(signal.SIGKILL)


def in_place_of_the_socket(make):
    """Ends the collector and puts something else at its path."""
    def plant(host):
        no_collector(host)
        make(host.path(SOCKET))
    return plant


def a_file(path):
    with open(path, "w"):
        os.chmod(path, 0o666)


def a_stream_socket(path):
    held.append(checked.bind(path, socket.SOCK_STREAM))
    held[-1].listen()


def foreign_program(host):
    """Another program reads the events, and does nothing with them."""
    no_collector(host)
    path = host.path(host.ours.socket)
    reader = checked.bind(path, socket.SOCK_DGRAM, 0o660)
    os.chown(path, 0, host.group_number())
    held.append(subprocess.Popen([sys.executable, "-c", READ], stdin=reader))
    reader.close()


def end_foreign_program(host):
    held.pop().kill()


def other_store(host):
    """The store was moved in the configuration, and the collector was not started since."""
    host.configure(lambda text: text.replace(installed.DATABASE, OTHER_DATABASE))


def hang(host):
    """The collector is stopped, as by a debugger or a frozen container, and its queue is full."""
    host.stop_collector()
    checked.fill(host.path(SOCKET))


def hang_without_events(host):
    host.stop_collector()


def wake(host):
    host.collector(signal.SIGCONT)


def elsewhere(path):
    """The collector listens at another path."""
    def plant(host):
        no_collector(host)
        host.collect_at(path)
    return plant


def link_out_of_chroot(host):
    """The collector listens outside, and a link in the chroot names its socket: a process in the chroot follows it there."""
    elsewhere(OUTSIDE)(host)
    os.symlink(OUTSIDE, host.path(SOCKET))


def mode(path, bits):
    return lambda host: os.chmod(host.path(path), bits)


def owner(path, owner_and_group):
    return lambda host: roots.run(host.root, ["chown", owner_and_group, path])


def no_folder(host):
    no_collector(host)
    shutil.rmtree(host.path(FOLDER))


def own_file_system(host, size, then):
    """Moves the store to a file system of its own, and starts the collector there."""
    host.end_collector()
    folder = host.path(installed.STORE_FOLDER)
    saved = folder + ".kept"
    shutil.copytree(folder, saved)
    host.shell("mount -t tmpfs -o size=%d tmpfs %s && cp -a %s.kept/. %s && chown -R %s: %s" % (
        size, installed.STORE_FOLDER, installed.STORE_FOLDER, installed.STORE_FOLDER, checked.USER, installed.STORE_FOLDER))
    shutil.rmtree(saved)
    host.start_collector()
    host.shell(then)


def full_store(host):
    own_file_system(host, SMALL, "dd if=/dev/zero of=%s/other bs=64k 2>/dev/null || true" % installed.STORE_FOLDER)


def read_only_store(host):
    """The file system turned read-only, as after an error of the disk."""
    own_file_system(host, LARGE, "true")
    host.end_collector()
    host.shell("mount -o remount,ro " + installed.STORE_FOLDER)
    with contextlib.suppress(RuntimeError):
        host.start_collector()  # it waits for the store, or ends


def usual_store(host):
    host.end_collector(signal.SIGKILL)
    host.shell("umount -l " + installed.STORE_FOLDER)


def short_queue(host):
    """The system's default of many kernels, which each socket keeps that is created meanwhile."""
    with open(checked.QUEUE_LENGTH, "w") as length:
        length.write("10")
    host.end_collector()
    host.start_collector()


def usual_queue(host):
    with open(checked.QUEUE_LENGTH, "w") as length:
        length.write(checked.USUAL_LENGTH)
    host.end_collector()


# Of the collector behind any mail server.
OF_ANY_SERVER = (
    Fault("no collector", no_collector, {"socket": FAIL}, "nothing at", "systemctl restart tlsrpt-collect", PASTE, silent=True),
    Fault("the collector was killed and left its socket", kill_collector, {"listener": FAIL}, "nobody listens",
          "systemctl restart tlsrpt-collect", PASTE, silent=True),
    Fault("the collector hangs, and no event has come yet", hang_without_events, {"collector": FAIL}, "stopped", "kill -CONT",
          PASTE),
    Fault("the disk of the store is full", full_store, {"store": FAIL}, "full", "df -h", usual_store),
)

COLLECTOR = OF_ANY_SERVER + (
    Fault("the collector hangs and its queue is full", hang, {"collector": FAIL, "queue now": FAIL}, "stopped", "kill -CONT", wake,
          silent=True),
    Fault("another program reads the socket", foreign_program, {"collector": WARN}, "python", "kill ", PASTE, end_foreign_program),
    Fault("the collector has another store than the configuration, found with --send", other_store, {"stored": FAIL},
          OTHER_DATABASE, "systemctl restart tlsrpt-collect", PASTE, options=["--postfix", "--send"]),
    Fault("the disk of the store is read-only", read_only_store, {"store": FAIL}, "read-only", "mount -o remount,rw", PASTE,
          usual_store),
    Fault("a queue for 10 datagrams", short_queue, {"queue length": WARN}, "10", "sysctl", usual_queue),
)

PLACES = (
    Fault("the collector listens outside of the chroot", elsewhere(OUTSIDE), {"socket": FAIL, "elsewhere": WARN}, SOCKET,
          "socket-group", PASTE, silent=True),
    Fault("the collector listens at another name in the chroot", elsewhere(OTHER), {"socket": FAIL, "elsewhere": WARN}, SOCKET,
          "postconf -e smtp_tlsrpt_socket_name=run/tlsrpt/collector.sock", PASTE, silent=True),
    Fault("a symbolic link that leads out of the chroot", link_out_of_chroot, {"link": FAIL}, OUTSIDE, "", PASTE, silent=True),
    Fault("a file in place of the socket", in_place_of_the_socket(a_file), {"socket": FAIL}, "not a socket", "rm ", PASTE,
          silent=True),
    Fault("a folder in place of the socket", in_place_of_the_socket(os.mkdir), {"socket": FAIL}, "not a socket", "rmdir ", PASTE,
          silent=True),
    Fault("a stream socket in place of the socket", in_place_of_the_socket(a_stream_socket), {"socket": FAIL}, "datagram", "mv -T ",
          PASTE, silent=True),
    Fault("no folder", no_folder, {"directories": FAIL, "socket": FAIL}, FOLDER, "", PASTE, silent=True),
)


def permissions(path, group):
    """Of a socket, which is for the group of the mail server."""
    folder, to_group = os.path.dirname(path), "chgrp " + group
    return (
        Fault("a closed folder", mode(folder, 0o700), {"directories": FAIL}, folder, to_group, PASTE, silent=True),
        Fault("a closed socket", mode(path, 0o600), {"permission": FAIL}, path, to_group, PASTE, silent=True),
        Fault("the socket has another group", owner(path, ":daemon"), {"permission": FAIL}, "daemon", to_group, PASTE, silent=True),
        Fault("everybody may write to the socket", mode(path, 0o666), {"permission": WARN}, "everybody", "chmod", PASTE),
    )


PERMISSIONS = permissions(SOCKET, "postfix") + (
    Fault("everybody may replace the socket", mode(FOLDER, 0o777), {"directories": WARN}, "everybody", "chmod", PASTE),
    Fault("everybody may write to the socket and replace it", lambda host: [mode(FOLDER, 0o777)(host), mode(SOCKET, 0o666)(host)],
          {"directories": WARN, "permission": WARN}, "everybody", "chmod"),
)

ALL = COLLECTOR + PLACES + PERMISSIONS
