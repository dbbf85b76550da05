"""Faults of the programs that look up MTA-STS policies for Postfix, for `tlsrpt check --postfix`."""

import socket
import threading

from harness import mta_sts
from harness.check_faults import PASTE, Fault
from harness.check_postfix_faults import both, option, set_to
from harness.checked import WARN

CHECK = "mta-sts"
NO_POLICY = "good.test"
TLSPOL = ("127.0.0.1", 8642)
WITHOUT, WITH = "QUERY", "QUERYwithTLSRPT"
# The answers of postfix-tlspol about the domain with a policy, as its documentation has them. Its program, in Go, is in none of
# Debian's releases: a server of the harness gives the answers.
PLAIN = "OK secure match=mx.%s servername=hostname" % mta_sts.DOMAIN
ATTRIBUTES = " policy_type=sts policy_domain=%s { policy_string = version: STSv1 }" % mta_sts.DOMAIN
TLSPOL_ANSWERS = {WITHOUT: PLAIN, WITH: PLAIN + ATTRIBUTES}
held = []  # sockets that stay open


def resolver(change):
    """Another configuration of mta-sts-daemon."""
    def plant(host):
        host.write(mta_sts.CONFIGURATION, change(host.read(mta_sts.CONFIGURATION)))
        host.serve("restart", mta_sts.UNIT)
    return plant


def tlsrpt_off(text):
    return text.replace(mta_sts.TLSRPT_ON, "")


def tlspol(name):
    """Postfix asks postfix-tlspol for a map with this name."""
    def plant(host):
        if not held:
            held.append(socket.create_server(TLSPOL))
            threading.Thread(target=serve_tlspol, daemon=True).start()
        set_to("smtp_tls_policy_maps=socketmap:inet:%s:%d:%s" % (TLSPOL + (name,)))(host)
    return plant


def serve_tlspol():
    while True:
        client, _ = held[0].accept()
        threading.Thread(target=answer_tlspol, args=(client,), daemon=True).start()


def answer_tlspol(client):
    """Answers the questions of one client: netstrings with the name of the map and the key."""
    with client, client.makefile("rb") as questions:
        while True:
            length = b""
            while not length.endswith(b":"):
                byte = questions.read(1)
                if not byte:
                    return
                length += byte
            name, _, key = questions.read(int(length[:-1])).decode().partition(" ")
            questions.read(1)
            answer = TLSPOL_ANSWERS[name] if key == mta_sts.DOMAIN else "NOTFOUND "
            client.sendall(b"%d:%s," % (len(answer), answer.encode()))


ALL = (
    Fault("postfix-mta-sts-resolver without tlsrpt", resolver(tlsrpt_off), {CHECK: WARN}, "attributes of TLSRPT",
          mta_sts.CONFIGURATION, PASTE),
    Fault("postfix-mta-sts-resolver without tlsrpt, and a domain without a policy is asked", resolver(tlsrpt_off), {CHECK: WARN},
          "attributes of TLSRPT", mta_sts.CONFIGURATION, PASTE, options=["--postfix", "--sts-domain", NO_POLICY]),
    Fault("postfix-mta-sts-resolver with Debian's own configuration", resolver(lambda text: mta_sts.DEBIANS), {CHECK: WARN},
          "attributes of TLSRPT", mta_sts.CONFIGURATION, PASTE),
    Fault("smtp alone asks it, in master.cf", both(resolver(tlsrpt_off), option("smtp", "smtp_tls_policy_maps=" + mta_sts.MAP),
                                                   set_to("smtp_tls_policy_maps=")),
          {CHECK: WARN}, "attributes of TLSRPT", mta_sts.CONFIGURATION, PASTE),
    Fault("postfix-mta-sts-resolver does not run", lambda host: host.resolver.stop(), {CHECK: WARN}, "no answer",
          "postfix-mta-sts-resolver"),
    Fault("postfix-mta-sts-resolver is asked at another port",
          set_to("smtp_tls_policy_maps=" + mta_sts.MAP.replace("8461", "8462")), {CHECK: WARN}, "8462", "postfix-mta-sts-resolver"),
    Fault("postfix-tlspol is asked for QUERY", tlspol(WITHOUT), {CHECK: WARN}, "asks postfix-tlspol for QUERY", WITH, PASTE),
)

# States in which all is reported: nothing may be found.
SOUND = (
    ("postfix-tlspol is asked for QUERYwithTLSRPT", tlspol(WITH)),
    ("tlsrpt in the zone, and no default", resolver(lambda text: text.replace("tlsrpt: true", "tlsrpt: yes  # for reports"))),
)
