"""Containers without Docker: root filesystems with folders of the host, and a command `docker` that runs programs in them."""

import contextlib
import json
import os
import shlex
import signal
import subprocess

from harness import roots

# What the documentation has of docker: `exec`, and through compose also `run`, which is the same here, and others that only say
# that they were asked.
DOCKER = """#!/bin/sh
set -eu
[ "$1" != compose ] || shift
case $1 in
up | restart | start | stop) echo "asked: $*"; exit ;;
exec | run) shift ;;
*) echo "docker: this test has no $1" >&2; exit 64 ;;
esac
user=
while :; do
    case $1 in
    -T | --rm) shift ;;
    --user) user=$2:$2; shift 2 ;;
    *) break ;;
    esac
done
container=%s/$1
shift
[ -n "$user" ] || user=$(cat "$container.user")
exec chroot "$(cat "$container.root")" setpriv --reuid "${user%%:*}" --regid "${user#*:}" --clear-groups -- "$@"
"""


class Docker:
    """The host of the containers: its folder, where the commands of the documentation run, and the containers by name."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "host")
        self.state = os.path.join(folder, "containers")
        for path in (self.folder, self.state):
            os.mkdir(path)
        with open(os.path.join(self.state, "docker"), "w") as script:
            script.write(DOCKER % shlex.quote(self.state))
        os.chmod(script.name, 0o755)

    def add(self, name, root, user="0:0"):
        """Makes a root filesystem a container of this name, whose programs run as USER ("number:number")."""
        for what, text in (("root", root), ("user", user)):
            with open(os.path.join(self.state, "%s.%s" % (name, what)), "w") as target:
                target.write(text)

    def run(self, commands, check=True):
        """Runs commands of the shell in the host's folder, and returns their output."""
        environment = {"PATH": self.state + ":" + roots.PATH, "LC_ALL": "C.UTF-8"}
        outcome = subprocess.run(["sh", "-euc", commands], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
        if check and outcome.returncode != 0:
            raise RuntimeError("%s\nended with %d:\n%s" % (commands, outcome.returncode, outcome.stdout))
        return outcome.stdout

    def json(self, commands):
        """The JSON that a command prints, whatever its exit code says."""
        return json.loads(self.run(commands, check=False))

    def mount(self, root, volumes):
        """Mounts folders and files of the host, ["PLACE:PLACE"] or ["PLACE:PLACE:ro"], into a root filesystem."""
        for volume in volumes:
            source, place, *read_only = volume.split(":")
            source, target = os.path.join(self.folder, source), root + place
            if os.path.isdir(source):
                os.makedirs(target, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "a"):
                    pass
            subprocess.run(["mount", "--bind", source, target], check=True)
            if read_only:
                subprocess.run(["mount", "-o", "remount,bind,ro", target], check=True)


def end(root):
    """Kills all processes in a root filesystem, as the end of a container's first process does."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink("/proc/%s/root" % process) == root:
                os.kill(int(process), signal.SIGKILL)


def set_sysctls(settings):
    """Sets ["NAME=VALUE"] in the network namespace of this process."""
    for setting in settings:
        name, _, value = setting.partition("=")
        with open("/proc/sys/" + name.replace(".", "/"), "w") as target:
            target.write(value)


def start(root, user, arguments, log):
    """Starts the first program of a container, as USER ("number:number")."""
    number, _, group = user.partition(":")
    with open(log, "a") as messages:
        return subprocess.Popen(
            ["chroot", root, "setpriv", "--reuid", number, "--regid", group, "--clear-groups", "--"] + arguments,
            env={"PATH": roots.PATH}, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)
