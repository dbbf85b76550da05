"""Requirements of the sender: REQUIRETLS (RFC 8689) with servers that offer it or not, TLS-Required: no on reports."""

from harness import compare, delivery, network, postfix, recorder, roots
from harness.scenario import CANDIDATE, Problem, Row, Scenario

ABLE = "requiretls.test"
REQUIRETLS_TO = [ABLE, "good.test", "no-tls.test", "sts.test", "sts-self-signed.test", "sts-no-tls.test",
                 "sts-rejected.test", "dane.test", "encrypt-no-tls.test"]
REPORT_TO = ["encrypt-no-tls.test", "secure-self-signed.test", "sts-self-signed.test", "sts-expired.test",
             "sts-wrong-name.test", "sts-no-tls.test", "sts-rejected.test", "sts-webpki.test", "sts-fetch.test",
             "dane-other.test", "dane-no-tls.test"]
REPORT_HEADER = "TLS-Required: no\nTLS-Report-Domain: %s\n" % postfix.HOSTNAME
WITH_HEADER, WITHOUT_HEADER = "report with TLS-Required: no", "the same without that header"
WITH_REQUIRETLS = "MAIL FROM with REQUIRETLS"
SENT = "2.0.0 sent"


def observe(library, root, network_arguments, requiretls):
    """In a namespace: the mails of both kinds."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root, library)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    rounds = {WITH_HEADER: delivery.deliver(host, recording, REPORT_TO,
                                            lambda recipients: host.send(recipients, header=REPORT_HEADER))}
    arrived = sorted(mail["server"] for mail in the_network.mails if REPORT_HEADER.split("\n")[0] in mail["data"])
    rounds[WITHOUT_HEADER] = delivery.deliver(host, recording, REPORT_TO)
    asked = []
    if requiretls:
        the_network.mails.clear()
        rounds[WITH_REQUIRETLS] = delivery.deliver(host, recording, REQUIRETLS_TO,
                                                   lambda recipients: host.submit(recipients, ["REQUIRETLS"]))
        asked = [mail["server"] for mail in the_network.mails if "REQUIRETLS" in mail["sender"]]
    host.require_library("smtp")
    host.stop()
    return {"rounds": rounds, "arrived": arrived, "asked": asked}


def check(context, suite, number, requiretls):
    seen = context.call_with_each("scenarios.requirements:observe", root=roots.debian(suite),
                                  network_arguments=network.open_arguments(), requiretls=requiretls)
    compare.same({label: of_library["rounds"] for label, of_library in seen.items()})
    for label, of_library in seen.items():
        expected = sorted("mx." + name for name in REPORT_TO)
        if of_library["arrived"] != expected:
            raise Problem("with %s, reports arrived at %s, but were sent to %s" % (
                label, of_library["arrived"], expected))
        failed = compare.count({0: of_library["rounds"][WITHOUT_HEADER]}, "events")
        if failed != len(REPORT_TO):
            raise Problem("with %s, only %d of %d domains fail without the header" % (label, failed, len(REPORT_TO)))
        if requiretls:
            require_enforcement(label, of_library)
    rounds = seen[CANDIDATE]["rounds"]
    kinds = "report mails with and without TLS-Required: no to %d domains" % len(REPORT_TO)
    if requiretls:
        kinds += ", mails with REQUIRETLS to %d domains" % len(REQUIRETLS_TO)
    return Row("Postfix %s: %s" % (number, kinds),
               "%d datagrams and log lines; every report with the header arrived" % compare.count(rounds, "datagrams")
               + ("; REQUIRETLS was asked of the one server that offers it" if requiretls else ""))


def require_enforcement(label, seen):
    """Raises Problem unless Postfix enforced REQUIRETLS."""
    sent = [name for name in REQUIRETLS_TO if SENT in seen["rounds"][WITH_REQUIRETLS][name]["outcome"]]
    if sent != [ABLE] or seen["asked"] != ["mx." + ABLE]:
        raise Problem("with %s, REQUIRETLS mails were sent to %s, and asked of %s" % (label, sent, seen["asked"]))


def scenario(number, suite, requiretls):
    name = "requirements-" + number
    about = "REQUIRETLS and TLS-Required: no" if requiretls else "TLS-Required: no (there is no REQUIRETLS yet)"
    return Scenario(name, "%s with Postfix %s" % (about, number),
                    lambda context: check(context, suite, number, requiretls))


SCENARIOS = [scenario("3.10", roots.STABLE, requiretls=False), scenario("3.11", roots.TESTING, requiretls=True)]
