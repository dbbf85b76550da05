"""A host with Debian's Postfix for `tlsrpt check`."""

import os
import subprocess

from harness import checked, delivery, domains, network, postfix, waiting
from harness.checked import RESOLV

SENDING = ("smtp", "tlsproxy", "qmgr", "trivial-rewrite", "pickup", "cleanup")  # the processes that a mail passes
ETC = "/etc/postfix"
CHROOT_RESOLV = postfix.QUEUE + RESOLV
MAIN_CF = ETC + "/main.cf"
ROUTE = 'server = "smtp://localhost:25"'


class PostfixHost(checked.Host):
    """Debian's Postfix with LIBRARY (None: its own), and `tlsrpt collect` at its socket, as the user of the units."""

    options = ["--postfix"]
    # As if some seconds were between two commands: Postfix waits while main.cf is less than two seconds old.
    before_commands = 'postfix() { touch -d @0 %s; command postfix "$@"; }\n' % MAIN_CF

    group = "postfix"
    kept = (ETC, CHROOT_RESOLV)

    def __init__(self, program, root, library, network_arguments, **settings):
        self.network = network.Network(**network_arguments)
        self.mta = postfix.Postfix(self.network, root, library, settings=dict(
            {"smtp_tls_policy_maps": "", "smtp_tlsrpt_socket_name": postfix.SOCKET}, **settings))
        self.root = self.mta.root
        self.set_up(program, os.path.join(postfix.QUEUE, postfix.SOCKET), ROUTE)
        self.mta.start()
        self.keep()

    def postconf(self, *words):
        """Changes the configuration; the running processes learn of it with the next reload or start."""
        self.mta.run("postconf", *words)
        self.age()

    def age(self):
        """The programs of Postfix wait while main.cf is less than two seconds old."""
        os.utime(self.path(MAIN_CF), (0, 0))

    def reload(self):
        """Has each process of Postfix read the present configuration."""
        self.age()
        if not self.runs():
            self.mta.run("postfix", "start")
            return
        old = [process for process in checked.processes() if checked.name_of(process) in SENDING]
        self.mta.run("postfix", "reload")
        waiting.until("the processes of Postfix to end", lambda: not set(old).intersection(checked.processes()))

    def reuses(self):
        """Whether smtp reuses connections, so that tlsproxy has the library."""
        return self.mta.run("postconf", "-h", "smtp_tls_connection_reuse").strip() == "yes"

    def runs(self):
        return subprocess.run(["chroot", self.root, "/usr/sbin/postfix", "status"], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def restore_server(self, changed):
        self.age()
        if not self.runs():
            self.mta.run("postfix", "start")

    def events_of_a_mail(self, domain=checked.DOMAIN):
        """Sends a mail with the present configuration, and counts the events that Postfix passed to the library without an
        error."""
        self.reload()
        mark = self.mta.mark()
        self.mta.send([domains.BY_NAME[domain].recipient])
        waiting.until("an attempt to deliver", lambda: delivery.outcomes(self.mta.log(mark), domain))
        found = delivery.reported(self.mta.log(mark))
        self.mta.forget_mails()
        return found

