"""Debian's packages of this project, in a booted mail host whose Postfix sends to the fake network."""

import contextlib
import os
import shutil
import threading

from harness import built_debian, delivery, domains, postfix, roots, service_manager, waiting

FOLDER = "/packages"
INSTALLED = ("libtlsrpt0", "tlsrpt")
CONFIGURATION, STORE = "/etc/tlsrpt/tlsrpt.toml", "/var/lib/tlsrpt"
COLLECTOR, REPORTER = service_manager.SERVICES
UNITS = (service_manager.SOCKET_UNIT, COLLECTOR, REPORTER)
DOMAIN, RECORD = "good.test", "v=TLSRPTv1;rua=mailto:tls@good.test"
# Debian's tools ask for terminals and answers with this frontend, and fail where there are none.
ASKING = "DEBIAN_FRONTEND=teletype"
APT = ["env", ASKING, "apt-get", "-o", "APT::Sandbox::User=root", "--yes", "--no-install-recommends"]
NEWER = "_newer.deb"
PAUSE = 0.05  # between mails


class MailHost:
    """A booted Debian with Postfix, and the packages in a folder."""

    def __init__(self, the_network, lower, packages):
        self.postfix = postfix.Postfix(the_network, lower)
        root = self.postfix.root
        shutil.copytree(packages, root + FOLDER)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(root + "/usr/sbin/policy-rc.d")
        self.postfix.run("postconf", "-e", *["%s=%s" % pair for pair in self.postfix.settings.items()])
        self.postfix.run("postconf", "-M", postfix.TLSPROXY)
        # Without this capability, systemd cannot take the network from a service, and starts it all the same.
        self.system = service_manager.System(root, self.postfix.folder, ["--resolv-conf=off", "--capability=CAP_NET_ADMIN"])
        self.run = self.system.run
        self.versions = {name: roots.package_version(root, name) for name in ("postfix", "systemd")}

    def apt(self, *arguments):
        return self.run(*APT, *arguments)

    def install(self, *names, options=()):
        """Installs packages of the folder, by their names."""
        return self.apt("install", *options, *["%s/%s" % (FOLDER, self.file(name)) for name in names])

    def file(self, name):
        """The file of a package as it was built: NAME; or of the newer one: NAME_VERSION."""
        found, = (file for file in os.listdir(self.postfix.root + FOLDER)
                  if file.startswith(name + "_") and file.endswith(NEWER) == ("_" in name))
        return found

    def install_older(self, configuration):
        """Installs the package that had the command before tlsrpt, as its users did."""
        self.run("sh", "-euc", 'mkdir -p "$(dirname "$0")"; printf %s "$1" >"$0"', CONFIGURATION, configuration)
        file, = os.listdir(os.path.join(self.postfix.root + FOLDER, built_debian.OLDER))
        self.apt("install", os.path.join(FOLDER, built_debian.OLDER, file))
        self.system.systemctl("enable", "--now", *UNITS)

    def make_newer(self, name):
        """Packs a package again with a higher version, and returns NAME_VERSION."""
        script = 'cd "$0" && rm -rf newer && dpkg-deb -R "$1" newer && sed -i "s/^Version: .*/&.1/" newer/DEBIAN/control && ' \
                 'version=$(sed -n "s/^Version: //p" newer/DEBIAN/control) && ' \
                 'dpkg-deb --root-owner-group -Zgzip -b newer "$2_${version}$3" >/dev/null && printf %s "$2_$version"'
        return roots.run(self.postfix.root, ["sh", "-euc", script, FOLDER, self.file(name), name, NEWER])

    def states(self):
        """The state of each unit."""
        return [self.system.property("ActiveState", unit) for unit in UNITS]

    def failed(self):
        return self.run("systemctl", "--failed", "--no-legend", "--plain").split()[:1]

    def send(self):
        self.postfix.send([domains.BY_NAME[DOMAIN].recipient])

    def send_events(self, number):
        """Sends events without a mail, and returns how many are in the store after them."""
        for _ in range(number):
            self.run("tlsrpt", "send", "--socket", service_manager.SOCKET, "--domain", DOMAIN, "--record", RECORD, "--success")
        self.system.wait_for_events(number)
        return self.system.counts()["events"]

    def sessions(self):
        """The sessions that Postfix logged and the library took."""
        return delivery.reported(self.postfix.log(0))

    def refused(self):
        """The sessions that Postfix logged and could not report."""
        return sum(delivery.NOT_REPORTED in line for line in self.postfix.log(0))

    def wait_for_events(self, lost=0):
        """Waits until the queue is empty and each session that the library took is in the store, but for LOST ones."""
        self.postfix.wait_until_idle()
        wanted = self.sessions() - lost
        self.system.wait_for_events(wanted)
        if self.system.counts()["events"] != wanted:
            raise RuntimeError("%d sessions, %s" % (wanted, self.system.counts()))
        return wanted

    @contextlib.contextmanager
    def mails(self):
        """Mails, one after the other, as long as the block runs: at least one before and one after its body."""
        end, sent, failures = threading.Event(), [], []

        def send():
            try:
                while not end.wait(PAUSE):
                    self.send()
                    sent.append(1)
            except Exception as failure:  # it is raised below, in the thread of the test
                failures.append(failure)
        sender = threading.Thread(target=send, daemon=True)
        before = self.sessions() + self.refused()
        sender.start()
        arrived = lambda number: waiting.until(
            "a mail", lambda: failures or self.sessions() + self.refused() > number)
        arrived(before)
        try:
            yield
            arrived(self.sessions() + self.refused() + 1)
        finally:
            end.set()
            sender.join()
        if failures:
            raise failures[0]

