"""Faults of Exim's configuration, its module and its socket, for `tlsrpt check --exim`."""

import os
import re

from harness import check_socket_faults, checked_exim, exim
from harness.check_faults import PASTE, Fault
from harness.checked import FAIL, WARN
from harness.check_socket_faults import mode

INCLUDE = ".include_if_exists %s\n" % exim.SNIPPET
LINES = re.compile(r"^\.ifdef TLSRPT_EVENT\n.*?^\.endif\n", re.DOTALL | re.MULTILINE)
OWN_ACTION = "  event_action = ${if eq{$event_name}{msg:delivery}{}}\n"
OTHER_SOCKET = "/run/tlsrpt/other.sock"
RELAY = "mx.sts.test"
SETTINGS = "/etc/exim4/update-exim4.conf.conf"
# A router and a transport of an administrator's own, for one domain.
OWN_ROUTER = "own_router:\n  driver = dnslookup\n  domains = good.test\n  transport = own_smtp\n\n"
OWN_TRANSPORT = "\nown_smtp:\n  driver = smtp\n\n"
BEHIND_ROUTER = ("own_router:\n  driver = manualroute\n  domains = own.test\n  transport = own_smtp\n"
                 "  route_list = own.test 10.0.0.1\n\n")
BEFORE_ROUTERS = "begin routers\n"


def macros(change):
    """Changes the text of the file with the macros."""
    return lambda host: host.edit(host.macros, change)


def macro(line):
    """Defines a macro before the include."""
    return macros(lambda text: line + "\n" + text)


def lines(replacement):
    """Other lines in the transport than those of docs/exim.md."""
    return lambda host: host.edit(host.transport, lambda text: LINES.sub(lambda _: replacement, text))


def own_router(router):
    """An own router, which comes first, with an own transport."""
    def plant(host):
        host.mta.edit(host.transport, lambda text: text.replace("begin transports\n", "begin transports\n" + OWN_TRANSPORT)
                      if "begin transports\n" in text else text + OWN_TRANSPORT)
        if os.path.exists(host.path(host.routers)):
            host.edit(host.routers, lambda text: text.replace(BEFORE_ROUTERS, BEFORE_ROUTERS + router))
        else:
            host.write(host.routers, router)
            host.mta.update()
    return plant


def without_module(host):
    os.unlink(host.path(exim.MODULE))


def without_package(host):
    """The package was removed; the lines of the administrator are still there."""
    without_module(host)
    os.unlink(host.path(exim.SNIPPET))


def broken_module(host):
    """A module that cannot be loaded, as after an incomplete copy."""
    os.truncate(host.path(exim.MODULE), 1000)


def relay(host):
    """Debian's configuration for a host that sends all mail by a smarthost."""
    host.edit(SETTINGS, lambda text: text.replace("dc_eximconfig_configtype='internet'", "dc_eximconfig_configtype='smarthost'")
              .replace("dc_smarthost=''", "dc_smarthost='%s'" % RELAY))


def not_generated(host):
    """The include was added, and update-exim4.conf was not run."""
    text = host.read(host.macros)
    host.edit(host.macros, lambda text: text.replace(INCLUDE, ""))
    host.write(host.macros, text)


CONFIGURATION = (
    Fault("tlsrpt.conf is not included", macros(lambda text: text.replace(INCLUDE, "")), {"transport": FAIL}, "TLSRPT_EVENT",
          exim.SNIPPET, PASTE, silent=True),
    Fault("tlsrpt.conf is included, and update-exim4.conf was not run", not_generated, {"transport": FAIL}, "TLSRPT_EVENT",
          "update-exim4.conf", PASTE, silent=True),
    Fault("the package was removed", without_package, {"transport": FAIL}, exim.SNIPPET, "tlsrpt-exim", silent=True),
    Fault("the transport has no lines for TLSRPT", lines(""), {"transport": FAIL}, "remote_smtp", "event_action", PASTE,
          silent=True),
    Fault("the transport has an event_action of its own alone", lines(OWN_ACTION + "  multi_domain = false\n"), {"transport": FAIL},
          "event_action", "TLSRPT_EVENT", PASTE, silent=True),
    Fault("the transport has multi_domain on", lines(".ifdef TLSRPT_EVENT\n  event_action = TLSRPT_EVENT\n.endif\n"),
          {"transport": WARN}, "multi_domain", "multi_domain = false", PASTE),
    Fault("a transport of an own router has no lines for TLSRPT", own_router(OWN_ROUTER), {"transport": FAIL}, "own_smtp",
          "event_action", PASTE, silent=True),
    Fault("TLS is off", macro("REMOTE_SMTP_HOSTS_AVOID_TLS = *"), {"tls": FAIL}, "hosts_avoid_tls", "REMOTE_SMTP_HOSTS_AVOID_TLS",
          PASTE, silent=True),
    Fault("TLS is off for a domain", macro("REMOTE_SMTP_HOSTS_AVOID_TLS = mx.good.test"), {"tls": WARN}, "mx.good.test",
          "REMOTE_SMTP_HOSTS_AVOID_TLS", PASTE, silent=True),
    Fault("a smarthost", relay, {"transport": FAIL, "route": WARN}, "remote_smtp_smarthost", "", silent=True),
    Fault("Exim does not run", lambda host: host.stop(), {"running": FAIL}, "does not run", "systemctl start exim4", PASTE),
)

MODULE = (
    Fault("the module is missing", without_module, {"module": FAIL}, exim.MODULE, "tlsrpt-exim", silent=True),
    Fault("TLSRPT_MODULE names no file", macro("TLSRPT_MODULE = /usr/lib/exim4/other.so"), {"module": FAIL}, "other.so",
          "TLSRPT_MODULE", PASTE, silent=True),
    Fault("Exim's user may not read the module", mode(exim.MODULE, 0o600), {"module": FAIL}, exim.MODULE, "chmod", PASTE,
          silent=True),
    Fault("the module cannot be loaded", broken_module, {"module": FAIL}, exim.MODULE, "tlsrpt-exim", silent=True),
)

SOCKET = check_socket_faults.OF_ANY_SERVER + check_socket_faults.permissions(exim.SOCKET, checked_exim.EximHost.group) + (
    Fault("TLSRPT_SOCKET names another file", macro("TLSRPT_SOCKET = " + OTHER_SOCKET), {"socket": FAIL, "elsewhere": WARN},
          OTHER_SOCKET, "TLSRPT_SOCKET", PASTE, silent=True),
    Fault("TLSRPT_SOCKET is empty", macro("TLSRPT_SOCKET ="), {"transport": FAIL}, "TLSRPT_SOCKET", "TLSRPT_SOCKET", PASTE,
          silent=True),
)

ALL = CONFIGURATION + MODULE + SOCKET


def other_place(host):
    """The collector and Exim agree on another path."""
    macro("TLSRPT_SOCKET = " + OTHER_SOCKET)(host)
    check_socket_faults.elsewhere(OTHER_SOCKET)(host)


# With an Exim that has no ${dlfunc}, the macro is not defined either.
LIGHT = Fault("exim4-daemon-light", None, {"exim": FAIL}, "dlfunc", "exim4-daemon-heavy")

# States in which all is reported: nothing may be found.
SOUND = (
    ("another path of the socket", other_place),
    ("an action of its own before the event",
     lines(".ifdef TLSRPT_EVENT\n" + OWN_ACTION.rstrip() + "TLSRPT_EVENT\n  multi_domain = false\n.endif\n")),
    ("TLS required", macro("REMOTE_SMTP_HOSTS_REQUIRE_TLS = *")),
    ("a host behind this one, by a transport of its own", own_router(BEHIND_ROUTER)),
)
