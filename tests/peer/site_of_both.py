"""The parts of a site: collectors and reporters of tlsrpt-reporter and of this project, and where their report mails go."""

import contextlib
import datetime
import email
import json
import os
import sqlite3
import subprocess

from harness import command, reporter, reports, waiting

CONFIGURATION = command.COLLECTING + """[report]
organization = "%s"
contact = "%s"
from = "%s"
spread = "0s"
[mail]
sendmail = "{folder}/sendmail"
""" % (reporter.ORGANIZATION, reporter.CONTACT, reporter.SENDER)


class Failed(Exception):
    """A case failed."""


def require(condition, text):
    if not condition:
        raise Failed(text)


def require_equal(what, left, right):
    require(left == right, "%s differ:\n%s\n%s" % (what, left, right))


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def yesterday():
    return today() - datetime.timedelta(days=1)


# Makes today yesterday in our store.
DAY_ENDS = ["UPDATE %s SET day = %s" % (table, yesterday().strftime("%Y%m%d"))
            for table in ("failures", "sessions", "domain_of_day", "invalid", "day", "writer")]


class Mails:
    """A sendmail command that keeps each mail in a file, and refuses those to some recipients for now."""

    def __init__(self, folder):
        self.folder = folder
        self.refused = os.path.join(folder, "refused")
        self.script = os.path.join(folder, "sendmail")
        os.makedirs(os.path.join(folder, "mails"))
        open(self.refused, "w").close()
        with open(self.script, "w") as target:
            target.write("""#!/bin/sh
cd %s || exit 75
cat >$$.new
to=$(sed -n 's/^To: *//p' $$.new | tr -d '\\r')
grep -qxF -e "$to" refused && { rm $$.new; echo no room >&2; exit 75; }
mv $$.new mails/$$.$(ls mails | wc -l)
""" % folder)
        os.chmod(self.script, 0o755)

    def refuse(self, *addresses):
        with open(self.refused, "w") as target:
            target.write("".join(address + "\n" for address in addresses))

    def take(self):
        """The mails since the last call: [(recipient, report)], sorted."""
        found = []
        for name in os.listdir(os.path.join(self.folder, "mails")):
            path = os.path.join(self.folder, "mails", name)
            with open(path, encoding="utf-8", errors="surrogateescape") as mail:
                text = mail.read()
            os.unlink(path)
            found.append((email.message_from_string(text)["To"], reports.from_mail(text)[1]))
        return sorted(found, key=lambda mail: (mail[0], json.dumps(mail[1], sort_keys=True)))


class Ours:
    """`tlsrpt` with a store of its own, in a file."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        os.makedirs(folder)
        self.mails = Mails(folder)
        self.configuration = os.path.join(folder, "tlsrpt.toml")
        self.collector = command.Collector(program, folder, CONFIGURATION.replace("{folder}", folder))
        self.database = self.collector.database

    def query(self, statement):
        return reporter.query(self.database, statement)

    def edit(self, *statements):
        """Changes the store while no program has it open."""
        edit(self.database, *statements)

    def stop_collecting(self):
        if self.collector:
            self.collector.end()
        self.collector = None

    def send(self, lines):
        command.send(self.program, self.collector.socket, lines)

    def wait_for(self, lines):
        """Waits until all these events, and no others, are in the store."""
        waiting.until("tlsrpt collect to store all", lambda: self.events() == len(lines))

    def events(self):
        return (self.query("SELECT sum(events) FROM day") or [(0,)])[0][0] or 0

    def end_day(self):
        """Makes today yesterday."""
        self.edit(*DAY_ENDS)

    def run(self, *arguments, code=0):
        """Runs a subcommand, and returns its output and its messages."""
        done = subprocess.run([self.program] + list(arguments[:1]) + ["--config", self.configuration] + list(arguments[1:]),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        require(done.returncode == code, "tlsrpt %s ended with %d:\n%s%s" % (
            " ".join(arguments), done.returncode, done.stdout, done.stderr))
        return done.stdout, done.stderr

    def deliver(self, *arguments, code=0):
        """Makes and delivers what is due. The mails."""
        self.run("deliver", "--once", *arguments, code=code)
        return self.mails.take()

    def fetcher(self):
        """The command for the configuration of tlsrpt-reportd."""
        return [self.program, "fetcher", "--config", self.configuration]


class OursInPostgresql(Ours):
    """`tlsrpt` with a store in a database, and a collector with a spool and the role for collectors."""

    def __init__(self, program, folder, server):
        self.program, self.folder, self.server = program, folder, server
        os.makedirs(os.path.join(folder, "collector"))
        self.mails = Mails(folder)
        self.configuration = os.path.join(folder, "tlsrpt.toml")
        self.database = server.new_database()

        def configuration(role):
            of_file = CONFIGURATION.replace("{folder}", folder)
            return of_file.replace("sqlite:{database}", server.url(role, self.database) + '"\nspool = "{database}')
        with open(self.configuration, "w") as target:
            target.write(configuration("tlsrpt_reporter").format(socket="/unused/s", database="/unused/db"))
        # It makes the tables.
        self.run("deliver", "--once")
        self.collector = command.Collector(program, os.path.join(folder, "collector"), configuration("tlsrpt_collector"))

    def query(self, statement):
        return self.server.query(self.database, statement)

    def edit(self, *statements):
        self.server.run(self.database, ";\n".join(statements))


class Fetched:
    """What reporter.Reporter wants of a collector: the command of its fetcher."""

    def __init__(self, fetcher):
        self.fetcher = self
        self.command = fetcher


class Site:
    """Everything that a case starts, below one folder."""

    def __init__(self, program, environment, folder, server=None):
        self.environment, self.folder, self.server = environment, folder, server
        # A path without spaces: tlsrpt-reportd splits the command of a fetcher at them.
        self.program = self.path("tlsrpt")
        os.symlink(program, self.program)
        self.all = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def ours(self, name="ours"):
        """A host of ours, whose store is in a file, or in a database where the site has a server."""
        folder = self.path(name)
        host = OursInPostgresql(self.program, folder, self.server) if self.server else Ours(self.program, folder)
        self.all.append(host.stop_collecting)
        return host

    def collectd(self, name="theirs", lines=()):
        """A tlsrpt-collectd that has stored these datagrams."""
        folder = self.path(name)
        os.makedirs(folder)
        collector = reporter.Collector(self.environment, folder, os.path.join(folder, "s")).start()
        self.all.append(lambda: collector.alive() and collector.end())
        send_to_collectd(self.program, collector, lines)
        return collector

    def reportd(self, fetchers, name="reportd", **settings):
        """A tlsrpt-reportd that fetches by these commands, and its mails."""
        os.makedirs(self.path(name), exist_ok=True)
        mails = Mails(self.path(name))
        # A path that cannot be run: no case may post.
        making = reporter.Reporter(self.environment, self.path(name), [Fetched(fetcher) for fetcher in fetchers],
                                   send_mail=mails.script, post="false")
        change(making.configuration, settings)
        self.all.append(lambda: making.process and making.alive() and making.end())
        return making, mails

    def reports_of_reportd(self, fetchers, domains, name="reportd"):
        """The mails of a tlsrpt-reportd that fetches by these commands and reports about so many domains."""
        making, mails = self.reportd(fetchers, name)
        making.send_all(domains)
        return mails.take()

    def end(self):
        for end in self.all:
            end()


def change(configuration, settings):
    """Changes settings in a file that harness.reporter has written."""
    with open(configuration) as source:
        lines = [line for line in source if line.split(" = ")[0] not in settings]
    with open(configuration, "w") as target:
        target.write("".join(line for line in lines if line.strip()))
        target.write("".join("%s = %s\n" % setting for setting in settings.items()))


def edit(database, *statements):
    """Changes a database that no program has open."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def send_to_collectd(program, collector, lines):
    # After the end of a day it makes a new database.
    waiting.until("the tables of tlsrpt-collectd", lambda: collector.count() is not None)
    before = collector.count()
    command.send(program, collector.socket, list(lines))
    policies = sum(len(json.loads(line)["policies"]) for line in lines)
    waiting.until("tlsrpt-collectd to store all", lambda: collector.count() == before + policies)


def comparable(mails):
    """Mails as text, without ids and days, and with the lists of reports in a fixed order."""
    return sorted((to, reports.comparable(report)) for to, report in mails)
