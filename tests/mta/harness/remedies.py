"""Does what the remedies of `tlsrpt check` say, as an administrator who reads them."""

import re

from harness.checked import OK

# What remedies say of DNS, which no command of the host changes.
PUBLISH = re.compile(r"^publish at (\S+): (v=DKIM1; .*); run: ")
PERMIT = re.compile(r"^add tlsrpt to s= of the record at (\S+), ")
SERVICE = re.compile(r"\bs=\w+")
MOST_STEPS = 4


def follow(host):
    """One remedy after the other, until nothing is found. Returns a text if that does not come."""
    done = []
    for _ in range(MOST_STEPS):
        bad = [finding for finding in host.check()[1] if finding["status"] != OK]
        if not bad:
            return []
        done.append(bad[0]["remedy"])
        change_dns(host, bad[0]["remedy"]) or paste(host, bad[0]["command"])
    return ["something is found after all of %s" % done]


def change_dns(host, remedy):
    """Whether the remedy is a change of DNS, which is done."""
    publish, permit = PUBLISH.search(remedy), PERMIT.search(remedy)
    if publish:
        host.network.served[publish.group(1), "TXT"] = [publish.group(2)]
    elif permit:
        records = host.network.served[permit.group(1), "TXT"]
        records[:] = [SERVICE.sub(r"\g<0>:tlsrpt", text) for text in records]
    return bool(publish or permit)


def paste(host, command):
    """Pastes a command, which may end with a check that finds something else."""
    host.shell("{ %s; } || test $? = 1" % command)
