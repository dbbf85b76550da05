"""Mail hosts with a collector each, a reporter that queries all of them, and the receivers of its reports."""

import os

from harness import certificates, network, reporter, reports, waiting

SINK = (network.REPORT_SINK, 8443)


class Site:
    """The hosts each have a root filesystem with a sendmail command (root) and a collector's place (socket)."""

    def __init__(self, the_network, hosts, environment):
        self.network = the_network
        self.hosts = hosts
        self.collectors = [
            reporter.Collector(environment, os.path.join(the_network.folder, "collector%d" % (number + 1)), host.socket)
            for number, host in enumerate(hosts)]
        self.sink = reports.Sink(SINK, the_network.server_context(certificates.REPORT_SINK))
        self.reporter = reporter.Reporter(
            environment, os.path.join(the_network.folder, "reporter"), self.collectors,
            send_mail="chroot %s /usr/sbin/sendmail -i -t" % hosts[0].root,
            post="curl --silent --show-error --fail --cacert %s.pem --resolve %s:%d:%s --header 'Content-Type: %s' "
                 "--data-binary @-" % (the_network.certificate(certificates.AUTHORITY), certificates.REPORT_SINK, SINK[1],
                                       SINK[0], reports.MEDIA_TYPE))

    def collect(self, deliver):
        """Sends a day's mails from each host, by deliver(host, collector). Returns the number of events in each collector."""
        for host, collector in zip(self.hosts, self.collectors):
            collector.start()
            deliver(host, collector)
        return [collector.count() for collector in self.collectors]

    def report(self):
        """Ends the day, sends all reports, and returns [(transport and destination, domain, report)]."""
        reported = set()
        for collector in self.collectors:
            collector.end_day()
            reported.update(row[0] for row in reporter.query(collector.database + ".yesterday",
                                                             "SELECT DISTINCT domain FROM finalresults"))
        self.network.mails.clear()
        sent = self.reporter.send_all(len(reported))
        arrived = waiting.until("%d reports to arrive" % sent, lambda: self.arrived(sent))
        for host in self.hosts:
            host.stop()
        return arrived

    def arrived(self, wanted):
        """The received reports, or None while there are fewer than WANTED."""
        mailed = [("mail to " + mail["recipients"][0],) + reports.from_mail(mail["data"])
                  for mail in list(self.network.mails) if reports.from_mail(mail["data"])]
        posted = [("post to " + path, report["report-id"].rpartition("_")[2], report)
                  for path, report in ((path, reports.unpacked(body)) for path, body in list(self.sink.posts))]
        return mailed + posted if len(mailed) + len(posted) >= wanted else None
