#!/usr/bin/perl
# Sends one TLSRPT event to a collector, without a library: send.pl SOCKET
#
# The session is an example: the certificate of the MX host was for another name. docs/datagram.md describes the datagram.
use strict;
use warnings;
use JSON::PP ();
use Socket qw(AF_UNIX MSG_DONTWAIT SOCK_DGRAM pack_sockaddr_un);

use constant { STS => 2, HOST_MISMATCH => 202, FAILURE => 1 };

my $event = {
    dpv      => '1',
    d        => 'example.org',
    pr       => 'v=TLSRPTv1; rua=mailto:tls@example.org',
    policies => [{
        'policy-type'     => STS,
        'policy-domain'   => 'example.org',
        'policy-string'   => ['version: STSv1', 'mode: enforce', 'mx: *.example.org', 'max_age: 604800'],
        'mx-host'         => ['*.example.org'],
        'failure-details' => [{ c => HOST_MISMATCH, s => '192.0.2.1', n => 'mx1.example.org', h => 'mx1.example.org',
                                r => '2001:db8::25' }],
        t => 1,
        f => FAILURE,
    }],
};

# Sends an event. Never waits: a mail server must not wait for a collector.
sub send_event {
    my ($path, $event) = @_;
    socket(my $collector, AF_UNIX, SOCK_DGRAM, 0) or return 0;
    # Sorted members: tlsrpt-collectd counts policies with members in different orders apart.
    my $datagram = JSON::PP->new->utf8->canonical->encode($event);
    return send($collector, $datagram, MSG_DONTWAIT, pack_sockaddr_un($path));
}

# Where it fails, the delivery of the mail goes on.
send_event($ARGV[0], $event) or warn "warning: no TLSRPT event for $event->{d}: $!\n";
