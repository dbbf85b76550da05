"""Programs of a receiver of reports, in a Python environment: parsedmarc reads the reports, dkimpy verifies the
signatures."""

import base64
import json
import os
import subprocess
import sys

from harness import cache, certificates, installed

PACKAGES = {"parsedmarc": "11.1.0", "dkimpy": "1.1.8", "pynacl": "1.6.2"}  # dkimpy needs PyNaCl for Ed25519
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "receiver_program.py")


def environment():
    """The Python environment."""
    recipe = {"packages": PACKAGES, "python": [sys.executable, sys.version]}
    return cache.entry("receiver", recipe, make_environment)


def make_environment(path):
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    subprocess.run([os.path.join(path, "bin", "python"), "-m", "pip", "--quiet", "install"]
                   + ["%s==%s" % package for package in PACKAGES.items()], check=True)


def read(environment_folder, key_record, rounds, now=None):
    """Reads and verifies the mails and the posted reports of some rounds (see report_sinks.round_of_reports), at the time NOW, in
    seconds since 1970: a signature from the future is not valid.

    Returns {"mails": [{"verified", "changed verified", "as mail", "as file"}], "files": [parsed]}: whether the signature of a
    mail verifies, whether it still verifies after one letter of the mail was changed, and the report as parsedmarc reads it
    from the mail and from the attachment; the posted reports as parsedmarc reads them.
    """
    mails = [mail for of_round in rounds for _, mail in of_round["mails"]]
    files = [body for of_round in rounds for _, body in of_round["posts"]]
    question = {"name": "%s._domainkey.%s." % (installed.SELECTOR, certificates.MAIL_HOST), "record": key_record, "now": now,
                "mails": [base64.b64encode(mail).decode() for mail in mails],
                "files": [base64.b64encode(file).decode() for file in files]}
    # Without -I, the modules beside the program would hide those of the same name in the environment.
    ran = subprocess.run([os.path.join(environment_folder, "bin", "python"), "-I", PROGRAM], input=json.dumps(question).encode(),
                         stdout=subprocess.PIPE, check=False)
    if ran.returncode != 0:
        raise RuntimeError("%s ended with %d" % (PROGRAM, ran.returncode))
    return json.loads(ran.stdout.decode())
