"""A server of PostgreSQL in a scratch folder, with a database of our store for each who asks."""

import glob
import json
import os
import shutil
import subprocess
import tempfile

from harness import waiting

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "many-hosts.md")
USER = "postgres"  # the server refuses to run as root
PASSWORDS = "".join("*:*:*:%s:change me %d\n" % (role, number + 1) for number, role in enumerate(
    ("tlsrpt_reporter", "tlsrpt_collector", "tlsrpt_status")))


def program(name):
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name))
    if not found:
        raise SystemExit("no %s in /usr/lib/postgresql: make test-peer installs it, as root" % name)
    return found[-1]


def as_user(name):
    return (["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--"] if os.geteuid() == 0 else []) + [program(name)]


class Server:
    """It listens on a socket in its folder only."""

    def __init__(self):
        # A short path, as that of a socket must be.
        self.folder = tempfile.mkdtemp(prefix="tlsrpt-pg", dir="/tmp")
        self.databases = 0
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            for path in (self.folder, data):
                shutil.chown(path, USER, USER)
        subprocess.run(as_user("initdb") + ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                                            "--pgdata", data], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(data, "pg_hba.conf"), "w") as target:
            target.write("local all postgres trust\nlocal all all scram-sha-256\n")
        self.passwords = os.path.join(self.folder, "passwords")
        with open(os.open(self.passwords, os.O_WRONLY | os.O_CREAT, 0o600), "w") as target:
            target.write(PASSWORDS)
        with open(os.path.join(self.folder, "log"), "w") as log:
            self.process = subprocess.Popen(
                as_user("postgres") + ["-D", data, "-k", self.folder, "-c", "listen_addresses=", "-c", "fsync=off"],
                stdout=log, stderr=log, cwd=self.folder)
        waiting.until("PostgreSQL", lambda: self._psql("postgres", "SELECT 1").returncode == 0)
        with open(PAGE, encoding="utf-8") as source:
            self.roles, self.database = (block.split("```")[0] for block in source.read().split("```sql\n")[1:])
        self.run("postgres", self.roles)

    def _psql(self, database, statements):
        return subprocess.run(
            [program("psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atq", "-U", "postgres", "-h", self.folder, "-d", database,
             "-f", "-"], input=statements, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, PGOPTIONS="-c search_path=tlsrpt"))

    def run(self, database, statements):
        done = self._psql(database, statements)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (statements, done.stderr))
        return done.stdout

    def query(self, database, statement):
        """The rows, as sqlite3 has them."""
        found = self.run(database, "SELECT row_to_json(q) FROM (%s) AS q" % statement)
        # Columns of one name are members of one name.
        return [tuple(value for _, value in json.loads(line, object_pairs_hook=list))
                for line in found.split("\n") if line]

    def new_database(self):
        """As the page creates it, under another name."""
        self.databases += 1
        name = "site%d" % self.databases
        self.run("postgres", self.database.replace("DATABASE tlsrpt ", "DATABASE %s " % name).replace(
            "\\connect tlsrpt", "\\connect " + name))
        return name

    def url(self, role, database):
        return "postgresql://%s@/%s?host=%s&passfile=%s" % (role, database, self.folder, self.passwords)

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
