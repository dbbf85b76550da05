"""`tlsrpt check --postfix` finds each planted fault of Debian's unmodified Postfix, and nothing on a sound host."""

from harness import check_dkim_faults, check_faults, check_postfix_faults, check_socket_faults, checked, command, debian_packages, network, roots
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

TABLES = {"postfix": check_postfix_faults.ALL, "socket": check_socket_faults.ALL, "dkim": check_dkim_faults.ALL}


def observe(table, program, root, library, network_arguments):
    """In a namespace: the wrong results of a table of faults."""
    host = checked.PostfixHost(program, root, library, network_arguments)
    return check_faults.try_all(host, TABLES[table])


def check(context, table, about, library):
    wrong = context.call("scenarios.check_faults:observe", table=table, program=command.built(context.checkout),
                         root=roots.debian(roots.STABLE), library=library and context.libraries[library],
                         network_arguments=network.open_arguments())
    if wrong:
        raise Problem("\n".join(wrong))
    return Row(about, "%d planted faults, each found, with the remedy; none is found without" % len(TABLES[table]))


def observe_sound(program, root, library, network_arguments):
    """In a namespace: the findings on sound hosts, and what `tlsrpt check` says of the library."""
    host = checked.PostfixHost(program, root, library, network_arguments)
    said = [finding["message"] for finding in host.check()[1] if finding["check"] == "library"]
    return check_faults.try_sound(host, check_postfix_faults.SOUND), said


def check_sound(context):
    wrong = []
    for library, named in ((None, debian_packages.DEBIAN_13), (REFERENCE, "0.5.1"), (CANDIDATE, "0.5.1")):
        found, said = context.call("scenarios.check_faults:observe_sound", program=command.built(context.checkout),
                                   root=roots.debian(roots.STABLE), library=library and context.libraries[library],
                                   network_arguments=network.open_arguments())
        wrong += ["with %s: %s" % (library or "Debian's own library", text) for text in found]
        if not any(named in text for text in said):
            wrong.append("with %s: the version %s is not in %s" % (library or "Debian's own library", named, said))
    if wrong:
        raise Problem("\n".join(wrong))
    return Row("tlsrpt check --postfix, Postfix 3.10 of Debian 13 with its own libtlsrpt, with 0.5.1 and with ours",
               "%d sound hosts each: a mail causes one event, and nothing is found" % len(check_postfix_faults.SOUND))


SCENARIOS = [
    Scenario("check-sound", "tlsrpt check finds nothing on sound hosts with Postfix", check_sound),
    Scenario("check-postfix", "tlsrpt check finds faults of Postfix's configuration",
             lambda context: check(context, "postfix", "tlsrpt check --postfix, Postfix 3.10 of Debian 13 with its own libtlsrpt", None)),
    Scenario("check-socket", "tlsrpt check finds faults of the collector and its socket",
             lambda context: check(context, "socket", "tlsrpt check --postfix, Postfix 3.10 of Debian 13 with our library", CANDIDATE)),
    Scenario("check-dkim", "tlsrpt check finds faults of the signatures of report mails",
             lambda context: check(context, "dkim", "tlsrpt check --postfix, the DKIM signatures of tlsrpt deliver", CANDIDATE)),
]
