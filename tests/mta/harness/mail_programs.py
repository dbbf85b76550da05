"""Debian's programs beside Postfix of which `tlsrpt check` reads the configuration, in one root filesystem."""

from harness import roots

PACKAGES = ["postfix-mta-sts-resolver", "opendkim"]


def root():
    """Debian stable with Postfix and these programs."""
    return roots.stable_with("mail-programs", PACKAGES)
