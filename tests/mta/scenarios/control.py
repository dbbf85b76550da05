"""A control: the comparison must report the C library with one letter changed, and name the domain."""

import os

from harness import compare, delivery, network, postfix, recorder, roots
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

DOMAIN = "sts-self-signed.test"
FORMAT, CHANGED_FORMAT = b'"mx-host"', b'"mx-h0st"'


def observe(library, root, network_arguments, change):
    """In a namespace: one mail, with the unchanged library or with one letter changed."""
    the_network = network.Network(**network_arguments)
    if change:
        library = changed_copy(library, the_network.folder)
    host = postfix.Postfix(the_network, root, library)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    seen = delivery.deliver(host, recording, [DOMAIN])
    host.require_library("smtp")
    host.stop()
    return {"one mail": seen}


def changed_copy(library, folder):
    """A copy of the library with a different attribute name."""
    with open(library, "rb") as original:
        content = original.read()
    if FORMAT not in content:
        raise RuntimeError("%s has no %s to change" % (library, FORMAT.decode()))
    path = os.path.join(folder, "changed.so")
    with open(path, "wb") as changed:
        changed.write(content.replace(FORMAT, CHANGED_FORMAT))
    return path


def check(context):
    arguments = {"root": roots.debian(roots.STABLE), "network_arguments": network.open_arguments(),
                 "library": context.libraries[REFERENCE]}
    rounds = {label: context.call("scenarios.control:observe", change=label == CANDIDATE, **arguments)
              for label in (REFERENCE, CANDIDATE)}
    try:
        compare.same(rounds)
    except Problem as noticed:
        shown = [DOMAIN, FORMAT.decode(), CHANGED_FORMAT.decode(), "mail log with", "status=deferred"]
        left_out = [text for text in shown if text not in str(noticed)]
        if left_out:
            raise Problem("the difference is reported, but its description lacks %s:\n%s" % (left_out, noticed))
        return Row("the C library and a copy with one letter changed",
                   "the comparison reports the difference and names the domain")
    raise Problem("the comparison does not report a library with one letter changed")


SCENARIOS = [Scenario("control", "a control: the comparison reports a library with one letter changed", check)]
