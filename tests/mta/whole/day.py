"""The simulated day: mails, two power cuts, midnight, reports, and a day after it. Runs in a namespace; judge.py judges what it returns."""

import datetime
import os
import time

from harness import certificates, receiver, report_sinks, roots, waiting
from whole import machine
from whole.site import Site

# Mails go to these while midnight passes: a session belongs to the day on whose side of midnight the collector got its event.
ACROSS = ["good.test", "dane.test", "ipv6.test"]
ROUNDS_ACROSS, ROUNDS_BEFORE = 6, 3
# Mails to these wait in the queues during the power cuts.
QUEUED = ["sts.test", "long-record.test", "dane.test"]
# Mails of the day after go to these.
DAY_AFTER = ["good.test", "sts.test", "sts-expired.test", "dane-other.test", "encrypt-no-tls.test"]
PARTS_OF_DAY = OF_DAY, AT_MIDNIGHT, AFTER = "of the day", "at midnight", "of the day after"
# The reports of a day leave between 00:05 and 04:05. What a reporter had begun when it was killed is tried again later.
NIGHT = [divmod(minutes, 60) for minutes in range(6, 4 * 60 + 10, 20)] + [(6, 0), (9, 0), (12, 0)]
# Where TLS fails and is not required, Postfix sends a mail in the clear when it has waited for 5 minutes, by the clock of the machine.
PATIENCE = {"minimal_backoff_time": "1s"}
# A delivery that could begin now, or has begun and not ended.
DUE = """SELECT count(*) FROM tlsrpt.delivery WHERE state = 'waiting'
    AND (started IS NOT NULL OR next_attempt <= tlsrpt.server_time())"""
WAITING = "SELECT count(*) FROM tlsrpt.delivery WHERE state = 'waiting'"
INCOMPLETE = "SELECT name FROM tlsrpt.host WHERE complete_before < %d"
UNREPORTED = "SELECT count(*) FROM tlsrpt.sessions WHERE day < %d AND (reported_succeeded < succeeded OR reported_failed < failed)"


def observe(receivers, **arguments):
    """The whole day. What arrived, what was sent, and what the site says of it."""
    begin = time.monotonic()
    site = Site(**arguments)
    day = Day(site)
    took = {}
    for step in (day.collect, day.midnight, day.report, day.day_after):
        took["before " + step.__name__] = round(time.monotonic() - begin)
        step()
    for host in site.hosts:
        host.end()
    took["all"] = round(time.monotonic() - begin)
    return report_sinks.as_text(dict(day.found(receivers), took=took))


class Day:
    """The steps of the day, in order."""

    def __init__(self, site):
        self.site = site

    def collect(self):
        """A morning; the database loses its power, and mails are sent; all machines lose theirs with what waits in the spools and in
        the queues; they lose it again while the spools are passed on; an evening."""
        site = self.site
        site.part_of_day = OF_DAY
        site.clock.set(7)
        site.send()
        site.require_libraries()
        self.wait_until_passed_on()
        site.clock.set(11)
        machine.cut_power([site.db])
        site.send()
        site.clock.set(12)
        site.queue(QUEUED)
        machine.cut_power(site.machines[:3])
        stored = self.power_on(mail_servers=False)
        waiting.until("a batch to be passed on", lambda: site.database.sessions() > stored)
        machine.cut_power(site.machines)
        self.power_on()
        self.wait_until_passed_on()
        site.clock.set(23, 40)
        site.send()
        self.wait_until_passed_on()

    def power_on(self, mail_servers=True):
        """Starts all machines. Returns the number of sessions that the database has before the collectors start."""
        for one in self.site.machines:
            one.power_on()
        self.site.database.start()
        stored = self.site.database.sessions()
        self.site.start_hosts(mail_servers)
        return stored

    def wait_until_passed_on(self):
        """Waits until the database has what was sent, and no spool has anything."""
        wanted = self.site.expected_sessions()
        try:
            waiting.until("the events to be passed on", lambda: self.site.database.sessions() >= wanted and self.site.passed_on())
        except waiting.Timeout as timeout:
            raise RuntimeError("%s: %d of %d are in the database\n%s" % (
                timeout, self.site.database.sessions(), wanted, self.site.said())) from None
        if self.site.database.sessions() != wanted:
            raise RuntimeError("the database has %d sessions, not %d" % (self.site.database.sessions(), wanted))

    def midnight(self):
        """Mails while midnight passes."""
        site = self.site
        site.part_of_day = AT_MIDNIGHT
        site.clock.set(23, 59, 50)
        for number in range(ROUNDS_ACROSS):
            if number == ROUNDS_BEFORE:
                waiting.until("midnight", lambda: site.clock.is_after(0, 0, days=1))
            site.send(ACROSS)
        self.wait_until_passed_on()
        self.wait_for_hosts(1)

    def wait_for_hosts(self, days):
        """Waits until each host has said that the days before are complete."""
        waiting.until("the hosts to be complete", lambda: not self.site.database.query(INCOMPLETE % self.site.clock.date(days)))

    def report(self):
        """The reports of the day. While an HTTPS server has taken one and not answered, the database loses its power, and the
        collectors and reporters are killed."""
        site = self.site
        for host in site.postfixes:
            host.stop()
            host.start(**PATIENCE)
        sink = site.sinks.sinks[certificates.REPORT_SINK]
        sink.answers.clear()
        self.deliver(1, lambda: sink.posts)
        for host in site.hosts:
            host.kill()
        machine.cut_power([site.db])
        sink.answers.set()
        # The leases of the killed reporters end meanwhile.
        site.clock.forward(minutes=3)
        site.db.power_on()
        site.database.start()
        for host in site.hosts:
            host.collect()
        for host in site.hosts[:2]:
            host.report()
        self.deliver(1)

    def deliver(self, days, until=lambda: False):
        """Lets the night after the day pass, until UNTIL() is true or all reports are delivered."""
        site = self.site
        unreported = UNREPORTED % site.clock.date(days)
        for moment in NIGHT:
            if site.clock.is_after(*moment, days=days):
                continue
            site.clock.set(*moment, days=days)
            try:
                waiting.until("the deliveries that are due", lambda: until() or all(
                    site.database.query(query) == [(0,)] for query in (unreported, DUE)))
            except waiting.Timeout as timeout:
                raise RuntimeError("%s: %s\n%s" % (timeout, site.reports(), site.said())) from None
            if until():
                return
        if site.database.query(WAITING) != [(0,)]:
            raise RuntimeError("deliveries still wait: %s\n%s" % (site.reports(), site.said()))
        for host in site.postfixes:
            waiting.until("an empty queue", lambda host=host: not host.run("postqueue", "-f") and "queue is empty" in host.run(
                "postqueue", "-p"))

    def day_after(self):
        """A few mails, and their reports."""
        site = self.site
        site.part_of_day = AFTER
        site.clock.set(13, days=1)
        site.send(DAY_AFTER)
        self.wait_until_passed_on()
        site.clock.set(0, 1, days=2)
        self.wait_for_hosts(2)
        self.deliver(2)

    def found(self, receivers):
        site = self.site
        mails = [(mail["sender"], mail["data"].encode("latin-1")) for mail in site.network.mails if "TLS-Report-Domain:" in mail["data"]]
        arrived = {"mails": mails, "posts": site.sinks.take()}
        days = [str(site.clock.day + datetime.timedelta(days=number)) for number in range(2)]
        return dict(arrived, made=site.reports(), days=days, sent=[[*key, number] for key, number in site.sent.items()],
                    read=receiver.read(receivers, site.hosts[0].installed.key_record(), [arrived],
                                       site.clock.now().timestamp()),
                    shown=shown_by_read(site, arrived),
                    versions=versions(site), said=site.said())


def versions(site):
    """The versions of Debian's packages."""
    places = {"postfix": site.hosts[0].root, "exim4-base": site.exim.root, "sendmail-bin": site.sendmail.root}
    places.update({name: site.hosts[1].root for name in ("postfix-mta-sts-resolver", "postgresql-17", "unbound", "nsd", "libfaketime")})
    return {name: roots.package_version(root, name) for name, root in places.items()}


def shown_by_read(site, arrived):
    """What `tlsrpt read` shows of the mails and of the posted files."""
    folder = site.hosts[0].root + "/tmp/received"
    os.mkdir(folder)
    for number, (_, mail) in enumerate(arrived["mails"]):
        with open("%s/%03d.eml" % (folder, number), "wb") as target:
            target.write(mail)
    for number, (_, body) in enumerate(arrived["posts"]):
        with open("%s/%03d.json.gz" % (folder, number), "wb") as target:
            target.write(body)
    return {form: site.hosts[0].run("read", "--format", form, "/tmp/received") for form in ("json", "text")}
