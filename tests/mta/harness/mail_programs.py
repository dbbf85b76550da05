"""Debian's programs beside Postfix of which `tlsrpt check` reads the configuration, in one root filesystem."""

from harness import roots

PACKAGES = ["postfix-mta-sts-resolver", "opendkim"]
# They bring a Lua and a Python with many libraries.
SIGNERS = ["rspamd", "dkimpy-milter"]


def root():
    """Debian stable with Postfix and these programs."""
    return roots.stable_with("mail-programs", PACKAGES)


def signers():
    """Debian stable with Postfix and more milters that sign."""
    return roots.stable_with("signing-milters", SIGNERS)
