//! The table of keys. To add a key, add a row.

use crate::{
    kind::{
        Bool, Count, Domain, Domains, Duration, GroupName, Kind, MailAddress, Mode, Networks, Path, Ports, Program,
        Secret, Size, Smtp, SocketPath, StoreLocation, Synchronously, Text, UserName, VerifyCertificates,
    },
    reader::Reader,
    table::{Default, Key, Section},
};

configuration! {
    /// The collector: it receives the events of mail servers and counts them in the store.
    [collect: Collect] for "collect" "serve" "status" {
        /// The datagram socket that mail servers send events to. The collector creates it, unless the service manager
        /// passes a socket.
        socket: SocketPath = "/run/tlsrpt/tlsrpt.sock";
        /// The owner of the socket, by name or number. Without this key, the owner is the user of the process.
        socket_owner: UserName;
        /// The group of the socket, by name or number. A mail server needs write permission: set the group of its user,
        /// for instance `Debian-exim` for Exim of Debian.
        socket_group: GroupName try "postfix";
        /// The permissions of the socket, in octal.
        socket_mode: Mode = "0660";
        /// The memory for datagrams that wait for the store. When it is full, datagrams are dropped and counted.
        buffer: Size in "1MiB" ..= "1GiB" = "16MiB";
        /// A directory for invalid datagrams, one file each, for analysis. The number and the size of the files are
        /// limited. Without this key, invalid datagrams are only counted.
        keep_invalid: Path like "/var/lib/tlsrpt/invalid";
        /// The most policy domains of a day. Events of further domains are counted in one row.
        max_domains: Count in 1 ..= 100_000_000 = 1_000_000;
        /// The most policies of a day. Events of further policies are counted in one row.
        max_policies: Count in 1 ..= 100_000_000 = 1_000_000;
        /// The most distinct failures of a day. Further failures are counted in one row.
        max_failures: Count in 1 ..= 100_000_000 = 1_000_000;
    }
    /// The store: the counters of each day and the state of each report.
    [store: Store] for "collect" "deliver" "serve" "check" "status" "hosts" "reports" "receive" "received" "suppress" "bounce"
        "migrate" "fetcher" {
        /// Where the store is. `sqlite:PATH` is a database in a file of this host, with its absolute path. Its directory must
        /// exist, and the services must be able to write to it. `postgresql://ROLE@HOST/DATABASE` is a database of a PostgreSQL
        /// server, which many hosts share: see docs/many-hosts.md. It takes the parameters of libpq for connections and TLS,
        /// for instance `?sslmode=verify-full`, and no password: that is in the file that `passfile=/PATH` or the variable
        /// `PGPASSFILE` names.
        url: StoreLocation = "sqlite:/var/lib/tlsrpt/tlsrpt.db";
        /// With PostgreSQL: the file in which the collector keeps its events until the database has them. Its directory must
        /// exist, and the collector must be able to write to it.
        spool: Path = "/var/lib/tlsrpt/spool.db";
        /// The largest spool. When it is full, events wait in the memory of `buffer`, and then they are dropped and counted.
        spool_limit: Size in "8MiB" ..= "1TiB" = "1GiB";
        /// The name of this host in a PostgreSQL database, which each host must have to itself. Without this key, it is the
        /// host name of the system.
        host: Domain like "mx1.example.com";
        /// How many days are kept, today included. Older days are deleted.
        keep_days: Count in 2 ..= 3_650 = 30;
        /// The size of a store in a file from which it takes no new domains, policies and failures of a day: further events are
        /// counted in one row, as beyond `max-domains`. Reports and counts of known policies go on. Older days make room again.
        max_size: Size in "16MiB" ..= "16TiB" = "8GiB";
        /// The loss after a power cut. `full`: no commit is lost. `normal`: the last commits are lost; commits are
        /// faster. With both, the store stays consistent, and no commit is lost when the process is killed.
        synchronous: Synchronously = "full";
    }
    /// The reports. `organization`, `contact` and `from` are required for `tlsrpt deliver`.
    [report: Report] for "deliver" "serve" "check" "record" "reports" "bounce" "migrate" {
        /// The name of the organization that sends the reports (`organization-name`).
        organization: Text;
        /// A mail address for questions about the reports (`contact-info`).
        contact: MailAddress;
        /// The From address of report mails. Its domain must be the domain of their DKIM signature.
        from: MailAddress like "noreply-smtp-tls-reporting@example.com";
        /// The time after midnight UTC over which the reports of a day are spread.
        spread: Duration in "0s" ..= "20h" = "4h";
        /// How long the reports of a day wait for hosts that share the store and have not handed in all events of the day. What
        /// comes later goes into a further report about the day.
        grace: Duration in "0s" ..= "12h" = "30m";
        /// The largest report, compressed.
        max_size: Size in "10KiB" ..= "100MiB" = "10MiB";
        /// The most failure details of a report. The most frequent ones stay; the others are added up in one entry for
        /// each result type.
        max_failure_details: Count in 1 ..= 1_000_000 = 10_000;
        /// The most destinations of a domain. Further destinations in its record get no report.
        max_destinations: Count in 1 ..= 100 = 10;
        /// The most reports that one destination gets in an hour.
        max_per_destination: Count in 1 ..= 1_000_000 = 3_600;
        /// Send no report about a day on which all sessions with the domain succeeded.
        failures_only: Bool = false;
        /// Report sessions under the DANE policy of an MX host also to the MX host, if there is a TLSRPT record at
        /// `_smtp._tls.HOST`.
        report_mx_hosts: Bool = false;
        /// Domains that get no report, for instance your own.
        exclude: Domains = [];
    }
    /// Delivery of reports by mail.
    [mail: Mail] for "deliver" "serve" "check" "reports" "bounce" {
        /// The mail server that takes the reports: `smtp://HOST:PORT`, with STARTTLS if the server offers it, or
        /// `smtps://HOST:PORT` for TLS from the start.
        server: Smtp = "smtp://localhost:25";
        /// A command to use instead of a server, called like `sendmail(8)`, with the recipients as arguments.
        sendmail: Path like "/usr/sbin/sendmail";
        /// The user name for a server that requires authentication. Needs `password`.
        username: Text like "tlsrpt";
        /// The password for `username`. Keep the file readable for the services only.
        password: Secret;
        /// The envelope sender of report mails. An identifier of the delivery is added to the local part:
        /// `tlsrpt-bounces@example.com` becomes `tlsrpt-bounces+ID@example.com`. Without this key, the address is
        /// `tlsrpt-bounces` at the domain of `from` in `[report]`.
        bounces: MailAddress like "tlsrpt-bounces@example.com";
    }
    /// DKIM signatures of report mails. Without this section `tlsrpt` does not sign, and the mail server must. Set all
    /// keys of the section or none.
    [mail_dkim: MailDkim] for "deliver" "serve" "check" "reports" {
        /// The domain of the signature. It must be the domain of `from` in `[report]`.
        domain: Domain;
        /// The selector: the public key is at `SELECTOR._domainkey.DOMAIN` in DNS.
        selector: Domain like "tlsrpt";
        /// The file of the private key, RSA or Ed25519, in PEM.
        key: Path like "/etc/tlsrpt/dkim.pem";
    }
    /// Delivery of reports by HTTPS.
    [https: Https] for "deliver" "serve" "record" "reports" "migrate" {
        /// The longest time for one report.
        timeout: Duration in "1s" ..= "10m" = "30s";
        /// The action if the certificate of the destination cannot be verified. `prefer`: the report is posted anyway,
        /// as RFC 8460 section 3 permits, and `tlsrpt reports` shows a warning with the reason. `require`: the report
        /// is not posted.
        verify: VerifyCertificates = "prefer";
        /// Networks of special address ranges (private, loopback, link-local and others) that reports may be posted to.
        /// Reports are posted to public addresses only, unless a network is listed here.
        allow: Networks = [];
        /// The ports that reports may be posted to.
        ports: Ports = [443];
        /// A file of certificate authorities in PEM, trusted in addition to those of the system.
        ca: Path like "/etc/ssl/own-ca.pem";
    }
    /// The reports of others, which `tlsrpt receive` keeps in the store.
    [received: Received] for "receive" {
        /// How many days a report is kept after it has arrived.
        keep_days: Count in 2 ..= 3_650 = 400;
        /// The most reports that are kept. Further reports wait in the queue of the mail server.
        max_reports: Count in 1 ..= 100_000_000 = 100_000;
        /// The most bytes of the reports that are kept, unpacked.
        max_size: Size in "1MiB" ..= "16TiB" = "1GiB";
    }
    /// Early warning: tells the operator that sessions with a domain that used to work have begun to fail. `tlsrpt status`
    /// lists such domains. Without `command` and `mail` nothing is watched. Set one of them.
    [alert: Alert] for "deliver" "serve" {
        /// A program with its arguments, which is called once for a domain, without a shell. It gets the facts as JSON on
        /// standard input, and has 30 seconds. If it fails, it is called again every 10 minutes.
        command: Program;
        /// The recipient of a mail about each domain. It is sent as reports are.
        mail: MailAddress like "postmaster@example.com";
        /// The least number of failed sessions since the domain was last judged. Too few sessions are added up, until the day
        /// ends (UTC).
        count: Count in 1 ..= 1_000_000 = 5;
        /// The least percentage of these sessions that failed.
        rate: Count in 1 ..= 100 = 50;
    }
    /// Details that reports leave out. By default they leave out nothing.
    [privacy: Privacy] for "deliver" "serve" "reports" {
        /// Leave out `sending-mta-ip`, the address of your mail server.
        omit_sending_mta_ip: Bool = false;
        /// Leave out `additional-information`.
        omit_additional_information: Bool = false;
        /// Leave out `failure-reason-code`, the error message of your mail server.
        omit_failure_reason_code: Bool = false;
        /// Leave out `receiving-mx-helo`, the name that the MX host gave in its greeting.
        omit_helo: Bool = false;
    }
}
