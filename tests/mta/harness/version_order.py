"""The order of versions, by the tools that decide about an upgrade."""

from harness import namespace, packaging, roots
from harness.scenario import Problem

# Each answers whether the first version is newer than the second.
DEBIAN, RPM, ARCH = "dpkg", "rpm", "pacman"
SCRIPTS = {DEBIAN: 'dpkg --compare-versions "$0" gt "$1" && echo true || echo false',
           RPM: """rpm --eval "%{lua: print(rpm.ver('$0') > rpm.ver('$1'))}" """,
           ARCH: '[ "$(vercmp "$0" "$1")" = 1 ] && echo true || echo false'}
# Versions of a distribution's own package of libtlsrpt, which must not replace ours; and one that would, which shows that the tool
# compares.
DISTRIBUTIONS = ["0.5.1-2", "0.5.1-99", "0.5.1+git20261101-1", "0.6.0-1"]
LATER = "99.0.0-1"


def judge(version, tool):
    """Raises Problem unless a tool takes VERSION for newer than each of DISTRIBUTIONS, and for older than LATER."""
    others = DISTRIBUTIONS + [LATER]
    found = namespace.call("harness.version_order:newer", {"root": packaging.root(), "tool": tool, "version": version, "others": others})
    if found != [True] * len(DISTRIBUTIONS) + [False]:
        raise Problem("%s: newer than %s: %s" % (version, others, found))


def newer(root, tool, version, others):
    """Whether a version is newer than each of the others, by a tool of a root filesystem."""
    return [roots.run(root, ["sh", "-euc", SCRIPTS[tool], version, other]).strip() == "true" for other in others]
