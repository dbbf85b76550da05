"""The signatures of mails."""

import re

SIGNATURE = re.compile(r"^DKIM-Signature:.*?\bd=([\w.]+)\s*;", re.DOTALL | re.MULTILINE)


def signer(mail):
    """d= of the first signature of a mail; None for a mail without one."""
    found = SIGNATURE.search(mail)
    return found and found.group(1)
