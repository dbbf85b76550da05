"""Built on Debian 13 with Debian's own tools: this library with its Rust, Postfix from source against `make install`."""

import os
import re
import subprocess

from harness import compare, delivery, network, postfix, postfix_source, project, recorder, roots
from harness.scenario import CANDIDATE, REFERENCE, Problem, Row, Scenario

DOMAINS = ["good.test", "sts.test", "sts-self-signed.test", "dane.test", "encrypt-no-tls.test", "ipv6.test"]
SHARED, STATIC = "shared", "static"
ALL_ANSWERED = re.compile(r"(\d+) of (\d+) call sequences answered byte for byte like the reference$")
SYMBOL = "tlsrpt_finish_delivery_request"
REPLAY = os.path.join(project.SOURCE, "tests", "vectors", "replay.py")
SEQUENCES = os.path.join(project.SOURCE, "tests", "vectors", "sequences.jsonl")


def observe_reference(library, root, network_arguments):
    """In a namespace: the observations of Debian's Postfix with the C library."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root, library)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    seen = delivery.deliver(host, recording, DOMAINS)
    host.stop()
    return {"one mail": seen}


def observe(kind, root, objects, checkout, crate_sources, network_arguments):
    """In a namespace: the observations of Postfix from source, linked with our shared or static library."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root)
    project.install(host.root, checkout, crate_sources)
    if kind == STATIC:
        for name in ("libtlsrpt.so", "libtlsrpt.so.0", "libtlsrpt.so.0.0.0"):
            os.unlink(os.path.join(host.root + os.path.dirname(project.INSTALLED), name))
    command = postfix_source.link_and_install(host.root, objects)
    host.place_files(the_network)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    seen = delivery.deliver(host, recording, DOMAINS)
    require_kind(host, kind)
    host.stop()
    return {"rounds": {"one mail": seen}, "command": command,
            "version": host.run("postconf", "-hd", "mail_version").strip()}


def require_kind(host, kind):
    """Raises RuntimeError unless the SMTP client uses our library, linked as KIND says, and not Debian's."""
    if kind == SHARED:
        host.require_library("smtp", path=host.root + project.INSTALLED)
    program = host.root + "/usr/libexec/postfix/smtp"
    defined = subprocess.run(["nm", "--defined-only", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    if (SYMBOL in defined) != (kind == STATIC) or postfix.programs_with(host.installed_library()[len(host.root):]):
        raise RuntimeError("the SMTP client does not have the %s library" % kind)


def check(context, kind):
    crate_sources = project.crates(context.checkout)
    network_arguments = network.open_arguments()
    objects = postfix_source.compiled(context.checkout, crate_sources)
    reference = context.call("scenarios.from_source:observe_reference", library=context.libraries[REFERENCE],
                             root=roots.debian(roots.STABLE), network_arguments=network_arguments)
    seen = context.call("scenarios.from_source:observe", kind=kind, root=roots.build(), objects=objects,
                        checkout=context.checkout, crate_sources=crate_sources, network_arguments=network_arguments)
    compare.same({REFERENCE: reference, CANDIDATE: seen["rounds"]})
    version = ".".join(seen["version"].split(".")[:2])
    context.versions["command of the %s build" % kind] = seen["command"]
    return Row("Postfix %s from upstream's tarball by the commands of its TLSRPT_README, with our %s library from "
               "`make %s`" % (version, kind, project.LIBRARY),
               "%d datagrams and log lines, the same as of the packaged Postfix with the C library" % compare.count(
                   reference, "datagrams"))


def observe_installed(root, checkout, crate_sources, network_arguments):
    """In a namespace: builds the library with Debian's Rust, installs it beside Debian's package, and runs Postfix with it."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root)
    project.install(host.root, checkout, crate_sources)
    printed = roots.run(host.root, ["python3", REPLAY, "check", project.INSTALLED, SEQUENCES], check=False)
    recording = recorder.Recorder(host.socket).start()
    host.start()
    seen = delivery.deliver(host, recording, DOMAINS)
    host.require_library("smtp", path=host.root + project.INSTALLED)
    host.stop()
    return {"printed": printed.strip(), "rust": project.rust_version(host.root), "rounds": {"one mail": seen}}


def check_rust(context):
    arguments = {"network_arguments": network.open_arguments(), "root": roots.build()}
    seen = context.call("scenarios.from_source:observe_installed", checkout=context.checkout,
                        crate_sources=project.crates(context.checkout), **arguments)
    answered = ALL_ANSWERED.search(seen["printed"])
    if not answered or answered.group(1) != answered.group(2):
        raise Problem("the library that rustc %s built gives different results:\n%s" % (seen["rust"], seen["printed"]))
    reference = context.call("scenarios.from_source:observe_reference", library=context.libraries[REFERENCE],
                             **arguments)
    compare.same({REFERENCE: reference, CANDIDATE: seen["rounds"]})
    context.versions["rustc of " + roots.STABLE] = seen["rust"]
    return Row("our library built in Debian 13 with its rustc %s and installed by `make %s` beside Debian's package, whose "
               "Postfix loads it" % (".".join(seen["rust"].split(".")[:2]), project.LIBRARY),
               "%s; %d datagrams and log lines" % (answered.group(), compare.count(seen["rounds"], "datagrams")))


SCENARIOS = [
    Scenario("debian-rust", "the library built by Debian 13's own Rust and installed beside its package", check_rust),
    Scenario("source-shared", "Postfix from source with our shared library", lambda context: check(context, SHARED)),
    Scenario("source-static", "Postfix from source with our static library", lambda context: check(context, STATIC)),
]
