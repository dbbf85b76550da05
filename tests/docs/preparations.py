"""What is on a machine before its document begins, beside what other documents set up."""

import glob
import os
import re
import shutil

import hosts
from harness import built_packages, certificates, waiting
from harness import mta_sts as authority

# The files of the documents, and units by the names there. tlsrpt-reporter comes without units.
COLLECTD, REPORTD, FETCHER = "tlsrpt-collectd", "tlsrpt-reportd", "tlsrpt-fetcher"
SETTINGS = {
    "collectd.cfg": """[tlsrpt_collectd]
storage = sqlite:///var/lib/tlsrpt/collectd.sqlite
socketname = /var/spool/postfix/run/tlsrpt/tlsrpt.sock
socketmode = 0620
sockettimeout = 1
logfilename = /var/lib/tlsrpt/collectd.log
""",
    "fetcher.cfg": """[tlsrpt_fetcher]
storage = sqlite:///var/lib/tlsrpt/collectd.sqlite
logfilename = /var/lib/tlsrpt/fetcher.log
""",
    "reportd.cfg": """[tlsrpt_reportd]
organization_name = Example GmbH
contact_info = tlsrpt@example.com
sender_address = noreply-smtp-tls-reporting@example.com
dbname = /var/lib/tlsrpt/reportd.sqlite
logfilename = /var/lib/tlsrpt/reportd.log
fetchers = /usr/local/bin/tlsrpt-fetcher
"""}
UNIT = """[Service]
ExecStart=/usr/local/bin/%s
User=tlsrpt
Restart=always

[Install]
WantedBy=multi-user.target
"""
START = """
useradd --system --create-home --home-dir /var/lib/tlsrpt tlsrpt
install -d -o tlsrpt -g postfix -m 2750 /var/spool/postfix/run/tlsrpt
systemctl daemon-reload
systemctl enable --now tlsrpt-collectd tlsrpt-reportd
postconf -e smtp_tlsrpt_enable=yes smtp_tlsrpt_socket_name=run/tlsrpt/tlsrpt.sock smtp_tls_security_level=may
systemctl restart postfix
"""
SEND = "printf 'Subject: a test\\n\\nA test of TLSRPT.\\n' | sendmail somebody@example.org"
COUNTED = "sqlite3 -readonly /var/lib/tlsrpt/collectd.sqlite 'SELECT sum(cntrtotal) FROM finalresults WHERE domain = \"example.org\"'"


def web_server(host, _environment):
    """The folder of a web server."""
    os.makedirs(host.system.path("/var/www/html"))


def mta_sts(host, _environment):
    """The domain of the recipients publishes a policy. The machine trusts the authority of the fake network."""
    authority.publish(host.world, hosts.RECIPIENTS)
    shutil.copy(host.world.certificate(certificates.AUTHORITY) + ".pem",
                host.system.path("/usr/local/share/ca-certificates/fake-network.crt"))
    host.succeed("update-ca-certificates")


def checkout(host, _environment):
    """The folder of this project, in which `make` has built all; the reader works there."""
    built_packages.copy(hosts.PROJECT, host.system.path(hosts.CHECKOUT))
    host.folder = hosts.CHECKOUT
    host.succeed("touch build/* build/libtlsrpt.a")


def tlsrpt_reporter(host, environment):
    """Its programs run and have counted a mail. ENVIRONMENT is the one of Python in which they were installed."""
    modules = host.succeed("python3 -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))'").strip()
    for folder in glob.glob(environment + "/lib/*/site-packages/tlsrpt_reporter*"):
        shutil.copytree(folder, os.path.join(host.system.path(modules), os.path.basename(folder)))
    for name in (COLLECTD, REPORTD, FETCHER):
        with open(os.path.join(environment, "bin", name)) as script:
            text = re.sub(r"\A#!.*", "#!/usr/bin/python3", script.read())
        host.write("/usr/local/bin/" + name, text, mode=0o755)
    for name, text in SETTINGS.items():
        host.write("/etc/tlsrpt/" + name, text)
    for name in (COLLECTD, REPORTD):
        host.write("/etc/systemd/system/%s.service" % name, UNIT % name)
    host.succeed(START)
    waiting.until("the socket of tlsrpt-collectd", lambda: host.run("test -S /var/spool/postfix/run/tlsrpt/tlsrpt.sock")[0])
    host.succeed(SEND)
    waiting.until("tlsrpt-collectd to count the mail", lambda: host.run(COUNTED)[1].strip() == "1")
