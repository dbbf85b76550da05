"""The examples in the help of each subcommand of `tlsrpt`, run as they are printed: in bash, on a Debian host with a Postfix, a
collector, a store and whatever else they name."""

import base64
import contextlib
import datetime
import gzip
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess

from harness import certificates, checked_postfix, command, dns, installed, network, roots, waiting
from harness.scenario import CANDIDATE, Problem, Row, Scenario

SOCKET, SINK = "/run/tlsrpt/tlsrpt.sock", "/run/tlsrpt/collectd.sock"
FOLDER = "/home/postmaster"  # where the examples run; also the home
DOMAIN, DAY = "example.org", "2026-11-24"
RECORD = "v=TLSRPTv1; rua=mailto:tls@" + DOMAIN
PUBLIC_RESOLVER = "9.9.9.9"
LAST_REPORT = 17  # the number in the examples
OTHER_CONFIGURATION = """[collect]
socket = "%s"
[store]
url = "sqlite:%s/tlsrpt.db"
""" % (SOCKET, FOLDER)
OLD_DATABASES = "/var/lib/tlsrpt-reporter"
OF_COLLECTD = """
CREATE TABLE finalresults(day, domain, tlsrptrecord, policy, cntrtotal, cntrfailure, its datetime default CURRENT_TIMESTAMP,
    PRIMARY KEY(day, domain, tlsrptrecord, policy));
CREATE TABLE failures(day, domain, tlsrptrecord, policy, reason, cntr, PRIMARY KEY(day, domain, tlsrptrecord, policy, reason));
CREATE TABLE daystatus(daycomplete, its datetime default CURRENT_TIMESTAMP, PRIMARY KEY(daycomplete));
CREATE TABLE dbversion(version, installdate, purpose);
INSERT INTO dbversion VALUES (1, '2026-11-29 00-35-44.332', 'TLSRPT-Collectd-DB-devel-2024-10-28');
"""
OF_REPORTD = """
CREATE TABLE fetchjobs(day, fetcherindex, fetcher, retries, status, nexttry, its datetime default CURRENT_TIMESTAMP,
    PRIMARY KEY(day, fetcherindex));
CREATE TABLE reportdata(day, domain, data, fetcher, fetcherindex, retries, status, nexttry, its datetime default CURRENT_TIMESTAMP,
    PRIMARY KEY(day, domain, fetcher));
CREATE TABLE reports(r_id INTEGER PRIMARY KEY ASC, day, domain, uniqid, tlsrptrecord, report, its datetime default CURRENT_TIMESTAMP);
CREATE TABLE destinations(destination, d_r_id INTEGER, retries, status, nexttry, its datetime default CURRENT_TIMESTAMP,
    PRIMARY KEY(destination, d_r_id), FOREIGN KEY(d_r_id) REFERENCES reports(r_id));
CREATE TABLE dbversion(version, installdate, purpose);
INSERT INTO dbversion VALUES (1, '2026-11-29 00-37-59.156', 'TLSRPT-Reportd-DB-devel-2024-10-28');
"""

# Services, and what each says when it works. It is ended then, and must end well.
SERVICES = {
    "listen --socket /run/tlsrpt/tlsrpt.sock": command.LISTENING,
    "listen --for 10m --format report": command.LISTENING,
    "listen --socket /run/tlsrpt/tlsrpt.sock --forward /run/tlsrpt/collectd.sock": command.LISTENING,
    "collect": command.LISTENING,
    "collect --config ./tlsrpt.toml": command.LISTENING,
    "sendmail-map --listen unix:/run/tlsrpt-sendmail/map.sock --socket /run/tlsrpt/tlsrpt.sock": command.LISTENING,
    "status --watch": "collector  ",
    "deliver": "delivering",
    "serve --config ./tlsrpt.toml": "delivering",
}
# It ends by itself after an event.
ONE_EVENT = "listen --count 1 --format json"
# Examples that end with another code than 0 here, each documented, and what they print.
OTHERWISE = {
    # This host has Postfix.
    "check --exim --send": (1, "cannot ask exim -bP"),
    "check --sendmail": (1, "Sendmail"),
    # An alert is an exit code.
    "received --alert --count 10 --rate 1": (1, "example.org: 12 of 15 sessions failed on "),
    # The store is one of this host alone.
    "hosts": (1, "hosts share a store with a url such as postgresql://HOST/DATABASE"),
    "hosts forget mx3.example.com": (1, "hosts share a store with a url such as postgresql://HOST/DATABASE"),
}
# What others print, besides the code 0.
SHOWN = {
    "record example.org --probe": "has a valid certificate",
    "record example.org --resolver 9.9.9.9 --format json": '"valid":true',
    "read - <mail.eml": "reported by Example Inc.",
    "read ~/Maildir": "reported by Example Inc.",
    "received example.org": "example.org",
    "received show 'Example Inc.' 2026-11-24T00:00:00Z_example.org": "reported by Example Inc.",
    "reports": "%d  " % LAST_REPORT,
    "reports show 17": '"organization-name"',
    "reports preview example.org --mail-to postmaster@example.com": "sent to postmaster@example.com",
    "reports resend 17": "1 of 1 deliveries wait for another attempt",
    "suppress list": "asked by mail",
    "config": "[collect]",
    "config check": "no errors",
    "fetcher 2026-11-24": "domain list",
    "migrate --unreported collectd.sqlite.yesterday": "1 sessions of ",
}
FILES = {  # what an example writes
    "read --format html --output reports.html ~/Maildir": "reports.html",
    "received --format html --output received.html": "received.html",
    "reports show 17 --format html --output report-17.html": "report-17.html",
    "status --format prometheus --output /var/lib/prometheus/node-exporter/tlsrpt.prom": "/var/lib/prometheus/node-exporter/tlsrpt.prom",
    "status --format html --output /var/www/html/tlsrpt.html": "/var/www/html/tlsrpt.html",
}
# In an order in which each finds what it needs. The help has exactly these.
ORDER = ["config", "check", "record", "fetcher", "listen", "send", "collect", "sendmail-map", "migrate", "read", "receive",
         "received", "status", "deliver", "reports", "suppress", "hosts", "serve", "bounce"]


class Host:
    """The host of the examples."""

    def __init__(self, program, root, library, network_arguments):
        self.mail = checked_postfix.PostfixHost(program, root, library, network_arguments)
        self.root = self.mail.root
        subprocess.run(["ip", "address", "add", PUBLIC_RESOLVER + "/32", "dev", "lo"], check=True)
        served = self.mail.network.served
        served["_smtp._tls." + DOMAIN, "TXT"] = [RECORD]
        served[DOMAIN, "MX"] = [(10, certificates.MAIL_HOST)]
        served[certificates.MAIL_HOST, "A"] = ["127.0.0.1"]
        dns.serve(PUBLIC_RESOLVER, served, set(), [])
        for folder in (os.path.dirname(SOCKET), "/run/tlsrpt-sendmail", "/var/lib/prometheus/node-exporter", "/var/www/html",
                       FOLDER + "/Maildir/new", FOLDER + "/Maildir/cur", OLD_DATABASES):
            os.makedirs(self.path(folder), exist_ok=True)
        report = self.mail.read(installed.CONFIGURATION).partition("[report]")[2].partition("[mail.dkim]")[0]
        self.mail.write(FOLDER + "/tlsrpt.toml", OTHER_CONFIGURATION + "[report]" + report)
        self.write_reports()
        for name in (OLD_DATABASES + "/collectd.sqlite", OLD_DATABASES + "/collectd.sqlite.yesterday",
                     FOLDER + "/collectd.sqlite.yesterday"):
            write_database_of_collectd(self.path(name))
        with contextlib.closing(sqlite3.connect(self.path(OLD_DATABASES + "/reportd.sqlite"))) as connection:
            connection.executescript(OF_REPORTD)
            connection.execute("INSERT INTO fetchjobs (day, fetcherindex, fetcher, status) VALUES (?, 1, 'tlsrpt-fetcher', 'ok')",
                               [yesterday()])
            connection.commit()

    def path(self, name):
        return self.root + os.path.join(FOLDER, name)

    def write_reports(self):
        """Reports of others, in the forms that the examples read."""
        report = report_of(DAY, DAY + "T00:00:00Z_" + DOMAIN, 15, 0)
        with open(self.path("report.json.gz"), "wb") as target:
            target.write(gzip.compress(report))
        for name in ("mail.eml", "Maildir/new/1"):
            with open(self.path(name), "wb") as target:
                target.write(mail_of(report))

    def start(self, example):
        """Starts an example in bash. It becomes the process itself, so that a signal reaches it."""
        # The collector is not root where others may write.
        user = self.mail.ours.as_user if example == "collect" else []
        line = ["chroot", self.root] + user + ["/usr/bin/env", "-i", "PATH=" + roots.PATH, "HOME=" + FOLDER, "TERM=dumb",
                "bash", "-ec", "cd %s || exit\nexec tlsrpt %s" % (FOLDER, example)]
        self.printed = os.path.join(self.mail.network.folder, "printed")
        with open(self.printed, "wb") as printed:
            return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT)

    def output(self):
        return command.read(self.printed)

    def run(self, example):
        """Runs an example to its end: the exit code and the output."""
        process = self.start(example)
        return process.wait(120), self.output()

    def prepare(self, words):
        """Runs a command that is no example."""
        code, printed = self.run(words)
        if code != 0:
            raise Problem("tlsrpt %s: exit code %d: %s" % (words, code, printed))

    def events(self, domain, number=1):
        """Sends events to the mail host's collector, and waits for it to store them."""
        before = self.mail.ours.sessions(domain)
        for _ in range(number):
            self.prepare("send --socket %s --domain %s --record %s --failure tlsa-invalid" % (
                self.mail.ours.socket, domain, shlex.quote("v=TLSRPTv1; rua=mailto:tls@" + domain)))
        self.mail.ours.wait_for_sessions({domain: before + number})


def report_of(day, report_id, succeeded, failed):
    details = [{"result-type": "tlsa-invalid", "failed-session-count": failed}] if failed else []
    return json.dumps({
        "organization-name": "Example Inc.", "contact-info": "tls@example.com", "report-id": report_id,
        "date-range": {"start-datetime": day + "T00:00:00Z", "end-datetime": day + "T23:59:59Z"},
        "policies": [{"policy": {"policy-type": "no-policy-found", "policy-domain": DOMAIN},
                      "summary": {"total-successful-session-count": succeeded, "total-failure-session-count": failed},
                      "failure-details": details}]}).encode()


def mail_of(report):
    return (b"From: tls@example.com\r\nTLS-Report-Domain: example.org\r\nTLS-Report-Submitter: example.com\r\n"
            b"Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(gzip.compress(report)))


def write_database_of_collectd(path):
    """A database as tlsrpt-collectd leaves it, with one session of yesterday."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(OF_COLLECTD)
        policy = json.dumps({"policy-type": 9, "policy-domain": DOMAIN})
        connection.execute("INSERT INTO finalresults(day, domain, tlsrptrecord, policy, cntrtotal, cntrfailure) VALUES (?, ?, ?, ?, 1, 0)",
                           [yesterday(), DOMAIN, RECORD, policy])
        connection.commit()


def yesterday():
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)).date().isoformat()


def subcommands(host):
    """The names in the help of the whole command: the word behind the heading of each line."""
    lines = host.run("--help")[1].split("\n\n")[1].splitlines()
    return [line[10:].split()[0] for line in lines if not line.startswith("tlsrpt")]


def examples(host, subcommand):
    """The examples of a subcommand, without `tlsrpt` and each on one line."""
    printed = host.run(subcommand + " --help")[1].replace(" \\\n", " ")
    found = re.search(r"^Examples?:\n((?:  .*\n?)+)", printed, re.MULTILINE)
    lines = found.group(1).splitlines() if found else []
    return [re.sub(r" +", " ", line.strip())[len("tlsrpt "):] for line in lines]


def with_collector(host, subcommand):
    """What a subcommand needs before its examples."""
    if subcommand in ("listen", "collect"):
        host.mail.end_collector()
    if subcommand in ("check", "send"):
        host.other = host.start("collect --config ./tlsrpt.toml")
        waiting.until("the collector to listen", lambda: os.path.exists(host.path(SOCKET)) and "listening" in host.output())
    if subcommand == "received":
        with open(host.path("new.eml"), "wb") as target:
            target.write(mail_of(report_of(yesterday(), "new", 3, 12)))
        host.prepare("receive <new.eml")
    if subcommand == "reports":
        for number in range(1, LAST_REPORT):
            host.events("d%d.example" % number)
        host.events(DOMAIN)
        host.prepare("deliver --once --day today")
        host.events(DOMAIN)


def without_collector(host, subcommand):
    """Takes that back."""
    if subcommand in ("listen", "collect"):
        host.mail.start_collector()
    if subcommand in ("check", "send"):
        host.other.terminate()
        host.other.wait(60)


def try_one(host, example):
    """Runs an example. Returns what is wrong, or None."""
    if example in SERVICES:
        process = host.start(example)
        waiting.until(example, lambda: SERVICES[example] in host.output() or process.poll() is not None)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        code, wanted = process.wait(60), SERVICES[example]
        # `status --watch` is ended by the signal itself.
        expected = (0, -signal.SIGINT) if "--watch" in example else (0,)
    elif example == ONE_EVENT:
        process = host.start(example)
        waiting.until(example, lambda: command.LISTENING in host.output())
        printed = host.printed
        sent = subprocess.run(["chroot", host.root, installed.COMMAND, "send", "--socket", SOCKET, "--domain", DOMAIN, "--record",
                               RECORD, "--success"], check=False)
        host.printed, code, wanted, expected = printed, process.wait(60) or sent.returncode, '"d": "%s"' % DOMAIN, (0,)
        with open(host.path("events.jsonl"), "w") as target:
            target.write("".join(line + "\n" for line in host.output().splitlines() if line.startswith("{")))
    else:
        code, _ = host.run(example)
        expected, wanted = OTHERWISE.get(example, (0, SHOWN.get(example, "")))
        expected = (expected,)
    if code not in expected or wanted not in host.output():
        return "tlsrpt %s: exit code %s instead of %s, or without %r: %s" % (example, code, expected, wanted, host.output())
    if example in FILES and not os.path.getsize(host.path(FILES[example])):
        return "tlsrpt %s writes nothing" % example
    return None


def observe(program, root, library, network_arguments):
    """In a namespace: [the number of examples, what is wrong]."""
    host = Host(program, root, library, network_arguments)
    known, wrong, tried = subcommands(host), [], []
    if sorted(known) != sorted(ORDER):
        wrong.append("the help has the subcommands %s" % known)
    for subcommand in ORDER:
        with_collector(host, subcommand)
        for example in examples(host, subcommand):
            tried.append(example)
            wrong.append(try_one(host, example))
        without_collector(host, subcommand)
    named = set(SERVICES) | set(OTHERWISE) | set(SHOWN) | set(FILES) | {ONE_EVENT}
    wrong += ["no example: tlsrpt %s" % example for example in sorted(named - set(tried))]
    # A control: an example that is wrong is noticed.
    if try_one(host, "reports lst") is None or try_one(host, "read nothing.json") is None:
        wrong.append("a wrong example is not noticed")
    return [len(tried), [text for text in wrong if text]]


def check_all(context):
    number, wrong = context.call("scenarios.help_examples:observe", program=command.built(context.checkout),
                                 root=roots.debian(roots.STABLE), library=context.libraries[CANDIDATE],
                                 network_arguments=network.open_arguments())
    if wrong:
        raise Problem("\n".join(wrong))
    return Row("the examples of tlsrpt --help, in bash on Debian 13 with a Postfix, a collector and a store",
               "%d examples of %d subcommands: the exit codes, and what they print and write" % (number, len(ORDER)))


SCENARIOS = [Scenario("help-examples", "the examples of tlsrpt --help, run as they are printed", check_all)]
