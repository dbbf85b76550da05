"""A Debian host with Postfix that systemd booted, with this project's units, for `tlsrpt check`."""

import os
import subprocess

from harness import checked, postfix, service_manager
from harness.scenario import Problem

DROP_INS = "/etc/systemd/system/tlsrpt.socket.d"
QUEUE_FILE = "packaging/systemd/postfix-queue.conf"
CONFIGURATION = "/etc/tlsrpt/tlsrpt.toml"
SOCKET = os.path.join(postfix.QUEUE, postfix.SOCKET)
POSTFIX = ("myhostname=%s" % postfix.HOSTNAME, "smtp_tls_security_level=may", "smtp_tlsrpt_enable=yes",
           "smtp_tlsrpt_socket_name=" + postfix.SOCKET)
RESTART = "systemctl restart tlsrpt.socket tlsrpt-collect"
NO_SENDER = "no reports are made"
STOP = "systemctl stop tlsrpt.socket tlsrpt-collect"


class UnitsHost(checked.Host):
    """Postfix in a chroot and the socket below its queue folder, as the documentation sets both up. Pasted commands ask the real
    systemd."""

    options = ["--postfix"]

    def __init__(self, lower, installed, mountpoint, checkout):
        self.system = service_manager.installed_system(lower, installed, mountpoint)
        with open(os.path.join(checkout, QUEUE_FILE)) as source:
            self.queue_file = source.read()
        self.shell("echo %s >/proc/sys/net/unix/max_dgram_qlen" % checked.USUAL_LENGTH)
        self.shell("postconf -e %s; systemctl enable tlsrpt.socket tlsrpt-collect" % " ".join(POSTFIX))
        self.restore()

    def path(self, name):
        return self.system.path(name)

    def shell(self, commands):
        try:
            return self.system.run("bash", "-ec", commands)
        except RuntimeError as failure:
            journal = self.system.run("journalctl", "--no-pager", "--output=cat", "--lines=20", check=False)
            raise RuntimeError("%s\n%s" % (failure, journal)) from None

    def tlsrpt(self, *words):
        run = subprocess.run(["nsenter", "--target", str(self.system.first), "--all", "--", "tlsrpt"] + list(words),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if run.stderr:
            raise Problem("tlsrpt %s prints on standard error: %s" % (words[0], run.stderr.decode("utf-8", "replace")))
        return run.returncode, run.stdout.decode()

    def check(self, *options):
        """Without the finding that tlsrpt.toml, which is not there, names no sender of reports, and without findings about
        signatures, which need a zone."""
        code, findings = super().check(*options)
        return code, [finding for finding in findings if not finding["check"].startswith("dkim")
                      and NO_SENDER not in finding["message"]]

    def starts_again(self):
        self.shell(RESTART)
        return True

    def drop_in(self, change):
        """The drop-in of the socket's unit with a change of its text, and the units started anew."""
        self.without_drop_in()
        self.shell(STOP)
        self.write(os.path.join(DROP_INS, "postfix-queue.conf"), change(self.queue_file))
        self.shell("systemctl daemon-reload; " + RESTART)

    def without_drop_in(self):
        """The socket's unit as it is installed. It removes its old socket only before it learns of another path."""
        self.shell("%s; rm -rf %s; systemctl daemon-reload; %s" % (STOP, DROP_INS, RESTART))

    def restore(self):
        self.shell("systemctl kill --signal=CONT tlsrpt-collect || true; rm -rf %s" % CONFIGURATION)
        self.shell("%s; rm -rf %s" % (STOP, SOCKET))
        self.drop_in(lambda text: text)
        self.shell("chmod 755 %s; %s; systemctl start postfix" % (os.path.dirname(SOCKET), RESTART))


