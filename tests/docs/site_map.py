"""Which document is run on which machine."""

import os
from dataclasses import dataclass, field

import hosts
import pasting
from harness import namespace


@dataclass
class Machine:
    """The root filesystem of a document's machine, and what has been done on it before: [(document, section)], up to this section
    of that document. PREPARE names a function of preparations.py."""

    root: object
    before: list = field(default_factory=list)
    prepare: str = None

    def run(self, document, common):
        """Runs the document; what pasting.run returns."""
        return namespace.call("pasting:run", dict(
            common, lower=self.root(), before=self.before, document=document, prepare=self.prepare))


FIRST, LAST = "collector-and-reporter.md", "Undo it"
OPERATORS = {
    FIRST: Machine(hosts.postfix_root),
    "postfix.md": Machine(hosts.postfix_root, [(FIRST, LAST)]),
    "exim.md": Machine(hosts.exim_root),
}
# Documents that are not for operators, and others that do not run yet. containers.md has a test of its own (tests/containers).
OTHERS = ["architecture.md", "command.md", "containers.md", "datagram.md", "differences.md", "hostile-records.md", "interface.md",
          "performance.md", "platforms.md", "releasing.md", "reliability.md", "security.md", "collecting.md",
          "coming-from-tlsrpt-reporter.md", "delivering.md", "many-hosts.md", "other-servers.md", "received.md", "sendmail.md"]


def unlisted():
    """What is wrong with the two lists."""
    return ["docs/%s: is it for operators? tests/docs/site_map.py has to say it" % name
            for name in sorted(os.listdir(pasting.DOCUMENTS)) if name.endswith(".md") and name not in list(OPERATORS) + OTHERS]
