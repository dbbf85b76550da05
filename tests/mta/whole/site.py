"""The site of the whole proof: three machines with mail servers, a machine with the database, and the rest of the network."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

from harness import command, delivery, domains, exim, expected, network, postfix, report_sinks, sendmail, waiting
from whole import clock, database, machine, names, sts
from whole.host import Host

PACKAGES = [clock.PACKAGE, database.PACKAGE, sts.PACKAGE] + names.PACKAGES
C_LIBRARY, OURS, EXIM, SENDMAIL = "mail1", "mail2", "mail3, Exim", "mail3, Sendmail"
# Without a connection, Exim knows no address of its own, which RFC 8460 requires of a failure.
WITHOUT_CONNECTION = "dane-only-none.test"
ALL = list(domains.BY_NAME)
# The event of a mail from each server to each domain.
TABLES = {C_LIBRARY: expected.POSTFIX, OURS: expected.POSTFIX_WITH_PLUGIN,
          EXIM: {name: event for name, (_, event) in expected.EXIM.items() if name != WITHOUT_CONNECTION},
          SENDMAIL: {name: event for name, (_, event) in expected.SENDMAIL.items()}}
# The address that a server's connections over IPv4 come from.
ADDRESSES = {C_LIBRARY: "127.0.0.1", OURS: network.SECOND_CLIENT, EXIM: "127.0.0.1", SENDMAIL: "127.0.0.1"}


def records():
    """The TLSRPT records: each domain has a mailbox of its own, at its own mail server, unless it takes its reports by HTTPS alone or
    its record is a special one."""
    found = {domain.name: domains.record("mailto:reports@" + domain.name) for domain in domains.DOMAINS
             if domain.record == domains.record(domains.REPORTS_BY_MAIL)}
    found[report_sinks.BAD_SINK] = domains.record(report_sinks.BAD_SINK_URI)
    return found


def record(name):
    """The text of the one TLSRPT record of a domain, or none."""
    texts = [text for text in records().get(name, domains.BY_NAME[name].record) if text.startswith("v=TLSRPTv1")]
    return texts[0] if len(texts) == 1 else None


class Site:
    """All of it, started. LIBRARIES are the C library and ours; ROOTS has root filesystems for `postfix` (which has all of
    PACKAGES), `exim` and `sendmail`."""

    def __init__(self, program, libraries, roots, module, packaged, checkout, network_arguments):
        self.network = the_network = names.SignedNetwork(roots["postfix"], records(), **network_arguments)
        self.clock = the_clock = clock.Clock(os.path.join(the_network.folder, "clock"), roots["postfix"])
        self.clock.set(6)
        self.sinks = report_sinks.Sinks(the_network)
        self.mail1, self.mail2, self.mail3, self.db = self.machines = [
            machine.Machine(the_network, the_clock, name) for name in ("mail1", "mail2", "mail3", "db")]
        self.database = database.Database(self.db, roots["postfix"], the_network, checkout)
        self.postfixes, self.hosts = [], []
        for number, (one, library) in enumerate(zip((self.mail1, self.mail2), libraries)):
            address = [ADDRESSES[C_LIBRARY], ADDRESSES[OURS]][number]
            host = postfix.Postfix(the_network, roots["postfix"], library, one.part("postfix", roots["postfix"]), {
                "inet_interfaces": address, "smtp_bind_address": address, "mynetworks": "127.0.0.0/8"})
            self.postfixes.append(host)
            self.hosts.append(Host(one, "postfix", program, the_network, self.database, os.path.join(postfix.QUEUE, postfix.SOCKET),
                                   "postfix", 'server = "smtp://%s:25"' % address))
        self.hosts[1].take_key(self.hosts[0])
        sts.serve(self.hosts[1].root, the_network)
        self.postfixes[1].settings.update(sts.install(self.postfixes[1]))
        self.exim = exim.Exim(the_network, roots["exim"], module, self.mail3.part("exim", roots["exim"]))
        self.sendmail = sendmail.Sendmail(the_network, roots["sendmail"], packaged, self.mail3.part("sendmail", roots["sendmail"]))
        self.hosts.append(Host(self.mail3, "exim", program, the_network, self.database, exim.SOCKET, "Debian-exim",
                               'server = "smtp://127.0.0.1:25"'))
        self.mail3.share(os.path.dirname(self.exim.socket), os.path.dirname(self.sendmail.socket))
        for one in (self.mail1, self.mail2, self.mail3):
            one.ready()
        self.part_of_day = None
        self.sent = {}  # {(part of the day, server, domain): number of mails}
        self.database.start().create()
        self.start_hosts()

    def start_hosts(self, mail_servers=True):
        """Starts what runs on the three mail hosts: the collectors, reporters on two of them, and the mail servers if wanted."""
        for host in self.hosts:
            host.collect()
        for host in self.hosts[:2]:
            host.report()
        if not mail_servers:
            return
        sts.start(self.mail2, self.hosts[1].root)
        for host in self.postfixes:
            host.start()
        # Exim has processes during deliveries only, and Sendmail is started for each mail here.
        before = self.mail3.said("sendmail-map").count(command.LISTENING)
        self.mail3.start("sendmail-map", self.sendmail.root, [sendmail.COMMAND, "sendmail-map", "--listen", "unix:" + sendmail.MAP])
        waiting.until("the map server", lambda: self.mail3.said("sendmail-map").count(command.LISTENING) > before)

    def send(self, wanted=None):
        """Sends a mail from each server to each of the domains, and waits until the collectors have kept all events."""
        before = [host.count() for host in self.hosts]
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(one, wanted or ALL) for one in (
                    lambda to: self._send_by_postfix(0, to), lambda to: self._send_by_postfix(1, to), self._send_by_exim,
                    self._send_by_sendmail)]:
                done.result()
        for host, servers, first in zip(self.hosts, ([C_LIBRARY], [OURS], [EXIM, SENDMAIL]), before):
            number = sum(TABLES[server].get(name, expected.NONE) != expected.NONE for server in servers for name in wanted or ALL)
            try:
                waiting.until("%d events of %s" % (number, host.name), lambda: host.count() - first >= number)
            except waiting.Timeout as timeout:
                raise RuntimeError("%s: there are %d; tlsrpt collect said:\n%s" % (
                    timeout, host.count() - first, host.machine.said("collect"))) from None

    def queue(self, wanted):
        """Has each Postfix take a mail to each of the domains when it does not run."""
        for host, server in zip(self.postfixes, (C_LIBRARY, OURS)):
            host.stop()
            for name in wanted:
                host.send([domains.BY_NAME[name].recipient])
            self._count(server, wanted)

    def _count(self, server, wanted):
        for name in wanted:
            key = (self.part_of_day, server, name)
            self.sent[key] = self.sent.get(key, 0) + 1

    def _send_by_postfix(self, number, wanted):
        delivery.deliver(self.postfixes[number], self.hosts[number], wanted)
        self._count([C_LIBRARY, OURS][number], wanted)

    def _send_by_exim(self, wanted):
        # The time at which it tries again after a failure has passed since the last round.
        shutil.rmtree(self.exim.root + "/var/spool/exim4/db", ignore_errors=True)
        wanted = [name for name in wanted if name in TABLES[EXIM]]
        for name in wanted:
            self.exim.send(name)
        self._count(EXIM, wanted)

    def _send_by_sendmail(self, wanted):
        for name in wanted:
            self.sendmail.send(name)
        self._count(SENDMAIL, wanted)

    def require_libraries(self):
        """Raises RuntimeError unless each Postfix has loaded its library."""
        for host in self.postfixes:
            host.require_library("smtp")

    def expected_sessions(self):
        """The number of sessions that the mails up to now have made."""
        return sum(number for (_, server, name), number in self.sent.items() if TABLES[server][name] != expected.NONE)

    def said(self):
        """What the programs of this project have said."""
        return "\n".join("%s, tlsrpt %s:\n%s" % (one.name, name, one.said(name)) for one in self.machines
                         for name in ("collect", "deliver"))

    def passed_on(self):
        """Whether the spools are empty."""
        return self.database.query("SELECT sum(spool_batches) AS n FROM tlsrpt.host") == [(0,)]

    def reports(self):
        """The reports as `tlsrpt reports list` shows them."""
        return json.loads(self.hosts[0].run("reports", "list", "--format", "json"))["reports"]
