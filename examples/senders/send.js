#!/usr/bin/env node
// Sends one TLSRPT event to a collector, without a library: send.js SOCKET
//
// Node.js has no datagram sockets of Unix, so socat sends the datagram. It reads it from a file, because it would split
// what it reads from a pipe. The session is an example: the certificate of the MX host was for another name.
// docs/datagram.md describes the datagram.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const STS = 2, HOST_MISMATCH = 202, FAILURE = 1;

const event = {
  dpv: '1',
  d: 'example.org',
  pr: 'v=TLSRPTv1; rua=mailto:tls@example.org',
  policies: [{
    'policy-type': STS,
    'policy-domain': 'example.org',
    'policy-string': ['version: STSv1', 'mode: enforce', 'mx: *.example.org', 'max_age: 604800'],
    'mx-host': ['*.example.org'],
    'failure-details': [{ c: HOST_MISMATCH, s: '192.0.2.1', n: 'mx1.example.org', h: 'mx1.example.org', r: '2001:db8::25' }],
    t: 1,
    f: FAILURE,
  }],
};

// Where it fails, the delivery of the mail goes on.
const warn = (error) => console.error(`warning: no TLSRPT event for ${event.d}: ${error}`);

function send(socket, event) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tlsrpt-'));
  const file = path.join(folder, 'datagram');
  fs.writeFileSync(file, JSON.stringify(event));
  const socat = spawn('socat', ['-u', '-b', '1048576', `OPEN:${file},rdonly`, `UNIX-SENDTO:${socket}`], { timeout: 1000 });
  let said = '';
  socat.stderr.on('data', (text) => { said += text; });
  socat.on('error', (error) => warn(error.message));
  socat.on('close', (code) => {
    fs.rmSync(folder, { recursive: true, force: true });
    if (code !== 0) warn(said.trim().split(': ').pop());
  });
}

send(process.argv[2], event);
