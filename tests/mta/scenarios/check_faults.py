"""`tlsrpt check --postfix` finds each planted fault of Debian's unmodified Postfix, and nothing on a sound host."""

from harness import check_faults, check_postfix_faults, check_socket_faults, checked, command, network, roots
from harness.scenario import CANDIDATE, Problem, Row, Scenario

TABLES = {"postfix": check_postfix_faults.ALL, "socket": check_socket_faults.ALL}


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


SCENARIOS = [
    Scenario("check-postfix", "tlsrpt check finds faults of Postfix's configuration",
             lambda context: check(context, "postfix", "tlsrpt check --postfix, Postfix 3.10 of Debian 13 with its own libtlsrpt", None)),
    Scenario("check-socket", "tlsrpt check finds faults of the collector and its socket",
             lambda context: check(context, "socket", "tlsrpt check --postfix, Postfix 3.10 of Debian 13 with our library", CANDIDATE)),
]
