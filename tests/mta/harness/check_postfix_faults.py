"""Faults of Postfix's configuration, its processes and its resolver, for `tlsrpt check --postfix`."""

import os
import re
import shutil
import signal
import time

from harness import checked, network, postfix, waiting
from harness.check_faults import PASTE, Fault
from harness.checked import FAIL, WARN
from harness.checked_postfix import CHROOT_RESOLV

RELAY = "[mx.sts.test]"
# A second smtp service, as administrators add for slow or special destinations.
CLONE = "slow/unix=slow unix - - y - - smtp"
SECOND = "postfix-second"
SECOND_FOLDER = "/etc/" + SECOND
# As if some seconds were between two commands.
POSTMULTI = 'postmulti() { touch -d @0 /etc/postfix*/main.cf; command postmulti "$@"; }; '


def set_to(*settings):
    """Sets parameters in main.cf."""
    return lambda host: host.postconf("-e", *settings)


def option(service, *settings):
    """Gives a service in master.cf options of its own."""
    return lambda host: host.postconf("-P", *["%s/unix/%s" % (service, setting) for setting in settings])


def both(*steps):
    def plant(host):
        for step in steps:
            step(host)
    return plant


def add_service(line):
    return lambda host: host.postconf("-M", line)


def drop_service(name):
    return lambda host: host.postconf("-MX", name + "/unix")


def add_silent_clone(host):
    """A second service without TLSRPT."""
    host.postconf("-M", CLONE)
    host.postconf("-P", "slow/unix/smtp_tlsrpt_enable=no")


def add_table(name, text):
    """A table in a file. Postfix waits while it is new, too."""
    def plant(host):
        host.write("/etc/postfix/" + name, text)
        os.utime(host.path("/etc/postfix/" + name), (0, 0))
    return plant


def index_older_table(host):
    """A table whose lines were changed some minutes ago, long after the database was made of them."""
    add_table("own", "closed.test error:no such domain\n")(host)
    host.mta.run("postmap", "hash:/etc/postfix/own")
    os.utime(host.path("/etc/postfix/own.db"), (0, 0))
    minutes_ago = time.time() - 300
    os.utime(host.path("/etc/postfix/own"), (minutes_ago, minutes_ago))


def resolver(address):
    """Another resolver, for the host and in the chroot."""
    def plant(host):
        for name in ("/etc/resolv.conf", CHROOT_RESOLV):
            host.write(name, "nameserver %s\noptions trust-ad\n" % address)
    return plant


def resolver_of_host_again(host):
    for name in ("/etc/resolv.conf", CHROOT_RESOLV):
        host.write(name, host.usual("/etc/resolv.conf"))


def lose_chroot_resolver(host):
    """The resolver is at another address than the one that is asked without a configuration, and the chroot does not know it."""
    host.write("/etc/resolv.conf", "nameserver %s\noptions trust-ad\n" % network.SECOND_RESOLVER)
    os.unlink(host.path(CHROOT_RESOLV))


def stale_chroot_resolver(host):
    """The resolver was changed, by DHCP for instance, and Postfix was not started since."""
    host.write("/etc/resolv.conf", "nameserver %s\noptions trust-ad\n" % network.SECOND_RESOLVER)


def stop(host):
    first = int(host.read(postfix.QUEUE + "/pid/master.pid"))
    host.mta.stop()
    os.waitpid(first, 0)  # the first process of the namespace is its parent


def replace_library(host):
    """Installs the same library under its name anew, as an upgrade does, while an smtp process has the old file loaded."""
    if host.events_of_a_mail() != 1:
        raise RuntimeError("no smtp process has sent an event")
    host.mta.require_library("tlsproxy" if host.reuses() else "smtp")
    path = host.mta.installed_library()
    shutil.copy(path, path + ".new")
    os.rename(path + ".new", path)


def replace_library_of_tlsproxy(host):
    """The same, and tlsproxy alone has the old file loaded."""
    set_to("smtp_tls_connection_reuse=yes")(host)
    replace_library(host)
    of_smtp = [process for process in checked.processes() if checked.name_of(process) == "smtp"]
    for process in of_smtp:
        os.kill(int(process), signal.SIGTERM)
    waiting.until("the processes of smtp to end", lambda: not checked.processes().intersection(of_smtp))


def add_instance(host):
    """A second instance, which knows nothing of TLSRPT."""
    host.shell(POSTMULTI + "postmulti -e init; postmulti -I %s -e create; postmulti -i %s -e enable" % (SECOND, SECOND))
    host.shell("postconf -c %s -e maillog_file=%s inet_interfaces=%s" % (
        SECOND_FOLDER, postfix.MAIL_LOG, network.SECOND_CLIENT))
    host.age()
    os.utime(host.path(SECOND_FOLDER + "/main.cf"), (0, 0))
    host.shell("postmulti -i %s -p start" % SECOND)


def remove_instance(host):
    host.shell(POSTMULTI + "for step in '-p stop' '-e disable' '-e destroy'; do postmulti -i %s $step; done; "
               "postmulti -e deinit || true" % SECOND)
    shutil.rmtree(host.path(SECOND_FOLDER), ignore_errors=True)


ENABLED = (
    Fault("smtp_tlsrpt_enable is off", set_to("smtp_tlsrpt_enable=no"), {"enabled": FAIL}, "smtp_tlsrpt_enable",
          "postconf -e smtp_tlsrpt_enable=yes", PASTE, silent=True),
    Fault("smtp has -o smtp_tlsrpt_enable=no", option("smtp", "smtp_tlsrpt_enable=no"), {"enabled": FAIL}, "master.cf",
          "smtp/unix/smtp_tlsrpt_enable", PASTE, silent=True),
    Fault("relay has -o smtp_tlsrpt_enable=no", option("relay", "smtp_tlsrpt_enable=no"), {"enabled": WARN}, "relay",
          "relay/unix/smtp_tlsrpt_enable", PASTE),
    Fault("smtp has a socket name of its own", option("smtp", "smtp_tlsrpt_socket_name=run/tlsrpt/other.sock"),
          {"place": WARN, "elsewhere": WARN, "socket": FAIL}, "other.sock", "smtp/unix/smtp_tlsrpt_socket_name", PASTE,
          silent=True),
    Fault("no socket name", set_to("smtp_tlsrpt_socket_name="), {"name": FAIL}, "smtp_tlsrpt_socket_name", "postconf -e", PASTE,
          silent=True),
    Fault("a long socket name", set_to("smtp_tlsrpt_socket_name=" + "x" * 108), {"name": FAIL}, "108 bytes",
          "postconf -e smtp_tlsrpt_socket_name=run/tlsrpt/tlsrpt.sock", PASTE, silent=True),
    Fault("an absolute name of a socket in the queue folder, in the chroot",
          set_to("smtp_tlsrpt_socket_name=%s/%s" % (postfix.QUEUE, postfix.SOCKET)), {"place": FAIL}, "chroot",
          "postconf -e smtp_tlsrpt_socket_name=run/tlsrpt/tlsrpt.sock", PASTE, silent=True),
    Fault("an absolute name that tlsproxy, unchrooted, takes for another file",
          both(set_to("smtp_tlsrpt_socket_name=/" + postfix.SOCKET, "smtp_tls_connection_reuse=yes"),
               add_service("tlsproxy/unix=tlsproxy unix - - n - 0 tlsproxy")),
          {"place": WARN}, "tlsproxy", "postconf -e smtp_tlsrpt_socket_name=run/tlsrpt/tlsrpt.sock", PASTE),
)

TLS = (
    Fault("smtp_tls_security_level is empty, as Debian installs it without questions", set_to("smtp_tls_security_level="),
          {"tls": FAIL}, "is empty", "postconf -e smtp_tls_security_level=may", PASTE, silent=True),
    Fault("TLS by smtp_use_tls alone, of which Postfix reports nothing", set_to("smtp_tls_security_level=", "smtp_use_tls=yes"),
          {"tls": FAIL}, "smtp_use_tls", "postconf -e smtp_tls_security_level=may", PASTE, silent=True),
    Fault("smtp_discard_ehlo_keywords has starttls", set_to("smtp_discard_ehlo_keywords=chunking, starttls"), {"tls": FAIL},
          "smtp_discard_ehlo_keywords", "postconf -e smtp_discard_ehlo_keywords=chunking", PASTE, silent=True),
    Fault("the file of smtp_tls_CAfile is missing, and Postfix switches TLS off", set_to("smtp_tls_CAfile=/etc/ssl/gone.pem"),
          {"tls": FAIL}, "/etc/ssl/gone.pem", "postconf -e smtp_tls_CAfile=/", PASTE, silent=True),
    Fault("the client's certificate was removed, and Postfix switches TLS off",
          set_to("smtp_tls_cert_file=/etc/letsencrypt/live/gone/fullchain.pem"), {"tls": FAIL}, "smtp_tls_cert_file",
          "postconf -e smtp_tls_cert_file=", PASTE, silent=True),
    Fault("a word in smtp_tls_protocols that Postfix does not know", set_to("smtp_tls_protocols=TLSv1.2+"), {"tls": FAIL},
          "TLSv1.2+", "postconf -e 'smtp_tls_protocols=>=TLSv1'", PASTE, silent=True),
    Fault("TLS is required, and smtp_tls_mandatory_protocols has a word that Postfix does not know",
          set_to("smtp_tls_security_level=encrypt", "smtp_tls_mandatory_protocols=!SSLv2, !TLS1.0"), {"tls": FAIL}, "!TLS1.0",
          "postconf -e 'smtp_tls_mandatory_protocols=>=TLSv1'", PASTE, silent=True),
    Fault("a word in smtp_tls_ciphers that Postfix does not know", set_to("smtp_tls_ciphers=strong"), {"tls": FAIL}, "strong",
          "postconf -e smtp_tls_ciphers=medium", PASTE, silent=True),
    Fault("smtp has -o smtp_tls_ciphers with a word that Postfix does not know", option("smtp", "smtp_tls_ciphers=strong"),
          {"tls": FAIL}, "strong", "smtp/unix/smtp_tls_ciphers", PASTE, silent=True),
    Fault("TLS is required, and smtp_tls_mandatory_ciphers has a word that Postfix does not know",
          set_to("smtp_tls_security_level=encrypt", "smtp_tls_mandatory_ciphers=strong"), {"tls": FAIL}, "strong",
          "postconf -e smtp_tls_mandatory_ciphers=medium", PASTE, silent=True),
    Fault("TLS without STARTTLS, which no server at port 25 understands",
          set_to("smtp_tls_wrappermode=yes"), {"tls": FAIL}, "smtp_tls_wrappermode", "postconf -e smtp_tls_wrappermode=no", PASTE,
          silent=True),
    Fault("smtp_tls_security_level is none", set_to("smtp_tls_security_level=none"), {"tls": FAIL}, "none",
          "postconf -e smtp_tls_security_level=may", PASTE, silent=True),
    Fault("smtp has -o smtp_tls_security_level=none", option("smtp", "smtp_tls_security_level=none"), {"tls": FAIL}, "master.cf",
          "smtp/unix/smtp_tls_security_level", PASTE, silent=True),
    Fault("relay has -o smtp_tls_security_level=none", option("relay", "smtp_tls_security_level=none"), {"tls": WARN}, "relay",
          "relay/unix/smtp_tls_security_level", PASTE),
    Fault("TLS only by a policy table", both(set_to("smtp_tls_security_level=", "smtp_tls_policy_maps=texthash:/etc/postfix/own"),
                                             add_table("own", "sts.test encrypt\n")),
          {"tls": WARN}, "smtp_tls_policy_maps", "postconf -e smtp_tls_security_level=may", PASTE, silent=True),
    Fault("connection reuse without tlsproxy", both(set_to("smtp_tls_connection_reuse=yes"), drop_service("tlsproxy")),
          {"tlsproxy": FAIL}, "tlsproxy", "postconf -M", PASTE),
    Fault("smtp has -o smtp_tls_connection_reuse=yes, and there is no tlsproxy",
          both(option("smtp", "smtp_tls_connection_reuse=yes"), drop_service("tlsproxy")), {"tlsproxy": FAIL}, "tlsproxy",
          "postconf -M", PASTE),
    Fault("Postfix looks up nothing in DNS", set_to("smtp_dns_support_level=disabled"), {"dns": FAIL}, "smtp_dns_support_level",
          "postconf -e smtp_dns_support_level=", PASTE),
    Fault("dane without smtp_dns_support_level = dnssec",
          set_to("smtp_tls_security_level=dane", "smtp_dns_support_level=enabled"), {"dnssec": FAIL}, "smtp_dns_support_level",
          "postconf -e smtp_dns_support_level=dnssec", PASTE),
    Fault("dane, and the resolver does not validate",
          both(set_to("smtp_tls_security_level=dane"), resolver(network.PLAIN_RESOLVER)), {"dnssec": FAIL}, "does not validate",
          "unbound", resolver_of_host_again),
)

ROUTES = (
    Fault("default_transport is a second service without TLSRPT", both(add_silent_clone, set_to("default_transport=slow")),
          {"enabled": FAIL, "route": FAIL}, "slow", "slow/unix/smtp_tlsrpt_enable", PASTE, silent=True),
    Fault("default_transport is a service that master.cf does not have", set_to("default_transport=gone"), {"route": FAIL}, "gone",
          "postconf -e default_transport=smtp", PASTE),
    Fault("relayhost", set_to("relayhost=" + RELAY), {"route": WARN}, "relayhost", "postconf -e relayhost=", PASTE, silent=True),
    Fault("default_transport names a relay", set_to("default_transport=smtp:" + RELAY), {"route": WARN}, RELAY,
          "postconf -e default_transport=smtp", PASTE, silent=True),
    Fault("a transport map to a service without TLSRPT",
          both(add_silent_clone, add_table("own", "good.test slow:\n"), set_to("transport_maps=texthash:/etc/postfix/own")),
          {"enabled": WARN, "route": WARN}, "slow", "slow/unix/smtp_tlsrpt_enable", PASTE, silent=True),
    Fault("a transport map to a relay", both(add_table("own", "good.test smtp:%s\n" % RELAY),
                                             set_to("transport_maps=texthash:/etc/postfix/own")),
          {"route": WARN}, "good.test", "sed ", PASTE, silent=True),
    Fault("a transport map with a line for all domains to a relay", set_to("transport_maps=inline:{ { * = smtp:%s } }" % RELAY),
          {"route": WARN}, "*", "postconf -e transport_maps=", PASTE, silent=True),
    Fault("a static transport map to a relay", set_to("transport_maps=static:smtp:" + RELAY), {"route": WARN}, RELAY,
          "postconf -e transport_maps=", PASTE, silent=True),
    Fault("a transport of some senders without TLSRPT",
          both(add_silent_clone, set_to("sender_dependent_default_transport_maps=inline:{ { %s = slow: } }" % postfix.SENDER)),
          {"enabled": WARN, "route": WARN}, "slow", "slow/unix/smtp_tlsrpt_enable", PASTE, silent=True),
    Fault("a relay of some senders", set_to("sender_dependent_relayhost_maps=inline:{ { %s = %s } }" % (postfix.SENDER, RELAY)),
          {"route": WARN}, postfix.SENDER, "postconf -e sender_dependent_relayhost_maps=", PASTE, silent=True),
    Fault("master_service_disable has the smtp service", set_to("master_service_disable=inet, smtp/unix"), {"route": FAIL},
          "master_service_disable", "postconf -e master_service_disable=inet", PASTE, silent=True),
    Fault("master_service_disable has the smtp service as older releases name it", set_to("master_service_disable=smtp.unix"),
          {"route": FAIL}, "master_service_disable", "postconf -e master_service_disable=", PASTE, silent=True),
    Fault("a transport map without its database",
          both(add_table("own", "closed.test error:no such domain\n"), set_to("transport_maps=hash:/etc/postfix/own")),
          {"table": FAIL}, "own.db", "postmap hash:/etc/postfix/own", PASTE, silent=True),
    Fault("a transport map whose files are gone", set_to("transport_maps=hash:/etc/postfix/gone"), {"table": FAIL}, "gone.db",
          "postconf -e transport_maps=", PASTE, silent=True),
    Fault("a policy table whose file is gone", set_to("smtp_tls_policy_maps=texthash:/etc/postfix/gone"), {"table": FAIL},
          "/etc/postfix/gone", "postconf -e smtp_tls_policy_maps=", PASTE, silent=True),
    Fault("a transport map that was changed without postmap",
          both(index_older_table, set_to("transport_maps=hash:/etc/postfix/own")), {"table": WARN}, "own.db",
          "postmap hash:/etc/postfix/own", PASTE),
    Fault("no smtp service", drop_service("smtp"), {"route": FAIL}, "smtp", "postconf -M", PASTE),
)

PROCESSES = (
    Fault("Postfix does not run", stop, {"running": FAIL}, "does not run", "postfix start", PASTE),
    Fault("a running smtp has the replaced library loaded", replace_library, {"loaded": WARN}, "(deleted)", "postfix", PASTE),
    Fault("a running tlsproxy has the replaced library loaded", replace_library_of_tlsproxy, {"loaded": WARN}, "tlsproxy",
          "postfix", PASTE),
    Fault("the chroot has no resolv.conf", lose_chroot_resolver, {"resolv.conf": FAIL}, CHROOT_RESOLV, "cp /etc/resolv.conf",
          PASTE),
    Fault("the chroot's resolv.conf is an old one", stale_chroot_resolver, {"resolv.conf": WARN}, CHROOT_RESOLV,
          "cp /etc/resolv.conf", PASTE),
    Fault("a second instance, found with --all-instances", add_instance, {"enabled": FAIL, "tls": FAIL, "name": FAIL},
          "smtp_tlsrpt_enable", "postconf -c " + SECOND_FOLDER, remove_instance, options=["--postfix", "--all-instances"]),
    Fault("a second instance, found with --config-dir", add_instance, {"enabled": FAIL, "tls": FAIL, "name": FAIL},
          "smtp_tlsrpt_enable", "postconf -c " + SECOND_FOLDER, remove_instance,
          options=["--postfix", "--config-dir", SECOND_FOLDER]),
)

# Only these numbers matter. The harness has no source of these releases: Debian has the newest alone.
VERSIONS = (
    Fault("Postfix says that it is 3.10.3, which also reports report mails", set_to("mail_version=3.10.3"), {"postfix": WARN},
          "3.10.4", "apt install postfix"),
    Fault("Postfix says that it is 3.10.4, which names no policy domain without a policy", set_to("mail_version=3.10.4"),
          {"postfix": WARN}, "3.10.5", "apt install postfix"),
)

# Debian 12's Postfix, with the settings of docs/postfix.md.
OLD = Fault("Postfix of Debian 12", None, {"postfix": FAIL}, "Postfix 3.7.11 has no TLSRPT", "Debian 13")

# Without these no report is made, and the events are counted all the same.
SENDER_KEYS = re.compile(r"^(organization|contact|from) = .*\n", re.MULTILINE)
REPORTS = (
    Fault("nobody is named as the sender of reports",
          lambda host: [host.without_signatures(), host.configure(lambda text: SENDER_KEYS.sub("", text))],
          {"reports": WARN}, "organization, contact, from", "tlsrpt-deliver"),
)

ALL = ENABLED + TLS + ROUTES + PROCESSES + VERSIONS + REPORTS


def absolute_name(host):
    """In a chroot, an absolute name begins there."""
    set_to("smtp_tlsrpt_socket_name=%s/%s" % ("" if host.mta.chrooted() else postfix.QUEUE, postfix.SOCKET))(host)


# States in which all is reported: nothing may be found.
SOUND = (
    ("DANE", set_to("smtp_tls_security_level=dane")),
    ("limits of TLS in all their forms", set_to(
        "smtp_tls_protocols=!SSLv2:!SSLv3, >=TLSv1.2 <=0x0304 <=304", "smtp_tls_ciphers=HIGH", "smtp_tls_mandatory_ciphers=Low")),
    ("TLS is required, of protocols by name", set_to(
        "smtp_tls_security_level=encrypt", "smtp_tls_mandatory_protocols=tlsv1.2:TLSv1.3", "smtp_tls_mandatory_ciphers=export")),
    ("other services are switched off", set_to("master_service_disable=!smtp/unix, smtp/unix, showq/unix")),
    ("connection reuse, with tlsproxy", set_to("smtp_tls_connection_reuse=yes")),
    ("smtp without a chroot", lambda host: host.postconf("-F", "smtp/unix/chroot=n", "relay/unix/chroot=n")),
    ("an absolute name", absolute_name),
    ("a second service that reports, for one domain",
     both(add_service(CLONE), set_to("transport_maps=inline:{ { good.test = slow: } }"))),
    ("a host behind this one, for a domain of its own",
     set_to("relay_domains=own.test", "transport_maps=inline:{ { own.test = relay:[10.0.0.1] } }")),
    ("a policy table beside smtp_tls_security_level", both(set_to("smtp_tls_policy_maps=texthash:/etc/postfix/own"),
                                                           add_table("own", "sts.test encrypt\n"))),
)
