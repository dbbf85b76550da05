"""`tlsrpt check` finds each planted fault of Debian's unmodified Exim and Sendmail, and nothing on sound hosts."""

from harness import (check_exim_dkim_faults, check_exim_faults, check_faults, check_sendmail_faults, check_units_faults, checked_exim,
                     checked_exim_dkim, checked_sendmail, checked_units, command, documents, exim_debian, network, project, roots, sendmail, service_manager)
from harness.exim_debian import HEAVY, LIGHT, SECTIONS, SPLIT, UNSPLIT
from harness.scenario import Row, Scenario

EXIM, SENDMAIL = "exim.md", "sendmail.md"


def observe_exim(program, root, installed, network_arguments, layout, commands):
    """In a namespace: the wrong results of the table of faults, and of the sound states."""
    host = checked_exim.EximHost(program, root, installed, network_arguments, layout, commands)
    return check_faults.try_table(host, check_exim_faults)


def observe_exim_dkim(program, root, installed, network_arguments, layout, commands):
    """In a namespace: the same with an Exim that signs report mails."""
    host = checked_exim_dkim.SigningEximHost(program, root, installed, network_arguments, layout, commands)
    return check_faults.try_table(host, check_exim_dkim_faults)


def observe_light(program, root, installed, network_arguments, commands):
    """In a namespace: the findings with the Exim that Debian installs by itself, which has no ${dlfunc}."""
    host = checked_exim.EximHost(program, root, installed, network_arguments, UNSPLIT, commands)
    return check_faults.try_unfit(host, check_exim_faults.LIGHT)


def check_light(context):
    wrong = context.call("scenarios.check_others:observe_light", program=command.built(context.checkout),
                         root=exim_debian.root(LIGHT), installed=project.packaged(context.checkout, "install-exim"),
                         network_arguments=network.open_arguments(), commands=commands_of_exim(context, UNSPLIT))
    check_faults.require_none(wrong)
    return Row("tlsrpt check --exim, exim4-daemon-light of Debian 13", "it is found that this Exim cannot call the module")


def commands_of_exim(context, layout):
    return documents.commands(context.checkout, EXIM, SECTIONS[layout])


def call_exim(context, observe, layout):
    """Calls a function with the arguments of a host with Exim."""
    return context.call("scenarios.check_others:" + observe, program=command.built(context.checkout), root=exim_debian.root(HEAVY),
                        installed=project.packaged(context.checkout, "install-exim"), network_arguments=network.open_arguments(),
                        layout=layout, commands=commands_of_exim(context, layout))


def check_exim_dkim(context):
    wrong = call_exim(context, "observe_exim_dkim", SPLIT)
    return check_faults.row("tlsrpt check --exim, the DKIM signatures of Exim 4.98 of Debian 13", check_exim_dkim_faults, wrong)


def check_exim(context, layout):
    wrong = call_exim(context, "observe_exim", layout)
    return check_faults.row("tlsrpt check --exim, Exim 4.98 of Debian 13, %s, set up by docs/exim.md" % SECTIONS[layout].partition(", ")[2],
                            check_exim_faults, wrong)


def observe_sendmail(program, root, installed, network_arguments, commands):
    """In a namespace: the same with Sendmail."""
    host = checked_sendmail.SendmailHost(program, root, installed, network_arguments, commands)
    return check_faults.try_table(host, check_sendmail_faults)


def check_sendmail(context):
    wrong = context.call("scenarios.check_others:observe_sendmail", program=command.built(context.checkout),
                         root=roots.stable_with("sendmail", sendmail.PACKAGES), network_arguments=network.open_arguments(),
                         installed=project.packaged(context.checkout, "install-sendmail"),
                         commands=documents.commands(context.checkout, SENDMAIL, "Configure Sendmail"))
    return check_faults.row("tlsrpt check --sendmail, Sendmail 8.18 of Debian 13, set up by docs/sendmail.md", check_sendmail_faults,
                            wrong)


def observe_units(lower, installed, mountpoint, checkout):
    """In a namespace: the wrong results of the table of faults of the units."""
    host = checked_units.UnitsHost(lower, installed, mountpoint, checkout)
    return check_faults.try_all(host, check_units_faults.ALL)


def check_units(context):
    wrong = context.call("scenarios.check_others:observe_units", lower=service_manager.root(), mountpoint=network.mountpoint(),
                         installed=project.packaged(context.checkout, "install"), checkout=context.checkout)
    check_faults.require_none(wrong)
    return Row("tlsrpt check --postfix under Debian 13's systemd, as make install installs the units",
               "%d planted faults, each found; what is pasted mends each, also after a restart" % len(check_units_faults.ALL))


SCENARIOS = [Scenario("check-sendmail", "tlsrpt check finds faults of Sendmail", check_sendmail),
             Scenario("check-units", "tlsrpt check finds faults of the units of systemd", check_units),
             Scenario("check-exim-dkim", "tlsrpt check finds faults of the DKIM signatures of Exim", check_exim_dkim),
             Scenario("check-exim-light", "tlsrpt check finds an Exim that cannot report", check_light)] + [
    Scenario("check-exim-" + layout, "tlsrpt check finds faults of Exim, with Debian's %s" % SECTIONS[layout].partition(", ")[2],
             lambda context, layout=layout: check_exim(context, layout))
    for layout in (UNSPLIT, SPLIT)]
