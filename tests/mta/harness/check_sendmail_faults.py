"""Faults of Sendmail's configuration, its map and its collector, for `tlsrpt check --sendmail`."""

import os
import re
import signal
import socket
import threading

from harness import check_socket_faults, checked, sendmail
from harness.check_faults import PASTE, Fault
from harness.check_socket_faults import mode
from harness.checked import FAIL, WARN
from harness.checked_sendmail import CF, MAP_USER, MC

MAP_FOLDER = os.path.dirname(sendmail.MAP)
LINE = "sinclude(`%s')dnl\n" % sendmail.RULES
RULE = re.compile(r"^R.*\$\(tlsrpt .*\n", re.MULTILINE)
OTHER_MAP = "/run/tlsrpt-sendmail/other.sock"
OTHER_SOCKET = "/run/tlsrpt/other.sock"
OK_ANSWER = b"5:OK no,"
BEFORE_MAILERS = "MAILER("
held = []  # sockets that stay open


def in_mc(change):
    """Changes sendmail.mc and makes sendmail.cf of it."""
    def plant(host):
        host.edit(MC, change)
        host.make()
        host.serve("restart", "sendmail")
    return plant


def before_mailers(line):
    return in_mc(lambda text: text.replace(BEFORE_MAILERS, line + "dnl\n" + BEFORE_MAILERS, 1))


def in_cf(change):
    """Changes sendmail.cf alone."""
    def plant(host):
        host.edit(CF, change)
        host.serve("restart", "sendmail")
    return plant


def not_made(host):
    """The line was added to sendmail.mc, and sendmail.cf was not made anew."""
    text = host.read(MC)
    in_mc(lambda text: text.replace(LINE, ""))(host)
    host.write(MC, text)


def without_package(host):
    """The package was removed, and sendmail.cf made anew."""
    os.unlink(host.path(sendmail.RULES))
    in_mc(lambda text: text)(host)


def access(line):
    """Adds a line to the access map."""
    return lambda host: host.edit(sendmail.ACCESS, lambda text: text + line + "\n")


def no_map_unit(host):
    """The socket unit was never started."""
    host.end_map()
    host.close_map()
    os.unlink(host.path(sendmail.MAP))


def lose_map(host):
    """The file of the socket was removed, and the units run."""
    os.unlink(host.path(sendmail.MAP))


def kill_map_server(host):
    """Neither the server nor systemd listens any more, and the file is left."""
    host.end_map(signal.SIGKILL)
    host.close_map()


def hang_map_server(host):
    host.mta.server.send_signal(signal.SIGSTOP)


def a_file_for_map(host):
    no_map_unit(host)
    host.write(sendmail.MAP, "")


def other_program_at_map(host):
    """The server of another map, which answers each question with a value."""
    no_map_unit(host)
    server = checked.bind(host.path(sendmail.MAP), socket.SOCK_STREAM)
    server.listen()
    held.append(server)
    threading.Thread(target=answer_all, args=(server,), daemon=True).start()


def answer_all(server):
    while True:
        client, _ = server.accept()
        with client:
            client.recv(4096)
            client.sendall(OK_ANSWER)


def other_collector(host):
    """The map server was started with another --socket."""
    host.end_map()
    host.start_map(OTHER_SOCKET)


CONFIGURATION = (
    Fault("sendmail.mc does not include the rules", in_mc(lambda text: text.replace(LINE, "")), {"map": FAIL}, "no map tlsrpt",
          "sendmail.mc", PASTE, silent=True),
    Fault("sendmail.cf was not made anew", not_made, {"map": FAIL}, "no map tlsrpt", "m4", PASTE, silent=True),
    Fault("the package was removed", without_package, {"map": FAIL}, sendmail.RULES, "apt install", silent=True),
    Fault("no rule asks the map", in_cf(lambda text: RULE.sub("", text)), {"map": FAIL}, "no rule", "m4", PASTE, silent=True),
    Fault("Sendmail waits for the map without a limit", in_cf(lambda text: text.replace("-f -d5 ", "-f ")), {"map": WARN}, "-d5",
          "m4", PASTE),
    Fault("the map is asked at another path", before_mailers("define(`confTLSRPT_MAP', `unix:%s')" % OTHER_MAP),
          {"map socket": FAIL}, OTHER_MAP, "confTLSRPT_MAP", PASTE, silent=True),
    Fault("TLS is off in the access map", access("Try_TLS: NO"), {"tls": FAIL}, "Try_TLS:", "sed ", PASTE, silent=True),
    Fault("TLS is off for a host", access("Try_TLS:mx.good.test NO"), {"tls": WARN}, "mx.good.test", "sed ", PASTE,
          silent=True),
    Fault("TLS is off in confCLIENT_OPTIONS", before_mailers("define(`confCLIENT_OPTIONS', `Family=inet, Modify=S')"),
          {"tls": FAIL}, "ClientPortOptions", "confCLIENT_OPTIONS", PASTE, silent=True),
    Fault("a smarthost", before_mailers("define(`SMART_HOST', `mx.sts.test')"), {"route": WARN}, "SMART_HOST", "SMART_HOST", PASTE,
          silent=True),
    Fault("Sendmail does not run", lambda host: host.stop(), {"running": FAIL}, "does not run", "systemctl start sendmail", PASTE),
)

MAP = (
    Fault("the socket of the map is missing, its unit was never started", no_map_unit, {"map socket": FAIL}, sendmail.MAP,
          "tlsrpt-sendmail.socket", PASTE, silent=True),
    Fault("the socket of the map was removed", lose_map, {"map socket": FAIL}, sendmail.MAP, "tlsrpt-sendmail.socket", PASTE,
          silent=True),
    Fault("the map server was killed and left its socket", kill_map_server, {"map socket": FAIL}, "does not answer",
          "tlsrpt-sendmail", PASTE, silent=True),
    Fault("the map server hangs", hang_map_server, {"map socket": FAIL}, "no answer in 4 s", "kill -CONT", PASTE, silent=True),
    Fault("a file in place of the map's socket", a_file_for_map, {"map socket": FAIL}, "not a socket", "tlsrpt-sendmail.socket",
          PASTE, silent=True),
    Fault("another program answers at the map's socket", other_program_at_map, {"map socket": FAIL}, "not tlsrpt sendmail-map", "",
          silent=True),
    Fault("others may replace the map's socket", mode(MAP_FOLDER, 0o777), {"map socket": FAIL}, MAP_FOLDER, "chmod go-w", PASTE,
          silent=True),
)

SOCKET = check_socket_faults.OF_ANY_SERVER + check_socket_faults.permissions(sendmail.SOCKET, MAP_USER) + (
    Fault("the map server sends to another socket", other_collector, {"socket": FAIL, "elsewhere": WARN}, OTHER_SOCKET,
          "tlsrpt-sendmail", PASTE, silent=True),
)

ALL = CONFIGURATION + MAP + SOCKET

# States in which all is reported: nothing may be found.
SOUND = (
    ("demands for TLS in the access map", access("TLS_Srv:mx.sts-no-tls.test VERIFY")),
    ("DANE off", in_mc(lambda text: text.replace("define(`confDANE', `true')", "define(`confDANE', `false')"))),
)
