"""Which document is run on which machine."""

import os
from dataclasses import dataclass, field

import hosts
import pasting
from harness import namespace


@dataclass
class Machine:
    """The root filesystem of a document's machine, and what has been done on it before: [(document, section)], up to this section
    of that document. PREPARE names a function of preparations.py. The chapters APART are other ways to do the same: each has
    a machine of its own."""

    root: object
    before: list = field(default_factory=list)
    prepare: str = None
    apart: list = field(default_factory=list)

    def run(self, document, common):
        """Runs the document; what pasting.run returns, from all machines."""
        ran = []
        for chapters in [None] + [[chapter] for chapter in self.apart]:
            seen = namespace.call("pasting:run", dict(
                common, lower=self.root(), before=self.before, document=document, chapters=chapters, without=self.apart,
                prepare=self.prepare))
            ran += seen["ran"]
            if seen["wrong"]:
                break
        return {"ran": ran, "wrong": seen["wrong"]}


FIRST, LAST = "collector-and-reporter.md", "Undo it"
OPERATORS = {
    FIRST: Machine(hosts.postfix_root),
    "installing.md": Machine(hosts.postfix_root, prepare="checkout"),
    "postfix.md": Machine(hosts.postfix_root, [(FIRST, LAST)], "mta_sts"),
    "coming-from-tlsrpt-reporter.md": Machine(hosts.postfix_root, prepare="tlsrpt_reporter", apart=["Keep tlsrpt-reportd"]),
    "other-servers.md": Machine(hosts.postfix_root),
    "collecting.md": Machine(hosts.postfix_root, [(FIRST, "3. Say who reports")], "web_server"),
    "delivering.md": Machine(hosts.postfix_root, [(FIRST, LAST)]),
    "received.md": Machine(hosts.postfix_root, [(FIRST, LAST)]),
    "many-hosts.md": Machine(hosts.database_root, [(FIRST, "3. Say who reports")]),
    "exim.md": Machine(hosts.exim_root),
    "sendmail.md": Machine(hosts.sendmail_root),
}
# Documents that are not for operators, and containers.md, which the scenario `containers` runs.
OTHERS = ["architecture.md", "command.md", "containers.md", "datagram.md", "differences.md", "hostile-records.md",
          "interface.md", "performance.md", "platforms.md", "releasing.md", "reliability.md", "security.md"]


def unlisted():
    """What is wrong with the two lists."""
    return ["docs/%s: is it for operators? tests/docs/site_map.py has to say it" % name
            for name in sorted(os.listdir(pasting.DOCUMENTS)) if name.endswith(".md") and name not in list(OPERATORS) + OTHERS]
