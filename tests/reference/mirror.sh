#!/bin/sh
# Prints the address of the Debian mirror that this machine's apt is configured with, or TLSRPT_DEBIAN_MIRROR. Set the
# variable on a machine without Debian.
set -eu

if [ -n "${TLSRPT_DEBIAN_MIRROR:-}" ]; then
    echo "$TLSRPT_DEBIAN_MIRROR"
    exit 0
fi
apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m1 '/debian/\?$' || {
    echo "apt has no Debian mirror configured: set TLSRPT_DEBIAN_MIRROR to the address of one" >&2
    exit 1
}
