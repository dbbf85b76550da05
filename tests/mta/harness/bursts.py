"""Events of many processes at the same time, as on a busy mail host."""

import errno
import multiprocessing
import os
import socket
import time

from harness import recorder

PROCESSES, EVENTS = 20, 200
DATAGRAM = ('{"dpv": "1","d": "domain%d.example","pr": "v=TLSRPTv1;rua=mailto:tls@example.org","policies":'
            '[{"policy-type":9,"policy-domain": "domain%d.example","t":0,"f":0}]}')
# The errors for a full queue, a missing socket, and a socket without a listener.
REFUSALS = (errno.EAGAIN, errno.ENOENT, errno.ECONNREFUSED)


def send(socket_path, pause):
    """Sends EVENTS from each of PROCESSES that begin together, PAUSE seconds apart, without blocking, as the library does.
    Returns the number that the system accepted."""
    together = multiprocessing.Barrier(PROCESSES)
    taken = multiprocessing.Value("i", 0)
    with recorder.short(socket_path) as name:
        processes = [multiprocessing.Process(target=send_some, args=(name, number, pause, together, taken))
                     for number in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a sender failed")
    return taken.value


def send_some(name, number, pause, together, taken):
    """One process: opens a socket for each event, as Postfix does."""
    datagram = (DATAGRAM % (number, number)).encode()
    took = 0
    together.wait()
    for _ in range(EVENTS):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto(datagram, socket.MSG_DONTWAIT, name)
                took += 1
            except OSError as refusal:
                if refusal.errno not in REFUSALS:
                    os._exit(1)
        if pause:
            time.sleep(pause)
    with taken.get_lock():
        taken.value += took
