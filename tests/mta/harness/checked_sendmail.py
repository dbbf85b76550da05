"""A host with Debian's Sendmail for `tlsrpt check`, set up by docs/sendmail.md."""

import contextlib
import os
import signal
import subprocess

from harness import checked, network, roots, sendmail, waiting
from harness.scenario import Problem

ETC = "/etc/mail"
MC, CF = ETC + "/sendmail.mc", sendmail.CONFIGURATION
MAP_USER = "tlsrpt-sendmail"  # of the unit, to whose group tlsrpt.socket then belongs
MAKE_MAP_USER = checked.MAKE_USER[:-1] + [MAP_USER]
AS_MAP_USER = ["setpriv", "--reuid", MAP_USER, "--regid", MAP_USER, "--clear-groups"]
SERVICE, SOCKET = "tlsrpt-sendmail.service", "tlsrpt-sendmail.socket"
NAMES = {SERVICE[:-len(".service")]: SERVICE}
ROUTE = 'server = "smtp://%s:%d"' % sendmail.DAEMON
# So that the access map is there, whose lines can switch TLS off.
ACCESS = "Connect:127.0.0.1 OK\n"


class SendmailHost(checked.Host):
    """Debian's Sendmail, the server of its map with the socket that systemd passes, and `tlsrpt collect` at the usual socket, each
    as a user of its own. INSTALLED has the files of the package, COMMANDS are those of the documentation."""

    options = ["--sendmail"]
    group = MAP_USER
    kept = (ETC, sendmail.RULES)
    counting_disturbs = True

    def __init__(self, program, root, installed, network_arguments, commands):
        self.network = network.Network(**network_arguments)
        self.mta = sendmail.Sendmail(self.network, root, [installed], rules=sendmail.WITHOUT_RULES, access=ACCESS)
        self.root = self.mta.root
        self.daemon = None
        roots.run(self.root, MAKE_MAP_USER)
        self.set_up(program, sendmail.SOCKET, ROUTE)
        self.mta.set_up(commands)
        self.listener = self.inode = None  # what the socket unit has open, if it is active, and the file
        self.restore_server(False)
        self.keep()

    def make(self):
        """Makes sendmail.cf of sendmail.mc."""
        self.shell("m4 %s >%s" % (MC, CF))

    def edit(self, path, change):
        """Changes the text of a file."""
        self.write(path, change(self.read(path)))

    def serve(self, verb, unit):
        unit = NAMES.get(unit, unit)
        if unit == "sendmail":
            self.stop()
            self.start()
        elif unit == SOCKET:
            if verb == "restart":
                self.end_map()
                self.close_map()
            self.open_map()
        elif unit == SERVICE:
            if verb == "restart":
                self.end_map()
            self.start_map()
        else:
            raise Problem("there is no unit %s on this host" % unit)

    def start(self):
        """Starts Sendmail in the foreground, where its parent learns of its end."""
        options = "-ODaemonPortOptions=Addr=%s,Port=%d" % sendmail.DAEMON
        self.daemon = subprocess.Popen(["chroot", self.root, sendmail.PROGRAM, "-Am", "-bD", options], stdin=subprocess.DEVNULL)
        waiting.until("Sendmail", lambda: sendmail.answers(sendmail.DAEMON))

    def stop(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.wait(60)

    def open_map(self):
        """Starts the socket unit, unless it is active: systemd does not look whether the file is still there."""
        if not self.listener:
            with contextlib.suppress(FileNotFoundError):
                checked.remove(self.path(sendmail.MAP))
            self.listener = self.mta.listen()
            self.inode = os.stat(self.path(sendmail.MAP)).st_ino

    def close_map(self):
        """Stops the socket unit, which leaves the file."""
        if self.listener:
            self.listener.close()
        self.listener = None

    def start_map(self, collector=sendmail.SOCKET):
        """Starts the map server, unless it runs."""
        self.open_map()
        if not self.mta.server or self.mta.server.poll() is not None:
            self.mta.serve(self.listener, collector, AS_MAP_USER)

    def end_map(self, process_signal=signal.SIGTERM):
        """Ends the map server. After SIGTERM it first sends all events."""
        server = self.mta.server
        if server and server.poll() is None:
            server.send_signal(signal.SIGCONT)
            server.send_signal(process_signal)
            server.wait(60)

    def restore_server(self, changed):
        os.chmod(self.path(os.path.dirname(sendmail.MAP)), 0o755)
        if not self.asks_right():
            self.serve("restart", SOCKET)
        self.serve("restart", SERVICE)
        if changed or not self.daemon or self.daemon.poll() is not None:
            self.serve("restart", "sendmail")

    def asks_right(self):
        """Whether the socket of the map is the one that the server has."""
        with contextlib.suppress(FileNotFoundError):
            return self.listener and os.stat(self.path(sendmail.MAP)).st_ino == self.inode
        return False

    def events_of_a_mail(self, domain=checked.DOMAIN):
        """Sends a mail with the present configuration, and counts the events in the store. Ends the map server and the
        collector, which handle all that they have before."""
        before = self.ours.sessions(domain)
        self.mta.send(domain)
        self.end_map()
        if self.ours.collector.poll() is None:
            self.end_collector()
        for name in os.listdir(self.path(sendmail.QUEUE)):
            os.unlink(os.path.join(self.path(sendmail.QUEUE), name))
        return self.ours.sessions(domain) - before
