"""The real tlsrpt-reporter: the collector at a mail host's socket, its fetcher, and the reporter."""

import configparser
import contextlib
import datetime
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys

from harness import cache, certificates, command, recorder, waiting

PACKAGE, VERSION = "tlsrpt-reporter", "0.6.0"
SOCKET_MODE = "0622"
ORGANIZATION = "Sender Inc"
CONTACT = "postmaster@" + certificates.MAIL_HOST
SENDER = "tls-reports@" + certificates.MAIL_HOST
DAY_ENDS_SOON = 300  # seconds: on an idle machine a scenario takes less than 120


def environment():
    """A Python environment with tlsrpt-reporter. It is called as `python script`, so it can be renamed when made."""
    recipe = {"package": PACKAGE, "version": VERSION, "python": [sys.executable, sys.version]}
    return cache.entry("reporter", recipe, make_environment)


def make_environment(path):
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    subprocess.run([os.path.join(path, "bin", "python"), "-m", "pip", "--quiet", "install",
                    "%s==%s" % (PACKAGE, VERSION)], check=True)


def wait_for_a_day_to_count_on():
    """Waits until midnight (UTC) is over if it is near: at midnight the collector starts a new database."""
    def far_from_midnight():
        now = datetime.datetime.now(datetime.timezone.utc)
        midnight = (now + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - now).total_seconds() > DAY_ENDS_SOON
    waiting.until("the end of the day", far_from_midnight, seconds=DAY_ENDS_SOON + 60)


class Program:
    """One of the programs, with a configuration file of its own."""

    def __init__(self, environment_folder, folder, name, settings):
        self.name = name
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.configuration = self.path("cfg")
        config = configparser.ConfigParser(interpolation=None)
        config[name.replace("-", "_")] = dict(settings, logfilename=self.path("log"), log_level="debug")
        with open(self.configuration, "w") as target:
            config.write(target)
        bin_folder = os.path.join(environment_folder, "bin")
        self.command = [os.path.join(bin_folder, "python"), os.path.join(bin_folder, name),
                        "--config_file", self.configuration]
        self.working_folder = folder
        self.process = None

    def path(self, suffix):
        return os.path.join(self.folder, "%s.%s" % (self.name, suffix))

    def start(self):
        with open(self.path("out"), "a") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output, cwd=self.working_folder)
        return self

    def end(self, number=signal.SIGTERM):
        """Ends it with a signal and returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def alive(self):
        return self.process.poll() is None

    def messages(self):
        """Its output and its log, to describe an error."""
        text = ""
        for suffix in ("out", "log"):
            if os.path.exists(self.path(suffix)):
                with open(self.path(suffix), errors="replace") as log:
                    text += log.read()
        return text


class Collector(Program):
    """tlsrpt-collectd at a socket. Like a Recorder it counts the events."""

    def __init__(self, environment_folder, folder, socket_path, **settings):
        self.database = os.path.join(folder, "collectd.sqlite")
        self.socket = socket_path
        super().__init__(environment_folder, folder, "tlsrpt-collectd", dict({
            "storage": "sqlite://" + self.database,
            "socketname": os.path.basename(socket_path), "socketmode": SOCKET_MODE,
            "sockettimeout": "1", "max_uncommited_datagrams": "1", "retry_commit_datagram_count": "1",
            "pidfilename": os.path.join(folder, "collectd.pid")}, **settings))
        self.working_folder = os.path.dirname(socket_path)
        self.fetcher = Program(environment_folder, folder, "tlsrpt-fetcher", {"storage": "sqlite://" + self.database})

    def start(self):
        """Starts it and waits until it receives datagrams."""
        super().start()
        waiting.until("the collector", lambda: not self.alive() or self.serving())
        if not self.alive():
            raise RuntimeError("tlsrpt-collectd does not start:\n" + self.messages())
        return self

    def serving(self):
        """Whether it listens and its databases exist. The socket that a killed collector left does not count."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            with recorder.short(self.socket) as name:
                probe.connect(name)
            return (stat.S_IMODE(os.stat(self.socket).st_mode) == int(SOCKET_MODE, 8)
                    and os.path.exists(self.database + ".yesterday") and self.count() is not None)
        return False

    def count(self):
        """The number of stored events."""
        rows = query(self.database, "SELECT coalesce(sum(cntrtotal), 0) FROM finalresults")
        return rows[0][0] if rows else None

    def take(self, program, lines):
        """Sends it recorded datagrams with `tlsrpt send`, and waits until it has stored the policies of all."""
        stored = self.count() + sum(len(json.loads(line)["policies"]) for line in lines)
        command.send(program, self.socket, lines)
        waiting.until("tlsrpt-collectd to store all", lambda: self.count() == stored)

    def since(self, _first):
        """The collector does not keep the datagrams."""
        return []

    def end_day(self):
        """Ends the day, as midnight does: the database becomes yesterday's."""
        collected = self.count()
        self.process.send_signal(signal.SIGUSR2)
        waiting.until("yesterday's database", lambda: self.alive() is False or query(
            self.database + ".yesterday", "SELECT sum(cntrtotal) FROM finalresults, daystatus WHERE day = daycomplete"
        ) == [(collected,)])


class Reporter(Program):
    """tlsrpt-reportd with the fetchers of one or more collectors."""

    def __init__(self, environment_folder, folder, collectors, send_mail, post):
        self.database = os.path.join(folder, "reportd.sqlite")
        self.collectors = collectors
        super().__init__(environment_folder, folder, "tlsrpt-reportd", {
            "organization_name": ORGANIZATION, "contact_info": CONTACT, "sender_address": SENDER,
            "dbname": self.database, "pidfilename": os.path.join(folder, "reportd.pid"),
            "fetchers": ",".join(" ".join(collector.fetcher.command) for collector in collectors),
            "sendmail_script": send_mail, "http_script": post,
            "interval_main_loop": "1", "spread_out_delivery": "1", "min_wait_delivery": "0", "max_wait_delivery": "1",
            "max_retries_domainlist": "2", "min_wait_domainlist": "0", "max_wait_domainlist": "1",
            "max_retries_domaindetails": "2", "min_wait_domaindetails": "0", "max_wait_domaindetails": "1",
            "max_retries_delivery": "2"})

    def send_all(self, domains):
        """Makes and sends the reports about DOMAINS domains, waits until all are sent, and returns their number."""
        self.start()
        waiting.until("%d reports to be sent" % domains, lambda: not self.alive() or self.sent_all(domains))
        if not self.alive():
            raise RuntimeError("tlsrpt-reportd ended:\n" + self.messages())
        self.end()
        return query(self.database, "SELECT count(*) FROM destinations WHERE status = 'sent'")[0][0]

    def sent_all(self, domains):
        made = query(self.database, "SELECT count(DISTINCT domain) FROM reports")
        waiting_for = query(self.database, "SELECT count(*) FROM destinations WHERE status IS NULL")
        return made == [(domains,)] and waiting_for == [(0,)]


def query(database, statement, parameters=()):
    """The rows of a query, or none as long as the database or its tables are not there."""
    try:
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % database, uri=True)) as connection:
            return connection.execute(statement, parameters).fetchall()
    except sqlite3.OperationalError:
        return []
