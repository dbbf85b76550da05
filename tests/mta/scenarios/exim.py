"""Debian's Exim, unmodified, with the module that makes it report."""

from harness import domains, events, exim, exim_source, expected, judging, network, project, recorder, roots
from harness.scenario import Problem, Row, Scenario

# Mail to these goes to one mail server.
SHARED = ["self-signed.test", "long-record.test"]
# Exim 4.98 with OpenSSL crashes if no TLSA record is usable, with and without the module.
CRASHES_WITH_OPENSSL = ["dane-unusable.test"]

WITHOUT_SOCKET = "cannot send the datagram to the collector: No such file or directory"
NOBODY_LISTENS = "cannot send the datagram to the collector: Connection refused"


def observe(root, module, network_arguments, names, before=""):
    """In a namespace: one mail to every domain."""
    host = exim.Exim(network.Network(**network_arguments), root, module, before=before).record()
    seen = judging.observe(host, names)
    return {"seen": seen, "mistakes": judging.all_mistakes(seen, host), "version": exim_version(host),
            "log": [line for line in host.log() if "TLSRPT" in line], "panic": host.log("panic")}


def exim_version(host):
    return roots.run(host.root, [exim.PROGRAM, "-bV"]).split()[2]


def check_events(context, root, about, skipped=(), before=""):
    names = [domain.name for domain in domains.DOMAINS if domain.name not in skipped]
    found = context.call("scenarios.exim:observe", root=root, module=project.packaged(context.checkout, "install-exim"), names=names,
                         network_arguments=network.open_arguments(), before=before)
    judging.judge(found["seen"], {name: row for name, row in expected.EXIM.items() if name not in skipped},
                  found["mistakes"])
    if found["log"] or found["panic"]:
        raise Problem("Exim logged:\n" + "\n".join(found["log"] + found["panic"]))
    context.versions["exim, " + about] = found["version"]
    return Row("Exim 4.98, " + about, judging.counted(found["seen"]) + " as in tests/mta/harness/expected.py")


def check_unmodified(context):
    return check_events(context, roots.stable_with("exim", exim.PACKAGES), "Debian 13, unmodified, with GnuTLS")


def check_rebuilt(context):
    root = exim_source.with_openssl(project.packaged(context.checkout, "install-exim"))
    return check_events(context, root, "from source with OpenSSL, the module linked in", CRASHES_WITH_OPENSSL,
                        before="TLSRPT_MODULE =")


def observe_faults(root, module, network_arguments):
    """In a namespace: the same mails with each fault."""
    the_network = network.Network(**network_arguments)
    found = {}
    for case, (before, reporting, socket_there) in CASES.items():
        host = exim.Exim(the_network, root, module, name="exim-" + case.replace(" ", "-"), before=before,
                         reporting=reporting)
        if socket_there:
            host.record()
        elif socket_there is not None:
            # The recorder is not started: its thread would keep the socket open while it waits for a datagram.
            recorder.Recorder(host.socket).socket.close()
        outcomes = {name: judging.deliver(host, name) for name in FAULT_DOMAINS}
        found[case] = {"outcomes": outcomes, "log": [line.partition("TLSRPT: ")[2] for line in host.log()
                                                     if "TLSRPT" in line]}
    return found


WRONG_CALL = "event_action = ${dlfunc{%s}{tlsrpt_event}{%s}{$event_name}}\n  multi_domain = false" % (
    exim.MODULE, exim.SOCKET)
FAULT_DOMAINS = ["good.test", "sts-expired.test", "dane.test", "dane-other.test", "garbage.test"]
REFERENCE = "without reporting"
# The configuration before the snippet, the transport's lines, whether the socket is served (None: it is not there).
CASES = {
    REFERENCE: ("", exim.SILENT, None),
    "no socket": ("", exim.REPORTING, None),
    "nobody listens": ("", exim.REPORTING, False),
    "no socket named": ("TLSRPT_SOCKET =", exim.REPORTING, True),
    "too few arguments": ("", WRONG_CALL, True),
}
LINES = {
    REFERENCE: [],
    "no socket": ["no event for %s: " % name + WITHOUT_SOCKET for name in FAULT_DOMAINS],
    "nobody listens": ["no event for %s: " % name + NOBODY_LISTENS for name in FAULT_DOMAINS],
    "no socket named": ["wrong call: no socket is named; set TLSRPT_SOCKET"] * len(FAULT_DOMAINS),
    "too few arguments": ["wrong call: tlsrpt_event takes seven arguments; take them from tlsrpt.conf"]
    * len(FAULT_DOMAINS),
}


def check_faults(context):
    found = context.call("scenarios.exim:observe_faults", root=roots.stable_with("exim", exim.PACKAGES),
                         module=project.packaged(context.checkout, "install-exim"), network_arguments=network.open_arguments())
    for case, wanted in LINES.items():
        if found[case]["outcomes"] != found[REFERENCE]["outcomes"]:
            raise Problem("%s: %s\n%s: %s" % (REFERENCE, found[REFERENCE]["outcomes"], case, found[case]["outcomes"]))
        if found[case]["log"] != wanted:
            raise Problem("%s: Exim logged\n%s\nnot\n%s" % (case, "\n".join(found[case]["log"]), "\n".join(wanted)))
    return Row("Exim 4.98, Debian 13, unmodified", "%d faults: the same deliveries to %d domains as "
               "without reporting, one line in the log for each" % (len(CASES) - 1, len(FAULT_DOMAINS)))


def observe_connections(root, module, network_arguments):
    """In a namespace: several queued mails to one domain, then one mail to two domains with the same mail server."""
    the_network = network.Network(**network_arguments)
    found = {}
    for case, reporting in (("one domain", exim.REPORTING), ("two domains", exim.REPORTING),
                            ("two domains in one connection", "event_action = TLSRPT_EVENT")):
        host = exim.Exim(the_network, root, module, name="exim-" + case.replace(" ", "-"), reporting=reporting,
                         shared=SHARED).record()
        if case == "one domain":
            for _ in range(WAITING_MAILS):
                host.send("good.test", options=["-odqs"])
            host.run_queue()
        else:
            host.send(*SHARED)
        host.wait_for_events()
        delivered = [line for line in host.log() if " => " in line or " -> " in line]
        found[case] = {
            "events": sorted(events.domain_of(datagram.decode()) for datagram in host.recording.datagrams),
            "deliveries": len(delivered), "connections": sum(" => " in line and "]*" not in line for line in delivered),
            "log": [line.partition("TLSRPT: ")[2] for line in host.log() if "TLSRPT" in line]}
    return found


WAITING_MAILS = 3


def check_connections(context):
    """One event for each connection, not for each mail."""
    found = context.call("scenarios.exim:observe_connections", root=roots.stable_with("exim", exim.PACKAGES),
                         module=project.packaged(context.checkout, "install-exim"), network_arguments=network.open_arguments())
    wanted = {
        "one domain": {"events": ["good.test"], "deliveries": WAITING_MAILS, "connections": 1, "log": []},
        "two domains": {"events": sorted(SHARED), "deliveries": 2, "connections": 2, "log": []},
        "two domains in one connection": {"events": [], "deliveries": 2, "connections": 1, "log": [
            "wrong call: one connection serves several domains; set multi_domain = false on the transport"]},
    }
    if found != wanted:
        raise Problem("wanted %s\nfound  %s" % (wanted, found))
    return Row("Exim 4.98, Debian 13, unmodified",
               "%d mails in one connection: one event; two domains with one mail server: an event for each" % WAITING_MAILS)


def observe_silence(root, module, network_arguments):
    """In a namespace: a mail while DNS answers, and one while it is silent about the TLSRPT record."""
    the_network = network.Network(**network_arguments)
    asked_for = ("_smtp._tls." + SLOW_DOMAIN, "TXT")
    found = {}
    for case in (ANSWERED, UNANSWERED):
        host = exim.Exim(the_network, root, module, name="exim-" + case).record()
        the_network.silent.update([asked_for] if case == UNANSWERED else [])
        the_network.asked.clear()
        host.send(SLOW_DOMAIN)
        host.wait_for_events()
        found[case] = {"queries": the_network.asked.count(asked_for), "events": len(host.recording.datagrams),
                       "delivered": sum(" => user@" + SLOW_DOMAIN in line for line in host.log()),
                       "log": [line for line in host.log() if "TLSRPT" in line]}
    return found


SLOW_DOMAIN = "good.test"
ANSWERED, UNANSWERED = "answered", "unanswered"


def check_silence(context):
    """A DNS server that is silent delays a delivery by one query, which waits two seconds: Exim by itself repeats it."""
    found = context.call("scenarios.exim:observe_silence", root=roots.stable_with("exim", exim.PACKAGES),
                         module=project.packaged(context.checkout, "install-exim"), network_arguments=network.open_arguments())
    wanted = {ANSWERED: {"queries": 1, "events": 1, "delivered": 1, "log": []},
              UNANSWERED: {"queries": 1, "events": 0, "delivered": 1, "log": []}}
    if found != wanted:
        raise Problem("wanted %s\nfound  %s" % (wanted, found))
    return Row("Exim 4.98, Debian 13, unmodified", "DNS is silent about a TLSRPT record: asked once, the mail is delivered, no event")


SCENARIOS = [
    Scenario("exim", "Debian 13's Exim, unmodified, to all domains", check_unmodified),
    Scenario("exim-openssl", "Exim built from source with OpenSSL and the module linked in, to all domains",
             check_rebuilt),
    Scenario("exim-faults", "Exim with no collector, and with mistakes in its configuration", check_faults),
    Scenario("exim-silence", "Exim with a DNS server that does not answer", check_silence),
    Scenario("exim-connections", "Exim with several mails or domains for one connection", check_connections),
]
