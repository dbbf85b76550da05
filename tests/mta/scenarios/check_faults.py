"""`tlsrpt check --postfix` finds each planted fault of Debian's unmodified Postfix, and nothing on a sound host."""

from harness import (check_dkim_faults, check_dkimpy_faults, check_faults, check_milter_faults, check_postfix_faults,
                     check_rspamd_faults, check_socket_faults, check_sts_faults, checked_dkimpy, checked_milter, checked_postfix,
                     checked_rspamd, checked_sts, command, debian_packages, mail_programs, network, reporter, roots)
from harness.scenario import CANDIDATE, REFERENCE, Row, Scenario

TABLES = {"postfix": check_postfix_faults.ALL, "socket": check_socket_faults.ALL, "dkim": check_dkim_faults.ALL}
# What a state means for monitoring: the exit code and the word.
MONITORED = ((lambda host: None, 0, "OK"), (check_postfix_faults.set_to("relayhost=" + check_postfix_faults.RELAY), 1, "WARNING"),
             (check_postfix_faults.set_to("smtp_tlsrpt_enable=no"), 2, "CRITICAL"))
OF_PACKAGE, OURS, C_LIBRARY = "the release candidate in C", "the one of this project, in Rust", "the one in C"


def observe(table, program, root, library, network_arguments):
    """In a namespace: the wrong results of a table of faults."""
    host = checked_postfix.PostfixHost(program, root, library, network_arguments)
    wrong = check_faults.try_all(host, TABLES[table])
    return wrong + (check_faults.try_monitor(host, MONITORED) if table == "postfix" else [])


def check(context, table, about, library):
    wrong = context.call("scenarios.check_faults:observe", table=table, program=command.built(context.checkout),
                         root=roots.debian(roots.STABLE), library=library and context.libraries[library],
                         network_arguments=network.open_arguments())
    check_faults.require_none(wrong)
    return Row(about, "%d planted faults, each found, with the remedy; none is found without" % len(TABLES[table]))


def observe_old(program, root, network_arguments):
    """In a namespace: the wrong results with a Postfix without TLSRPT."""
    host = checked_postfix.PostfixHost(program, root, None, network_arguments)
    return check_faults.try_unfit(host, check_postfix_faults.OLD)


def check_old(context):
    wrong = context.call("scenarios.check_faults:observe_old", program=command.built(context.checkout),
                         root=roots.debian(roots.OLDSTABLE), network_arguments=network.open_arguments())
    check_faults.require_none(wrong)
    return Row("tlsrpt check --postfix, Postfix 3.7 of Debian 12", "it is found that this Postfix has no TLSRPT, and which release has it")


PROGRAMS = {
    "sts": (checked_sts.StsHost, check_sts_faults),
    "milter": (checked_milter.MilterHost, check_milter_faults),
    "dkimpy": (checked_dkimpy.DkimpyHost, check_dkimpy_faults),
    "rspamd": (checked_rspamd.RspamdHost, check_rspamd_faults),
}


def observe_programs(table, program, root, network_arguments):
    """In a namespace: the wrong results of a table of programs beside Postfix."""
    make, faults = PROGRAMS[table]
    host = make(program, root, None, network_arguments)
    return check_faults.try_table(host, faults)


def check_programs(context, table, about, root=mail_programs.root):
    wrong = context.call("scenarios.check_faults:observe_programs", table=table, program=command.built(context.checkout),
                         root=root(), network_arguments=network.open_arguments())
    return check_faults.row("tlsrpt check --postfix, Postfix 3.10 and %s of Debian 13" % about, PROGRAMS[table][1], wrong)


def observe_sound(program, root, library, environment, network_arguments):
    """In a namespace: the findings on sound hosts, what `tlsrpt check` says of the library, and where a test event got."""
    host = checked_postfix.PostfixHost(program, root, library, network_arguments)
    said = [finding["message"] for finding in host.check()[1] if finding["check"] == "library"]
    wrong = check_faults.try_send(host) + check_faults.try_collectd(host, environment)
    return wrong + check_faults.try_sound(host, check_postfix_faults.SOUND), said


def check_sound(context):
    wrong = []
    for suite, library, version, maker in (
            (roots.STABLE, None, debian_packages.DEBIAN_13, OF_PACKAGE), (roots.STABLE, REFERENCE, "0.5.1", C_LIBRARY),
            (roots.STABLE, CANDIDATE, "0.5.1", OURS), (roots.TESTING, None, context.reference_version(), C_LIBRARY)):
        found, said = context.call("scenarios.check_faults:observe_sound", program=command.built(context.checkout),
                                   root=roots.debian(suite), library=library and context.libraries[library],
                                   environment=reporter.environment(), network_arguments=network.open_arguments())
        of_library = "%s with %s" % (suite, library or "Debian's own library")
        wrong += ["%s: %s" % (of_library, text) for text in found]
        if not said or any(version not in text or maker not in text for text in said):
            wrong.append("%s: %s, %s, is not in %s" % (of_library, version, maker, said))
    check_faults.require_none(wrong)
    return Row("tlsrpt check --postfix, Postfix 3.10 of Debian 13 with its own libtlsrpt, with 0.5.1 and with ours; Postfix 3.11 of "
               "Debian testing", "%d sound hosts each, one of them with tlsrpt-collectd: a mail causes one event, nothing is found, a "
               "test event is stored, and the library is named" % (2 + len(check_postfix_faults.SOUND)))


SCENARIOS = [
    Scenario("check-sound", "tlsrpt check finds nothing on sound hosts with Postfix", check_sound),
    Scenario("check-postfix", "tlsrpt check finds faults of Postfix's configuration",
             lambda context: check(context, "postfix", "tlsrpt check --postfix, Postfix 3.10 of Debian 13 with its own libtlsrpt", None)),
    Scenario("check-old-postfix", "tlsrpt check finds a Postfix without TLSRPT", check_old),
    Scenario("check-socket", "tlsrpt check finds faults of the collector and its socket",
             lambda context: check(context, "socket", "tlsrpt check --postfix, Postfix 3.10 of Debian 13 with our library", CANDIDATE)),
    Scenario("check-dkim", "tlsrpt check finds faults of the signatures of report mails",
             lambda context: check(context, "dkim", "tlsrpt check --postfix, the DKIM signatures of tlsrpt deliver", CANDIDATE)),
    Scenario("check-milter", "tlsrpt check finds faults of OpenDKIM's signatures of report mails",
             lambda context: check_programs(context, "milter", "OpenDKIM 2.11")),
    Scenario("check-dkimpy", "tlsrpt check finds faults of dkimpy-milter's signatures of report mails",
             lambda context: check_programs(context, "dkimpy", "dkimpy-milter 1.2", mail_programs.signers)),
    Scenario("check-rspamd", "tlsrpt check finds faults of Rspamd's signatures of report mails",
             lambda context: check_programs(context, "rspamd", "Rspamd 3.12", mail_programs.signers)),
    Scenario("check-sts", "tlsrpt check finds faults of programs that look up MTA-STS policies",
             lambda context: check_programs(context, "sts", "postfix-mta-sts-resolver 1.5 (and answers of postfix-tlspol)")),
]
