"""Faults of the units of systemd, for `tlsrpt check --postfix`. What is pasted has to hold when the units start again, too."""

import os

from harness.check_faults import PASTE, Fault
from harness.checked import FAIL, WARN
from harness.checked_units import CONFIGURATION, DROP_INS, RESTART, SOCKET, STOP

FOLDER = os.path.dirname(SOCKET)
REPORT = ("[report]", 'organization = "A"', 'contact = "a@mail.test"', 'from = "b@mail.test"')
OUTSIDE = "/run/tlsrpt/tlsrpt.sock"


def run(commands):
    return lambda host: host.shell(commands)


def unit(before, after):
    """Another text in the drop-in of the socket's unit."""
    return lambda host: host.drop_in(lambda text: text.replace(before, after))


ALL = (
    Fault("the units are stopped", run(STOP), {"socket": FAIL}, SOCKET, RESTART, PASTE),
    Fault("the file of the socket was removed, and the units run", run("rm " + SOCKET), {"socket": FAIL}, SOCKET, RESTART, PASTE),
    Fault("the drop-in for the chroot is missing", lambda host: host.without_drop_in(), {"socket": FAIL, "elsewhere": WARN}, SOCKET,
          DROP_INS, PASTE),
    Fault("the socket has another group", unit("SocketGroup=postfix", "SocketGroup=daemon"), {"permission": FAIL}, "daemon",
          "chgrp postfix", PASTE),
    Fault("everybody may write to the socket", unit("SocketGroup=postfix", "SocketGroup=postfix\nSocketMode=0666"),
          {"permission": WARN}, "everybody", "chmod 0660", PASTE),
    Fault("a closed folder", run("chmod 700 " + FOLDER), {"directories": FAIL}, FOLDER, "chmod", PASTE),
    Fault("a symbolic link that leads out of the chroot", lambda host: [host.without_drop_in(), host.shell(
        "ln -s %s %s" % (OUTSIDE, SOCKET))], {"link": FAIL}, OUTSIDE, DROP_INS, PASTE),
    Fault("the collector is stopped", run("systemctl kill --signal=STOP tlsrpt-collect"), {"collector": FAIL}, "stopped",
          "kill -CONT", PASTE),
    Fault("tlsrpt.toml names the sender of reports, and the reporter was not started since",
          run("systemctl enable tlsrpt-deliver; mkdir -p %s; printf '%%s\\n' %s >%s" % (
              os.path.dirname(CONFIGURATION), " ".join("'%s'" % line for line in REPORT), CONFIGURATION)),
          {"reports": WARN}, "does not run", "systemctl restart tlsrpt-deliver", PASTE,
          after=run("systemctl disable --now tlsrpt-deliver")),
    Fault("Postfix does not run", run("systemctl stop postfix"), {"running": FAIL}, "does not run", "postfix", PASTE),
)
