"""Debian's PostgreSQL on a machine of its own, set up by the statements of docs/many-hosts.md, reached with TLS."""

import json
import os
import re
import shutil

from harness import certificates, waiting
from whole import authority

PACKAGE = "postgresql"
NAME, ADDRESS = "db." + certificates.MAIL_HOST, "127.0.0.5"
CLUSTER, SETTINGS = "/var/lib/postgresql/%s/main", "/etc/postgresql/%s/main"
PAGE = os.path.join("docs", "many-hosts.md")
DATABASE = "tlsrpt"
COLLECTOR, REPORTER = "tlsrpt_collector", "tlsrpt_reporter"
# A power cut must lose nothing that is committed: fsync and synchronous_commit are as Debian sets them.
CONFIGURATION = """listen_addresses = '%s'
ssl = on
ssl_cert_file = '%%(settings)s/server.pem'
ssl_key_file = '%%(settings)s/server.key'
""" % ADDRESS
ACCESS = "local all postgres peer\nhostssl tlsrpt all 127.0.0.0/8 scram-sha-256\n"
SESSIONS = "SELECT coalesce(sum(succeeded + failed), 0) AS n FROM tlsrpt.sessions"


class Database:
    """The server on the machine, whose root filesystem LOWER has the package."""

    def __init__(self, machine, lower, the_network, checkout):
        self.machine = machine
        self.root = machine.make("database", lower)
        self.version, = os.listdir(self.root + "/etc/postgresql")
        self.settings = SETTINGS % self.version
        authority.sign(self.root, the_network, self.settings + "/server", [NAME])
        for file in ("server.pem", "server.key"):
            shutil.chown(self.root + self.settings + "/" + file, *self._user())
        os.chmod(self.root + self.settings + "/server.key", 0o600)
        self._write("conf.d/whole.conf", CONFIGURATION % {"settings": self.settings})
        self._write("pg_hba.conf", ACCESS)
        with open(os.path.join(checkout, PAGE), encoding="utf-8") as page:
            roles, database = (block.split("```")[0] for block in page.read().split("```sql\n")[1:])
        self.statements = roles + database
        self.passwords = dict(re.findall(r"CREATE ROLE (\w+) LOGIN PASSWORD '([^']+)'", roles))
        machine.ready()

    def _user(self):
        with open(self.root + "/etc/passwd") as users:
            line = next(line for line in users if line.startswith("postgres:"))
        return tuple(int(number) for number in line.split(":")[2:4])

    def _write(self, file, text):
        with open(os.path.join(self.root + self.settings, file), "w") as target:
            target.write(text)

    def start(self):
        """Starts the server and waits until it answers."""
        program = "/usr/lib/postgresql/%s/bin/postgres" % self.version
        os.makedirs(self.root + "/run/postgresql", exist_ok=True)
        shutil.chown(self.root + "/run/postgresql", *self._user())
        server = self.machine.start("postgresql", self.root, as_postgres(
            [program, "-D", CLUSTER % self.version, "-c", "config_file=%s/postgresql.conf" % self.settings]))
        waiting.until_ready("PostgreSQL", server, self.answers, self.machine.output("postgresql"))
        return self

    def answers(self):
        return self._psql(DATABASE if self.statements is None else "postgres", "SELECT 'answers'", check=False).strip() == "answers"

    def create(self):
        """Makes the roles and the database, as the page says."""
        self._psql("postgres", self.statements)
        self.statements = None

    def _psql(self, database, statements, check=True):
        return self.machine.run(self.root, as_postgres(
            ["psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atq", "-d", database] + [
                argument for statement in pieces(statements) for argument in ("-c", statement)]), check)

    def query(self, statement):
        """The rows of a query."""
        printed = self._psql(DATABASE, "SELECT row_to_json(q) FROM (%s) AS q" % statement)
        return [tuple(json.loads(line).values()) for line in printed.split("\n") if line]

    def change(self, statement):
        self._psql(DATABASE, statement)

    def sessions(self):
        """The number of sessions that it has."""
        return self.query(SESSIONS)[0][0]


def pieces(statements):
    """The statements one by one: a database cannot be created in a transaction with others. \\connect is one for itself."""
    found = []
    for line in statements.strip().split("\n"):
        if line.startswith("\\") or not found or found[-1].rstrip().endswith(";") or found[-1].startswith("\\"):
            found.append(line)
        else:
            found[-1] += "\n" + line
    return found


def as_postgres(program):
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"] + program


def url(role, folder):
    """The URL of the store for a role; FOLDER has the certificate of the authority and the passwords."""
    return "postgresql://%s@%s/%s?sslmode=verify-full&sslrootcert=%s/ca.pem&passfile=%s/passwords" % (
        role, NAME, DATABASE, folder, folder)
