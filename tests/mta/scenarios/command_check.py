"""`tlsrpt check --postfix` of Debian's unmodified Postfix, configured correctly and wrongly."""

import json
import os
import re
import shutil
import subprocess

from harness import command, debian_packages, network, postfix, recorder, roots
from harness.scenario import CANDIDATE, Problem, Row, Scenario

COMMAND = "/usr/local/bin/tlsrpt"
CHECK = [COMMAND, "check", "--postfix", "--format", "json"]
SOCKET_UNIT = "packaging/systemd/tlsrpt.socket"
UNITS = "/usr/lib/systemd/system"
# As in the README, which has some lines of what this prints on a terminal of this width.
SHOWN = ["COLUMNS=88", COMMAND, "check", "--postfix"]
DOCUMENT = "README.md"
DOCUMENTED = re.compile(r"^# tlsrpt check --postfix\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOCKET = postfix.SETTINGS["smtp_tlsrpt_socket_name"]
SOCKET_MODE = 0o660


def observe(program, socket_unit, root, library, version, network_arguments):
    """In a namespace: {state of the mail host: [exit code, {check: status that is not OK}]}; and what a terminal shows
    where reporting is off and there is no socket."""
    the_network = network.Network(**network_arguments)
    host = postfix.Postfix(the_network, root, library)
    shutil.copy(program, host.root + COMMAND)
    shutil.copy(socket_unit, host.root + UNITS)
    host.start()
    host.run("postconf", "-e", "smtp_tlsrpt_enable=no")
    lines = run_check(host, SHOWN).stdout.decode().splitlines()
    host.run("postconf", "-e", "smtp_tlsrpt_enable=yes")
    seen = {"no socket": check(host)}
    recording = recorder.Recorder(host.socket).start()
    folder = os.path.dirname(host.socket)
    seen["everybody may write"] = check(host)
    os.chown(host.socket, -1, host.group())
    os.chmod(host.socket, SOCKET_MODE)
    seen["all is well"] = check(host)
    message = findings(host)[1]["library"]["message"]
    if "loads libtlsrpt %s from /" % version not in message:
        raise Problem("the version %s is not in: %s" % (version, message))
    for what, change, back in (
            ("off", ["smtp_tlsrpt_enable=no"], ["smtp_tlsrpt_enable=yes"]),
            ("no name", ["smtp_tlsrpt_socket_name="], ["smtp_tlsrpt_socket_name=" + SOCKET]),
            ("an absolute name, which the chroot puts below the queue",
             ["smtp_tlsrpt_socket_name=/" + SOCKET], ["smtp_tlsrpt_socket_name=" + SOCKET]),
            ("a long name", ["smtp_tlsrpt_socket_name=" + "x" * 108], ["smtp_tlsrpt_socket_name=" + SOCKET])):
        host.run("postconf", "-e", *change)
        seen[what] = check(host)
        host.run("postconf", "-e", *back)
    host.run("postconf", "-e", "smtp_tls_connection_reuse=yes")
    seen["tlsproxy on"] = check(host)
    host.run("postconf", "-MX", "tlsproxy/unix")
    seen["tlsproxy off"] = check(host)
    host.run("postconf", "-e", "smtp_tls_connection_reuse=no")
    os.chmod(folder, 0o700)
    seen["a closed folder"] = check(host)
    os.chmod(folder, 0o755)
    os.chmod(host.socket, 0o600)
    seen["a closed socket"] = check(host)
    os.chmod(host.socket, SOCKET_MODE)
    os.unlink(host.installed_library())
    without = run_check(host)
    if without.returncode != 1 or b"libtlsrpt.so.0" not in without.stderr:
        raise Problem("postconf does not start without the library, and tlsrpt check prints: %r" % without.stderr)
    if recording.count():
        raise Problem("the check sent %d datagrams" % recording.count())
    return seen, lines


def run_check(host, check_command=CHECK):
    return subprocess.run(["chroot", host.root, "/usr/bin/env", "-i", "PATH=" + roots.PATH] + check_command,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def findings(host):
    """The exit code, and the findings by check."""
    run = run_check(host)
    if run.stderr:
        raise Problem("tlsrpt check prints on standard error: %s" % run.stderr.decode("utf-8", "replace"))
    found = [json.loads(line) for line in run.stdout.decode().splitlines()]
    return run.returncode, {finding["check"]: finding for finding in found}


def check(host):
    """The exit code, and the findings that are not OK. Not compared: the queue length is the namespace's, the reader
    of the socket is the recorder of this test, which is no known collector, and there is no tlsrpt.toml with a sender of reports."""
    code, found = findings(host)
    return [code, {name: finding["status"] for name, finding in found.items()
                   if finding["status"] != "OK" and name not in ("queue length", "collector", "reports")}]


EXPECTED = {
    "no socket": [1, {"socket": "FAIL"}],
    "everybody may write": [0, {"permission": "WARN"}],
    "all is well": [0, {}],
    "off": [1, {"enabled": "FAIL"}],
    "no name": [1, {"name": "FAIL"}],
    "an absolute name, which the chroot puts below the queue": [0, {}],
    "a long name": [1, {"name": "FAIL"}],
    "tlsproxy on": [0, {}],
    "tlsproxy off": [1, {"tlsproxy": "FAIL"}],
    "a closed folder": [1, {"directories": "FAIL"}],
    "a closed socket": [1, {"permission": "FAIL"}],
}


def check_one(context, library, version):
    seen, lines = context.call("scenarios.command_check:observe", program=command.built(context.checkout),
                               socket_unit=os.path.join(context.checkout, SOCKET_UNIT),
                               root=roots.debian(roots.STABLE), library=library, version=version,
                               network_arguments=network.open_arguments())
    require_documented(context.checkout, lines)
    wrong = {what: (seen.get(what), expected) for what, expected in EXPECTED.items() if seen.get(what) != expected}
    if wrong:
        raise Problem("\n".join("%s: found %s, expected %s" % (what, found, expected)
                                for what, (found, expected) in sorted(wrong.items())))


def require_documented(checkout, lines):
    """Raises Problem if a line that the document shows is not among these. Numbers may differ."""
    with open(os.path.join(checkout, DOCUMENT), encoding="utf-8") as document:
        shown = [line for line in DOCUMENTED.search(document.read()).group(1).splitlines() if line != "..."]
    missing = [line for line in shown if not any(re.fullmatch(re.sub(r"\d+", r"\\d+", re.escape(line)), printed)
                                                 for printed in lines)]
    if missing or len(shown) < 2:
        raise Problem("%s shows\n%s\ntlsrpt check prints\n%s" % (DOCUMENT, "\n".join(missing), "\n".join(lines)))


def check_all(context):
    """With Debian 13's own library, which has no version function, and with ours."""
    check_one(context, None, "%s or earlier" % debian_packages.DEBIAN_13)
    check_one(context, context.libraries[CANDIDATE], "0.5.1")
    return Row("tlsrpt check --postfix, on Debian 13's Postfix with its own libtlsrpt and with ours",
               "the findings and exit codes for %d states of a mail host, correct and wrong; the lines in %s" % (
                   len(EXPECTED), DOCUMENT))


SCENARIOS = [Scenario("command-check", "tlsrpt check of a Postfix that is configured correctly and wrongly", check_all)]
