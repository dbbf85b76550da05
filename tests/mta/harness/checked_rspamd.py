"""A host with Debian's Postfix whose report mails Rspamd signs, for `tlsrpt check`."""

import os

from harness import certificates, checked_milter, roots

FOLDER = "/etc/rspamd/"
CONFIGURATION, OVERRIDE = FOLDER + "local.d/dkim_signing.conf", FOLDER + "override.d/dkim_signing.conf"
KEYS = "/var/lib/rspamd/dkim"
KEY = "%s/%s.%s.key" % (KEYS, certificates.MAIL_HOST, checked_milter.SELECTOR)
# As Rspamd's documentation sets up a milter without other workers.
PROXY = 'milter = yes;\ntimeout = 120s;\nupstream "local" {\n  default = yes;\n  self_scan = yes;\n}\n'
# The list of all public suffixes takes Rspamd 12 s to compile.
SUFFIXES = FOLDER + "suffixes"
OPTIONS = 'disable_hyperscan = true;\nurl_tld = "%s";\n' % SUFFIXES
OFF = "enabled = false;\n"
WORKERS = ("normal", "controller", "fuzzy")
# The modules that sign. The others ask servers of the network, and compile their patterns for seconds.
MODULES = {"dkim.conf", "dkim_signing.conf"}
SECTION = 'domain {\n  %s {\n    path = "%s";\n    selector = "%s";\n  }\n}\n'
TEXT = SECTION % (certificates.MAIL_HOST, KEY, checked_milter.SELECTOR)


class RspamdHost(checked_milter.MilterHost):
    """Rspamd's module dkim_signing has a section for the domain."""

    name, user = "Rspamd", "_rspamd"
    address, configuration, text, key = ("127.0.0.1", 11332), CONFIGURATION, TEXT, KEY
    tables = (OVERRIDE,)
    command = ("rspamd", "-f", "-u", user, "-g", user)

    def prepare(self):
        roots.run(self.root, ["install", "--directory", "--owner", self.user, "/run/rspamd"])
        roots.run(self.root, ["chmod", "755", os.path.dirname(KEYS), KEYS])
        self.write(FOLDER + "local.d/worker-proxy.inc", PROXY)
        self.write(SUFFIXES, "test\n")
        self.write(FOLDER + "local.d/options.inc", OPTIONS)
        for worker in WORKERS:
            self.write("%slocal.d/worker-%s.inc" % (FOLDER, worker), OFF)
        for module in set(os.listdir(self.path(FOLDER + "modules.d"))) - MODULES:
            self.write("%soverride.d/%s" % (FOLDER, module), OFF)
