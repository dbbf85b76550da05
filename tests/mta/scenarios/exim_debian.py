"""The commands of docs/exim.md, pasted on Debian: both layouts of its configuration, with and without ${dlfunc}."""

import re

from harness import documents, events, exim_debian, expected, judging, network, project
from harness.exim_debian import HEAVY, LIGHT, SPLIT, UNSPLIT
from harness.scenario import Problem, Row, Scenario

DOCUMENT = "exim.md"
CHECK = "See that it works"
DOMAIN = "good.test"
CASES = [(daemon, layout) for daemon in (LIGHT, HEAVY) for layout in (SPLIT, UNSPLIT)]

OWN_ACL = "my_acl:\n  accept\n    logwrite = own action for $domain\n"
USUAL = re.compile(r"^\.ifdef TLSRPT_EVENT\n.*?^\.endif\n", re.DOTALL | re.MULTILINE)
OWN_LINE = "own action for " + DOMAIN
LOGGED = "TLSRPT: event for %s sent: no-policy-found, success" % DOMAIN
# The macro begins with this text; without the macro the option is empty.
ACTION = "event_action = ${if match{$event_name}"


def observe(root, installed, network_arguments, layout, commands, check, own_action):
    """In a namespace: runs the steps of the documentation one after the other. Returns the result of each."""
    host = exim_debian.DebianExim(network.Network(**network_arguments), root, installed, layout, layout).record()
    host.set_up(commands)
    found = {"shown": host.set_up(check), "as documented": send(host)}
    for name, step in (("with a line for each event", log_events), ("with an action of its own", add_own_action)):
        step(host, own_action)
        host.update()
        found[name] = send(host)
    host.remove_package()
    found["with the package removed"] = send(host)
    return found


def send(host):
    """One mail: its outcome, the events, and the lines of Exim's logs about TLSRPT or the own action."""
    first = len(host.log())
    del host.recording.datagrams[:]
    outcome = judging.deliver(host, DOMAIN)
    host.wait_for_events()
    lines = host.log()[first:] + host.log("panic")
    return {"outcome": outcome,
            "events": [events.summary(datagram.decode()) for datagram in host.recording.datagrams],
            "log": [line for line in lines if "TLSRPT" in line or "dlfunc" in line or "own action" in line]}


def log_events(host, _own_action):
    path = "/etc/exim4/" + ("conf.d/main/00_tlsrpt" if host.layout == SPLIT else "exim4.conf.localmacros")
    host.edit(path, lambda text: "TLSRPT_LOG = yes\n" + text)


def add_own_action(host, own_action):
    """The lines of the documentation for this case in the place of the usual ones."""
    transport, acl = (("conf.d/transport/30_exim4-config_remote_smtp-tlsrpt", "conf.d/acl/90_own")
                      if host.layout == SPLIT else ("exim4.conf.template", None))
    host.edit("/etc/exim4/" + transport, lambda text: USUAL.sub(lambda _: own_action, text))
    if acl:
        host.write("/etc/exim4/" + acl, OWN_ACL)
    else:
        host.edit("/etc/exim4/" + transport, lambda text: text.replace("begin acl\n", "begin acl\n" + OWN_ACL, 1))


def wanted(daemon):
    """The expected result of each step."""
    event = [expected.OPPORTUNISTIC] if daemon == HEAVY else []
    sent = {"outcome": expected.TLS, "events": event, "log": []}
    logged = [LOGGED] if daemon == HEAVY else []
    return {"as documented": sent, "with a line for each event": dict(sent, log=logged),
            "with an action of its own": dict(sent, log=logged + [OWN_LINE]),
            "with the package removed": {"outcome": expected.TLS, "events": [], "log": [OWN_LINE]}}


def check_debian(context):
    check, own = documents.commands(context.checkout, DOCUMENT, CHECK), documents.block(
        context.checkout, DOCUMENT, "With an event_action of your own", "")
    installed = project.packaged(context.checkout, "install-exim")
    wrong = []
    for daemon, layout in CASES:
        found = context.call("scenarios.exim_debian:observe", root=exim_debian.root(daemon), installed=installed,
                             network_arguments=network.open_arguments(), layout=layout, check=check, own_action=own,
                             commands=documents.commands(context.checkout, DOCUMENT, exim_debian.SECTIONS[layout]))
        if (ACTION in found.pop("shown")) != (daemon == HEAVY):
            wrong.append("%s, %s: the check in docs/exim.md shows the wrong thing" % (daemon, layout))
        for step, of_step in wanted(daemon).items():
            lines = sorted(line.partition(" ")[2].partition(" ")[2].partition(" ")[2] for line in found[step]["log"])
            if dict(found[step], log=lines) != dict(of_step, log=sorted(of_step["log"])):
                wrong.append("%s, %s, %s:\n  wanted %s\n  found  %s" % (daemon, layout, step, of_step, found[step]))
    if wrong:
        raise Problem("\n".join(wrong))
    return Row("Exim 4.98, Debian 13, light and heavy, with Debian's configuration, split and unsplit",
               "the commands of docs/exim.md: %d mails delivered, events from heavy only" % (len(CASES) * 4))


SCENARIOS = [Scenario("exim-debian", "the commands of docs/exim.md in Debian's configuration", check_debian)]
