// Sends one TLSRPT event to a collector, without a library: go run send.go SOCKET
//
// The session is an example: the certificate of the MX host was for another name. docs/datagram.md describes the datagram.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"
)

const sts, hostMismatch, failed = 2, 202, 1

type failure struct {
	Code   int    `json:"c"`
	Our    string `json:"s,omitempty"`
	MX     string `json:"n,omitempty"`
	Ehlo   string `json:"h,omitempty"`
	Their  string `json:"r,omitempty"`
	Info   string `json:"a,omitempty"`
	Reason string `json:"f,omitempty"`
}

type policy struct {
	Type     int       `json:"policy-type"`
	Domain   string    `json:"policy-domain,omitempty"`
	Strings  []string  `json:"policy-string,omitempty"`
	Patterns []string  `json:"mx-host,omitempty"`
	Failures []failure `json:"failure-details,omitempty"`
	Number   int       `json:"t"`
	Result   int       `json:"f"`
}

type event struct {
	Version  string   `json:"dpv"`
	Domain   string   `json:"d"`
	Record   string   `json:"pr"`
	Policies []policy `json:"policies"`
}

// send sends an event. It waits at most 10 ms for a full queue: a mail server must not wait for a collector.
func send(path string, event event) error {
	collector, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer collector.Close()
	datagram, err := json.Marshal(event)
	if err != nil {
		return err
	}
	if err := collector.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		return err
	}
	_, err = collector.Write(datagram)
	return err
}

func main() {
	event := event{"1", "example.org", "v=TLSRPTv1; rua=mailto:tls@example.org", []policy{{
		sts, "example.org", []string{"version: STSv1", "mode: enforce", "mx: *.example.org", "max_age: 604800"},
		[]string{"*.example.org"},
		[]failure{{Code: hostMismatch, Our: "192.0.2.1", MX: "mx1.example.org", Ehlo: "mx1.example.org", Their: "2001:db8::25"}},
		1, failed,
	}}}
	if err := send(os.Args[1], event); err != nil {
		// The delivery of the mail goes on.
		fmt.Fprintf(os.Stderr, "warning: no TLSRPT event for %s: %v\n", event.Domain, err)
	}
}
