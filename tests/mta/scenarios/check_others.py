"""`tlsrpt check` finds each planted fault of Debian's unmodified Exim, and nothing on sound hosts."""

from harness import (check_exim_faults, check_faults, checked_exim, command, documents,
                     exim_debian, network, project)
from harness.exim_debian import HEAVY, SECTIONS
from harness.scenario import Problem, Row, Scenario

EXIM = "exim.md"


def observe_exim(program, root, installed, network_arguments, layout, commands):
    """In a namespace: the wrong results of the table of faults, and of the sound states."""
    host = checked_exim.EximHost(program, root, installed, network_arguments, layout, commands)
    return check_faults.try_all(host, check_exim_faults.ALL) + check_faults.try_sound(host, check_exim_faults.SOUND)


def check_exim(context, layout):
    installed = project.packaged(context.checkout, "install-exim")
    wrong = context.call("scenarios.check_others:observe_exim", program=command.built(context.checkout), root=exim_debian.root(HEAVY),
                         installed=installed, network_arguments=network.open_arguments(), layout=layout,
                         commands=documents.commands(context.checkout, EXIM, SECTIONS[layout]))
    return row("tlsrpt check --exim, Exim 4.98 of Debian 13, %s, set up by docs/exim.md" % SECTIONS[layout].partition(", ")[2],
               check_exim_faults, wrong)


def row(about, table, wrong):
    """The line of a table of faults and sound states. Raises Problem if a result was wrong."""
    if wrong:
        raise Problem("\n".join(wrong))
    return Row(about, "%d planted faults, each found, with the remedy; nothing is found in %d sound states" % (
        len(table.ALL), 1 + len(table.SOUND)))


SCENARIOS = [
    Scenario("check-exim-" + layout, "tlsrpt check finds faults of Exim, with Debian's %s" % SECTIONS[layout].partition(", ")[2],
             lambda context, layout=layout: check_exim(context, layout))
    for layout in (exim_debian.UNSPLIT, exim_debian.SPLIT)]
