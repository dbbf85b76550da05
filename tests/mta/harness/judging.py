"""Compares the deliveries and events of a mail server with a table of the expected ones."""

from harness import events, expected
from harness.scenario import Problem


def observe(host, names):
    """Sends one mail from a host to each domain: {domain: [outcome, [datagram]]}, with datagrams about other domains."""
    seen, first = {}, len(host.recording.datagrams)
    for name in names:
        seen[name] = [deliver(host, name), []]
    host.wait_for_events(first, names)
    for datagram in host.recording.datagrams[first:]:
        text = datagram.decode()
        seen.setdefault(events.domain_of(text), ["no mail was sent there", []])[1].append(text)
    return seen


def deliver(host, name):
    """Sends a mail to a domain. What became of it."""
    before = len(host.network.mails)
    answer = host.send(name)
    mails = host.network.mails[before:]
    if mails:
        return expected.TLS if mails[-1]["tls"] else expected.CLEAR
    return expected.DEFERRED if host.waiting(name) else "%s %s" % (expected.FAILED, answer)


def judge(seen, table, mistakes):
    """Raises Problem unless all outcomes and events equal the table's, and if there are MISTAKES, as events.mistakes finds."""
    wrong = list(mistakes)
    for name in sorted(set(table) | set(seen)):
        wanted_outcome, wanted_event = table.get(name, ("", "this domain is not in the table of expected events"))
        found_outcome, datagrams = seen.get(name, ["", []])
        found_events = [events.summary(datagram) for datagram in datagrams]
        if not found_outcome.startswith(wanted_outcome) or found_events != ([wanted_event] if wanted_event else []):
            wrong.append("%s:\n  wanted %s, event: %s\n  found  %s, events: %s%s" % (
                name, wanted_outcome, wanted_event or "none", found_outcome, found_events or "none",
                "".join("\n    " + datagram for datagram in datagrams)))
    if wrong:
        raise Problem("\n".join(wrong))


def all_mistakes(seen, host):
    """The mistakes in all events of an observation."""
    return ["%s: %s in %s" % (name, mistake, datagram) for name, (_, datagrams) in seen.items()
            for datagram in datagrams
            for mistake in events.mistakes(datagram, host.network, host.sending_ip, host.KNOWS_GREETING)]


def counted(seen):
    """The numbers of domains and events, for the table."""
    return "%d domains, %d events" % (len(seen), sum(len(datagrams) for _, datagrams in seen.values()))
