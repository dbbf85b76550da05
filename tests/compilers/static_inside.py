"""The functions of tests/compilers/static that run in a namespace. They return {what: [what was seen, whether it is right]}."""

import os
import re
import shutil
import subprocess

import compilers
import musl
from compilers_inside import CHEAP
from harness import certificates, command, domains, network, reporter, reports, site

BUILT = "build/tlsrpt-static"
BY_MAIL, BY_HTTPS = "good.test", "sts.test"
AUTHORITY = "/etc/tlsrpt/authority.pem"
SOCKET = "/run/tlsrpt/tlsrpt.sock"
FOLDERS = ("etc/tlsrpt", "run/tlsrpt", "var/lib/tlsrpt")
CONFIGURATION = """[report]
organization = "{organization}"
contact = "{contact}"
from = "reports@{host}"
[mail]
server = "smtp://{server}:25"
[https]
verify = "require"
allow = ["127.0.0.0/8"]
ports = [{port}]
ca = "{authority}"
"""
DONE = "2 reports made, 2 deliveries succeeded, 0 failed for good or were suppressed, 0 are left"
SUCCESS = "(exit code 0)"


def build(lower, without_library, crates, checkout, target_dir, output, mountpoint):
    """Builds the file into a folder, after each prerequisite was missing once."""
    seen = {}
    missing = compilers.view(without_library, os.path.join(mountpoint, "missing"))
    compilers.give_project(missing, checkout, crates)
    seen["library"] = says(missing, "rustup target add " + musl.TRIPLE)
    inside = compilers.view(lower, os.path.join(mountpoint, "complete"))
    compilers.give_project(inside, checkout, crates)
    seen["compiler"] = says(inside, "apt install musl-tools", "MUSL_CC=no-such-compiler")
    compilers.give_folder(inside, target_dir, compilers.TARGET_DIR)
    compilers.run_in_project(inside, "make static", CARGO_TARGET_DIR=compilers.TARGET_DIR, **CHEAP)
    elf = compilers.run_in_project(inside, "readelf --wide --file-header --program-headers --dynamic " + BUILT)
    # The control: the same words are found in a file that needs libraries.
    control = compilers.run_in_project(inside, "readelf --wide --program-headers --dynamic /bin/true")
    seen["static"] = [elf, not needs(elf) and len(needs(control)) == 2]
    seen["address"] = [elf, re.search(r"Type: +DYN", elf) is not None]
    shutil.copy(inside + os.path.join(compilers.SOURCE, BUILT), output)
    return seen


def says(inside, remedy, *variables):
    """Whether `make static` ends with a message that has the remedy."""
    printed = compilers.run_in_project(inside, "make static %s && echo built" % " ".join(variables), check=False)
    return [printed, remedy in printed and "built" not in printed.split()]


def needs(elf):
    """What a file needs to run, by the output of readelf: a loader, libraries."""
    return set(re.findall("INTERP|NEEDED", elf))


def run(program, root, network_arguments):
    """One report by mail and one by HTTPS, in a root that has the program, a resolv.conf and a configuration."""
    reporter.wait_for_a_day_to_count_on()
    the_network = network.Network(**network_arguments)
    sink = reports.Sink(site.SINK, the_network.server_context(certificates.REPORT_SINK))
    furnish(root, program, the_network)
    messages = os.path.join(the_network.folder, "messages")
    with open(messages, "w") as target:
        collector = subprocess.Popen(["chroot", root, "/tlsrpt", "collect"], stderr=target)
    command.until_listening("tlsrpt collect", collector, messages)
    sent = [in_root(root, "send", "--socket", SOCKET, "--domain", name, "--record", domains.BY_NAME[name].record[0], "--success")
            for name in (BY_MAIL, BY_HTTPS)]
    collector.terminate()
    ended = collector.wait(60)
    printed = in_root(root, "deliver", "--once", "--day", "today")
    mailed = [reports.from_mail(mail["data"]) for mail in the_network.mails]
    posted = [reports.unpacked(body) for _, body in sink.posts]
    return {"collected": [command.read(messages), ended == 0],
            "sent": ["\n".join(sent), all(text.endswith(SUCCESS) for text in sent)],
            "delivered": [printed, DONE in printed],
            "mailed": [str(mailed), [domain for domain, _ in mailed] == [BY_MAIL]],
            "posted": [str(posted), [policy_domains(report) for report in posted] == [[BY_HTTPS]]]}


def policy_domains(report):
    return [entry["policy"]["policy-domain"] for entry in report["policies"]]


def furnish(root, program, the_network):
    """Puts all files into an empty root."""
    for folder in FOLDERS:
        os.makedirs(os.path.join(root, folder))
    shutil.copy(program, root + "/tlsrpt")
    shutil.copy(the_network.certificate(certificates.AUTHORITY) + ".pem", root + AUTHORITY)
    with open(root + "/etc/resolv.conf", "w") as target:
        target.write("nameserver %s\n" % network.RESOLVER)
    with open(root + "/etc/tlsrpt/tlsrpt.toml", "w") as target:
        target.write(CONFIGURATION.format(
            organization=reporter.ORGANIZATION, contact=reporter.CONTACT, host=certificates.MAIL_HOST,
            server=domains.BY_NAME[BY_MAIL].server, port=site.SINK[1], authority=AUTHORITY))


def in_root(root, *arguments):
    """Runs the program in the root and returns its output."""
    outcome = subprocess.run(["chroot", root, "/tlsrpt"] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             universal_newlines=True, check=False)
    return "%s\n(exit code %d)" % (outcome.stdout, outcome.returncode)
