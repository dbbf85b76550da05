"""Debian's Exim with Debian's own configuration, in both of its layouts, set up by the commands of docs/exim.md."""

import os
import shutil

from harness import certificates, exim, roots

LIGHT, HEAVY = "light", "heavy"
SPLIT, UNSPLIT = "split", "unsplit"
SECTIONS = {SPLIT: "Debian, split configuration", UNSPLIT: "Debian, unsplit configuration"}
SETTINGS = "/etc/exim4/update-exim4.conf.conf"
MODULE_FOLDERS = [os.path.dirname(exim.MODULE), os.path.dirname(exim.SNIPPET)]
# Debian's Exim sends to loopback addresses only for domains that it relays for.
INTERNET = {"dc_eximconfig_configtype": "internet", "dc_relay_domains": "*.test", "dc_other_hostnames": "",
            "dc_local_interfaces": "127.0.0.1"}


def root(daemon):
    """The root filesystem with this daemon."""
    if daemon == HEAVY:
        return roots.stable_with("exim", exim.PACKAGES)
    return roots.stable_with("exim-light", ["exim4-daemon-light"])


class DebianExim(exim.Exim):
    """Debian's Exim before docs/exim.md, with the package installed; see `set_up`."""

    def __init__(self, the_world, lower, installed, layout, name):
        self.layout = layout
        super().__init__(the_world, lower, installed, name=name)

    def configure(self, _before, _reporting, _shared):
        settings = dict(INTERNET, dc_use_split_config="true" if self.layout == SPLIT else "false")
        with open(self.root + SETTINGS) as source:
            lines = [line for line in source if line.partition("=")[0] not in settings]
        self.write(SETTINGS, "".join(lines) + "".join("%s='%s'\n" % item for item in settings.items()))
        self.write("/etc/mailname", certificates.MAIL_HOST + "\n")

    def set_up(self, commands):
        """Runs commands of the documentation, as root with the shell that an administrator has."""
        return roots.run(self.root, ["bash", "-c", commands])

    def edit(self, path, change):
        """Changes the text of a file."""
        with open(self.root + path) as source:
            text = source.read()
        self.write(path, change(text))

    def update(self):
        """Generates Debian's configuration again."""
        return roots.run(self.root, ["update-exim4.conf"])

    def remove_package(self):
        """Removes the files of the package, as apt does."""
        for folder in MODULE_FOLDERS:
            shutil.rmtree(self.root + folder)
