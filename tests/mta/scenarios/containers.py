"""docs/containers.md: its files and commands, in containers without Docker, from a mail to a report."""

import os
import shutil
import subprocess

from harness import command, compose, containers, documents, domains, network, postfix, reporter, reports, roots, waiting
from harness.scenario import Problem, Row, Scenario

DOCUMENT = "containers.md"
MAILSERVER, MAILCOW = "docker-mailserver", "mailcow"
DOMAIN = "good.test"
PACKAGES = ["supervisor"]
# What the documentation has to set.
SET_BY_DOCUMENT = ("smtp_tlsrpt_enable", "smtp_tlsrpt_socket_name")
ALONE = "1 reports made, 1 deliveries succeeded, 0 failed for good or were suppressed, 0 are left"

# docker-mailserver's first program is supervisord, too. It starts a script, which runs user-patches.sh before Postfix.
CONFIGURATION_FOLDER, STATE_FOLDER = "/tmp/docker-mailserver", "/var/mail-state"
PROGRAMS = """[program:mailserver]
command=/bin/sh -euc '/bin/sh %s/user-patches.sh && supervisorctl start postfix'
autorestart=false
startsecs=0
redirect_stderr=true
stdout_logfile=/var/log/supervisor/mailserver.log

[program:postfix]
command=/usr/sbin/postfix start-fg
autostart=false
autorestart=false
""" % CONFIGURATION_FOLDER


class Server(postfix.Postfix):
    """A mail server in a container, without the settings of TLSRPT and without a folder for the socket."""

    def __init__(self, the_network, lower, name):
        super().__init__(the_network, lower, name=name)
        for setting in SET_BY_DOCUMENT:
            del self.settings[setting]
        os.removedirs(os.path.dirname(self.socket))
        self.run("postconf", "-e", *["%s=%s" % pair for pair in self.settings.items()])
        self.run("postconf", "-M", postfix.TLSPROXY)
        self.require_silence()

    def require_silence(self):
        if self.run("postconf", "-h", SET_BY_DOCUMENT[0]).strip() != "no":
            raise RuntimeError("Postfix reports before the documentation was followed")

    def send_one(self):
        self.send([domains.BY_NAME[DOMAIN].recipient])
        self.wait_until_idle()


def texts(checkout):
    """The files and commands of the document."""
    of = lambda heading, language, number=0: documents.block(checkout, DOCUMENT, heading, language, number)
    return {"toml": of(MAILSERVER, "toml"), "patches": of(MAILSERVER, "sh"), "compose": of(MAILSERVER, "yaml"),
            "look": of(MAILSERVER, "sh", 1), "send": of(MAILSERVER, "sh", 2), "prepare": of(MAILCOW, "sh"),
            "start": of(MAILCOW, "sh", 1), "look in mailcow": of(MAILCOW, "sh", 2), "send in mailcow": of(MAILCOW, "sh", 3)}


def observe_mailserver(program, root, document, network_arguments):
    """In a namespace: one container, in which supervisord has Postfix and `tlsrpt serve`, started twice."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(**network_arguments)
    server = Server(the_network, root, "mailserver")
    docker = containers.Docker(the_network.folder)
    containers.set_sysctls(compose.services(document["compose"])["mailserver"]["sysctls"])
    docker.add("mailserver", server.root)
    furnish_mailserver(server.root, program, document)
    seen = {"managed": os.path.exists(server.root + "/usr/bin/systemctl")}
    process = boot(server)
    server.send_one()
    wait_for_sessions(docker, "mailserver", 1)
    process.terminate()
    process.wait(60)
    containers.end(server.root)
    process = boot(server)
    server.send_one()
    wait_for_sessions(docker, "mailserver", 2)
    seen["look"] = docker.run(document["look"])
    seen.update(sent_report(docker, document["send"], the_network))
    seen["users"] = owners(server.root, STATE_FOLDER + "/tlsrpt/tlsrpt.db", postfix.QUEUE + "/" + postfix.SOCKET)
    seen["version"] = roots.package_version(server.root, "postfix")
    process.terminate()
    seen["ended"] = process.wait(60)
    seen["log"] = command.read(server.root + "/var/log/supervisor/tlsrpt.log")
    return seen


def furnish_mailserver(root, program, document):
    """The folder of the configuration, the volume of the state, and the programs of supervisord."""
    for folder in (CONFIGURATION_FOLDER, STATE_FOLDER):
        os.makedirs(root + folder)
    shutil.copy(program, root + CONFIGURATION_FOLDER + "/tlsrpt")
    for path, text in ((CONFIGURATION_FOLDER + "/tlsrpt.toml", document["toml"]),
                       (CONFIGURATION_FOLDER + "/user-patches.sh", document["patches"]),
                       ("/etc/supervisor/conf.d/programs.conf", PROGRAMS)):
        with open(root + path, "w") as target:
            target.write(text)


def boot(server):
    """Starts the container's first program, and waits until Postfix and the collector run."""
    os.utime(server.root + postfix.MAIN_CF, (0, 0))
    process = subprocess.Popen(["chroot", server.root, "/usr/bin/supervisord", "--nodaemon", "--configuration",
                                "/etc/supervisor/supervisord.conf"], env={"PATH": roots.PATH}, stdin=subprocess.DEVNULL)
    states = lambda: roots.run(server.root, ["supervisorctl", "status", "tlsrpt", "postfix"], check=False)
    waiting.until("the programs of the container", lambda: states().count("RUNNING") == 2 or "EXITED" in states())
    if "EXITED" in states():
        raise RuntimeError("%s\n%s" % (states(), command.read(server.root + "/var/log/supervisor/mailserver.log")))
    waiting.until("the socket", lambda: os.path.exists(server.socket))
    return process


def observe_mailcow(program, root, document, network_arguments):
    """In a namespace: Postfix in one container, `tlsrpt serve` in another, with what the override file says."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(**network_arguments)
    server = Server(the_network, root, "postfix-mailcow")
    docker = containers.Docker(the_network.folder)
    docker.add("postfix-mailcow", server.root)
    os.makedirs(docker.folder + "/data/conf/postfix")
    docker.run(document["prepare"])
    shutil.copy(program, docker.folder + "/data/tlsrpt/tlsrpt")
    services = compose.services(command.read(docker.folder + "/docker-compose.override.yml"))
    seen = {"services": sorted(services), "asked": docker.run(document["start"])}
    collecting = services["tlsrpt-mailcow"]
    containers.set_sysctls(collecting["sysctls"])
    place = collector_root(the_network, root)
    for name, container in (("postfix-mailcow", server.root), ("tlsrpt-mailcow", place)):
        docker.mount(container, services[name]["volumes"])
    docker.add("tlsrpt-mailcow", place, collecting["user"])
    # mailcow's Postfix adds this file to its own at each start.
    with open(server.root + postfix.MAIN_CF, "a") as main_cf:
        main_cf.write(command.read(docker.folder + "/data/conf/postfix/extra.cf"))
    os.utime(server.root + postfix.MAIN_CF, (0, 0))
    server.run("postfix", "start")
    log = os.path.join(the_network.folder, "tlsrpt.log")
    process = containers.start(place, collecting["user"], collecting["command"].split(), log)
    command.until_listening("tlsrpt serve", process, log)
    server.send_one()
    wait_for_sessions(docker, "tlsrpt-mailcow", 1)
    seen["look"] = docker.run(document["look in mailcow"])
    process.terminate()
    seen["ended"] = process.wait(60)
    seen["log"] = command.read(log)
    seen.update(sent_report(docker, document["send in mailcow"], the_network))
    server.stop()
    return seen


def collector_root(the_network, lower):
    """The root filesystem of the image: without Postfix's user and group, and where Docker names the other container."""
    place = roots.overlay(lower, os.path.join(the_network.folder, "tlsrpt-mailcow"))
    roots.run(place, ["sed", "-i", "/^post/d", "/etc/passwd", "/etc/group"])
    for name, text in (("resolv.conf", "nameserver %s\n" % network.RESOLVER), ("hosts", "127.0.0.1 localhost postfix\n")):
        with open("%s/etc/%s" % (place, name), "w") as target:
            target.write(text)
    return place


def sessions(docker, container):
    """The events in the store, by `tlsrpt status`."""
    days = docker.json("docker exec %s tlsrpt status --format json 2>/dev/null" % container)["days"]
    return sum(day["events"] for day in days)


def wait_for_sessions(docker, container, wanted):
    waiting.until("%d events in the store" % wanted, lambda: sessions(docker, container) >= wanted)


def sent_report(docker, commands, the_network):
    """Sends the report of today as the document does: what is printed about it, and what arrives."""
    the_network.mails.clear()
    printed = docker.run(commands)
    waiting.until("the report", lambda: the_network.mails)
    domain, report = reports.from_mail(the_network.mails[0]["data"])
    reports.validate(report)
    return {"printed": [line for line in printed.splitlines() if "reports made" in line], "domain": domain,
            "sessions": report["policies"][0]["summary"]["total-successful-session-count"]}


def owners(root, *paths):
    return [roots.run(root, ["stat", "-c", "%U:%G %a", path]).strip() for path in paths]


def require(seen, wanted):
    for name, value in wanted.items():
        if seen[name] != value:
            raise Problem("%s: expected %r, found %r; all: %s" % (name, value, seen[name], seen))


def check_mailserver(context):
    seen = context.call("scenarios.containers:observe_mailserver", program=command.built(context.checkout),
                        root=roots.stable_with("containers", PACKAGES), document=texts(context.checkout),
                        network_arguments=network.open_arguments())
    require(seen, {"managed": False, "printed": [ALONE], "domain": DOMAIN, "sessions": 2, "ended": 0,
                   "users": ["tlsrpt:tlsrpt 640", "tlsrpt:postfix 660"]})
    if "OK" not in seen["look"].split() or "FAIL" in seen["look"].split() or DOMAIN not in seen["look"]:
        raise Problem("tlsrpt check --postfix:\n" + seen["look"])
    context.versions["postfix in a container"] = seen["version"]
    return Row("Debian 13 without systemd, its Postfix and libtlsrpt, supervisord: docker-mailserver's part of docs/containers.md",
               "a mail, the container started again, a second mail: `tlsrpt deliver --once --day today` sends one report of both; "
               "`tlsrpt check --postfix` finds no fault")


def check_mailcow(context):
    seen = context.call("scenarios.containers:observe_mailcow", program=command.built(context.checkout),
                        root=roots.debian(roots.STABLE), document=texts(context.checkout),
                        network_arguments=network.open_arguments())
    require(seen, {"services": ["postfix-mailcow", "tlsrpt-mailcow"], "printed": [ALONE], "domain": DOMAIN, "sessions": 1,
                   "ended": 0, "asked": "asked: up -d\nasked: restart postfix-mailcow\n"})
    if seen["look"].count(DOMAIN) < 2:
        raise Problem("tlsrpt status and what is due:\n" + seen["look"])
    return Row("Debian 13 without systemd, twice, with shared folders: mailcow's part of docs/containers.md",
               "a mail from the container of Postfix is an event in that of `tlsrpt serve`, whose report leaves through Postfix")


SCENARIOS = [Scenario("containers", "docker-mailserver's files in a root filesystem with supervisord", check_mailserver),
             Scenario("containers-two", "mailcow's files in a root filesystem for Postfix and one for the collector",
                      check_mailcow)]
