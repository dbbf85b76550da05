"""Report mails that come back: Exim and Sendmail, set up by the commands of docs/exim.md and docs/sendmail.md, pass each
bounce to `tlsrpt bounce`, which suppresses the destination."""

import contextlib
import smtplib

from harness import (certificates, command, documents, exim, exim_debian, installed, network, project, report_mails, reporter,
                     roots, sendmail, site, waiting)
from harness.scenario import Row, Scenario
from scenarios import bounces
from scenarios.bounces import ACCEPTS, BOUNCES, EXAMPLE_DOMAIN, HEADING, NAMES, REFUSES, RETURNS, USER, destination, require

NO_BOUNCE = "Subject: a test\n\nhello\n"
SESSION = ["send", "--policy", "none", "--failure", "starttls-not-supported"]


class Exim:
    """Debian's Exim with its unsplit configuration."""

    GROUP, ROUTE, KIND = "Debian-exim", 'server = "smtp://localhost:25"', installed.ED25519

    def __init__(self, the_network, lower, installed_files):
        self.host = exim_debian.DebianExim(the_network, lower, installed_files[0], exim_debian.UNSPLIT, "exim")
        self.root = self.host.root
        self.port = 25

    @contextlib.contextmanager
    def running(self):
        self.host.update()
        # The daemon keeps its output open, so a pipe would never end.
        roots.run(self.root, ["sh", "-c", exim.PROGRAM + " -bd >/dev/null 2>&1 </dev/null"])
        waiting.until("Exim to listen", lambda: sendmail.answers(("127.0.0.1", self.port)))
        yield
        # The namespace ends it.

    def queue_is_empty(self):
        return not roots.run(self.root, [exim.PROGRAM, "-bp"]).strip()

    def log(self):
        return self.host.log()


class Sendmail:
    """Sendmail without the rules that report."""

    GROUP, ROUTE, KIND = "root", 'server = "smtp://%s:%d"' % sendmail.DAEMON, installed.RSA

    def __init__(self, the_network, lower, installed_files):
        self.host = sendmail.Sendmail(the_network, lower, installed_files, rules=sendmail.WITHOUT_RULES)
        self.root = self.host.root
        self.port = sendmail.DAEMON[1]

    @contextlib.contextmanager
    def running(self):
        with self.host.daemon():
            yield

    def queue_is_empty(self):
        return "Total requests: 0" in roots.run(self.root, [sendmail.PROGRAM, "-Am", "-bp"])

    def log(self):
        return []


HOSTS = {"Exim": Exim, "Sendmail": Sendmail}


def observe(kind, program, lower, installed_files, network_arguments, make_user, open_key, configure):
    """In a namespace: two rounds of reports to each destination, and what becomes of those that come back."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(**network_arguments)
    the_network.refused.add(destination(REFUSES))
    host = HOSTS[kind](the_network, lower, installed_files)
    roots.run(host.root, ["sh", "-c", make_user])
    ours = installed.Installed(program, the_network, host.root, exim.SOCKET, host.GROUP, host.ROUTE, host.KIND, site.SINK[1],
                               user=USER)
    roots.run(host.root, ["sh", "-c", open_key])
    roots.run(host.root, ["bash", "-c", configure])
    ours.collect()
    with host.running():
        found = {"before": ours.suppressions(), "from": bounces.now()}
        hand_over(host, BOUNCES, NO_BOUNCE)
        found["log"] = host.log()
        found["after another mail"] = ours.suppressions()
        deliver(ours, host, 1)
        found["first"] = ours.reports()
        sender = next(mail["sender"] for mail in the_network.mails if destination(RETURNS) in mail["recipients"][0])
        wait_for_entries(ours, 1)
        found.update({"arrived": bounces.arrived(the_network), "after the refusal": ours.suppressions()})
        hand_over(host, report_mails.bounces_to(sender),
                  bounces.RETURNED % (RETURNS, RETURNS, destination(RETURNS), bounces.RETURN_REASON))
        wait_for_entries(ours, 2)
        found.update({"after the return": ours.suppressions(), "to": bounces.now()})
        the_network.mails.clear()
        deliver(ours, host, 2)
        numbers = {report["id"] for report in found["first"]}
        found["second"] = [report for report in ours.reports() if report["id"] not in numbers]
        found["arrived later"] = bounces.arrived(the_network)
    ours.end()
    return found


def hand_over(host, address, mail):
    """Gives a mail with the null sender to the mail server by SMTP, and waits until it is out of the queue."""
    with smtplib.SMTP("127.0.0.1", host.port, timeout=60) as client:
        client.sendmail("", [address], mail)
    waiting.until("an empty queue", host.queue_is_empty)


def deliver(ours, host, number):
    """A failed session with each domain, and the reports about them. NUMBER counts the rounds."""
    for name in NAMES:
        roots.run(host.root, [installed.COMMAND] + SESSION + [
            "--socket", ours.socket, "--domain", name, "--record", "v=TLSRPTv1; rua=mailto:" + destination(name)])
    ours.wait_for_sessions(dict.fromkeys(NAMES, number))
    ours.deliver_today()
    waiting.until("an empty queue", host.queue_is_empty)


def wait_for_entries(ours, number):
    waiting.until("%d suppressed destinations" % number, lambda: len(ours.suppressions()) >= number)


def judge(found, shown):
    """SHOWN is the line about a mail that is no bounce, in the document, or None."""
    if shown:
        require("lines in the log about a mail that is no bounce", sum(shown in line for line in found["log"]), 1)
    require("suppressed before", found["before"] + found["after another mail"], [])
    require("the first reports", bounces.states(found["first"]), dict.fromkeys(NAMES, ["delivered"]))
    require("the report mails that arrive", found["arrived"], sorted(map(destination, (ACCEPTS, RETURNS))))
    (refused, why), = bounces.listed(found, "after the refusal")
    require("suppressed after the refusal", refused, "mailto:" + destination(REFUSES))
    require("the reason has the answer of the server", bounces.smtp_server.REFUSAL.split()[1] in why, True)
    returned = ("mailto:" + destination(RETURNS), bounces.RETURN_REASON)
    require("suppressed after the return", bounces.listed(found, "after the return"), [(refused, why), returned])
    require("the second reports", bounces.states(found["second"]),
            {ACCEPTS: ["delivered"], REFUSES: ["suppressed"], RETURNS: ["suppressed"]})
    require("the report mails that arrive later", found["arrived later"], [destination(ACCEPTS)])


def check(context, document, kind, about, shown, **others):
    """The commands of the document that configure the mail server, and those of docs/delivering.md that make the user."""
    configure = documents.commands(context.checkout, document, HEADING).replace(EXAMPLE_DOMAIN, certificates.MAIL_HOST)
    found = context.call(
        "scenarios.bounces_other:observe", kind=kind, program=command.built(context.checkout), configure=configure,
        network_arguments=network.open_arguments(), **others, **bounces.user_commands(context))
    judge(found, shown)
    return Row("%s of Debian 13, tlsrpt deliver as the user `%s`, set up by the commands of docs/%s" % (about, USER, document),
               "a destination that answers 550 and one whose server sends a bounce later are suppressed for a day, and their next "
               "reports are not sent; one that accepts is not suppressed")


def check_exim(context):
    shown = documents.block(context.checkout, "exim.md", bounces.TEST_HEADING, "text").strip().rpartition("...")[2]
    return check(context, "exim.md", "Exim", "Exim 4.98", shown,
                 lower=exim_debian.root(exim_debian.HEAVY), installed_files=[project.packaged(context.checkout, "install-exim")])


def check_sendmail(context):
    return check(context, "sendmail.md", "Sendmail", "Sendmail 8.18", None,
                 lower=roots.stable_with("sendmail", sendmail.PACKAGES),
                 installed_files=[project.packaged(context.checkout, "install")])


SCENARIOS = [Scenario("bounces-exim", "report mails that come back through Exim, by docs/exim.md", check_exim),
             Scenario("bounces-sendmail", "report mails that come back through Sendmail, by docs/sendmail.md", check_sendmail)]
