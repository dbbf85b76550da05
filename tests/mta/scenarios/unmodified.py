"""A distribution's unmodified Postfix, with our file in place of its libtlsrpt.so.0, sends to all domains."""

from harness import compare, delivery, domains, network, postfix, recorder, roots
from harness.scenario import CANDIDATE, REFERENCE, Problem, Scenario, Row

# Domains to which a connection is kept open for the next mail.
KEPT_OPEN = "good.test, sts.test, dane.test, ipv6.test"
FIRST, SECOND = "first mail", "second mail"


def observe(library, root, network_arguments, names):
    """In a namespace: two mails to every domain for each combination of Postfix's settings."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root, library)
    recording = recorder.Recorder(host.socket).start()
    rounds = {}
    for reuse in ("no", "yes"):
        for skip in ("no", "yes"):
            settings = {"smtp_tls_connection_reuse": reuse, "smtp_tlsrpt_skip_reused_handshakes": skip,
                        "smtp_connection_cache_destinations": KEPT_OPEN, "smtp_connection_cache_time_limit": "60s",
                        "connection_cache_ttl_limit": "60s",
                        "smtp_tls_session_cache_database": "btree:$data_directory/sessions_%s_%s" % (reuse, skip)}
            host.start(**settings)
            for mail in (FIRST, SECOND):
                label = "smtp_tls_connection_reuse=%s, smtp_tlsrpt_skip_reused_handshakes=%s, %s" % (reuse, skip, mail)
                rounds[label] = delivery.deliver(host, recording, names)
            host.require_library("smtp", *(["tlsproxy"] if reuse == "yes" else []))
            host.stop()
    return {"rounds": rounds, "version": roots.package_version(host.root, "postfix")}


def check(context, suite, number, about):
    """Runs both libraries and compares the observations."""
    names = [domain.name for domain in domains.DOMAINS]
    arguments = {"root": roots.debian(suite), "network_arguments": network.open_arguments(), "names": names}
    seen = context.call_with_each("scenarios.unmodified:observe", **arguments)
    version = seen[REFERENCE]["version"]
    context.versions["postfix of " + suite] = version
    if not version.startswith(number + "."):
        raise Problem("%s has Postfix %s, but this scenario is about Postfix %s" % (suite, version, number))
    rounds = {label: of_library["rounds"] for label, of_library in seen.items()}
    compare.same(rounds)
    require_reuse(rounds[REFERENCE])
    return Row("Postfix %s of %s, unmodified; Debian testing's libtlsrpt0 %s and ours" % (
        number, about, context.reference_version()),
               "%d domains, two mails to each, with each of four settings: %d datagrams byte for byte, %d log lines" % (
                   len(names), compare.count(rounds[CANDIDATE], "datagrams"),
                   compare.count(rounds[CANDIDATE], "events")))


def require_reuse(rounds):
    """Raises Problem unless reused handshakes reduce the number of events with the settings that skip them."""
    counts = {label: compare.count({label: seen}, "datagrams") for label, seen in rounds.items()}
    for label, number in counts.items():
        if "handshakes=yes, " + SECOND in label and number >= counts[label.replace(SECOND, FIRST)]:
            raise Problem("no handshake was reused: %s gave %d datagrams" % (label, number))


def scenario(number, suite, about):
    return Scenario("postfix-" + number, "%s's Postfix, unmodified, to all domains" % about,
                    lambda context: check(context, suite, number, about))


SCENARIOS = [scenario("3.10", roots.STABLE, "Debian 13"), scenario("3.11", roots.TESTING, "Debian testing (forky)")]
