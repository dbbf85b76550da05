/*
 * soak LIBRARY EVENTS
 *
 * Sends this many events to a collector that reads, in blocking mode, with a new connection for each 1,000 events:
 * small, usual and large events, and cancelled ones in between. After all events the memory and the descriptors must be
 * the same as after the first hundredth.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/wait.h>
#include <time.h>

#include "checks.h"
#include "collector.h"
#include "loaded_events.h"
#include "resources.h"

#define EVENTS_ON_A_CONNECTION 1000
/* The allowed growth in pages, for the stack and other parts of the process. A leak of one byte an event exceeds it. */
#define PAGES_OF_THE_SYSTEM 8

static struct library lib;
static char long_reason[6001];

/* Counts datagrams until an empty one arrives, and writes the count into the pipe. */
static void count_datagrams(int receiver, int pipe_end)
{
    static char datagram[1 << 16];
    long count = 0;
    while (needed(recv(receiver, datagram, sizeof datagram, 0), "recv") > 0)
        count++;
    needed(write(pipe_end, &count, sizeof count), "write");
    _exit(0);
}

static void send_some(long from, long to)
{
    struct tlsrpt_connection_t *con = NULL;
    struct tlsrpt_dr_t *dr;
    long i;
    for (i = from; i < to; i++) {
        if (i % EVENTS_ON_A_CONNECTION == 0 || !con) {
            if (con)
                expect(lib.close(&con) == 0, "close fails");
            expect(lib.open(&con, "collector") == 0, "open fails");
        }
        if (i % 7 == 0) {
            expect(lib.init_delivery_request(&dr, con, "cancelled.example", long_reason) == 0, "init fails");
            expect(lib.cancel_delivery_request(&dr) == 0, "cancel fails");
        }
        expect(send_event(&lib, con, "example.org", i % 100 == 0 ? long_reason : "expired") == 0, "event %ld fails", i);
    }
    expect(lib.close(&con) == 0, "close fails");
}

static void end_collector(void)
{
    struct sockaddr_un address = socket_address("collector");
    int fd = needed(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
    needed(sendto(fd, "", 0, 0, (struct sockaddr *)&address, sizeof address), "sendto");
    close(fd);
}

int main(int argc, char **argv)
{
    long events = argc == 3 ? atol(argv[2]) : 0, arrived = 0;
    struct resources first, last;
    char folder[64];
    int ends[2], receiver;
    time_t begin = time(NULL);
    pid_t child;
    if (events < 1000) {
        fputs("usage: soak LIBRARY EVENTS, at least 1000 events\n", stderr);
        return 2;
    }
    lib = load_library(argv[1]);
    memset(long_reason, 'r', sizeof long_reason - 1);
    enter_scratch_folder(folder);
    receiver = bind_collector("collector");
    needed(pipe(ends), "pipe");
    child = needed(fork(), "fork");
    if (child == 0)
        count_datagrams(receiver, ends[1]);
    close(receiver);
    lib.set_blocking();
    resources();
    send_some(0, events / 100);
    first = resources();
    send_some(events / 100, events);
    last = resources();
    end_collector();
    needed(read(ends[0], &arrived, sizeof arrived), "read");
    waitpid(child, NULL, 0);
    expect(arrived == events, "%ld of %ld events arrived", arrived, events);
    expect_same_resources("after all events", first, last);
    expect(last.pages - first.pages <= PAGES_OF_THE_SYSTEM, "%ld pages, %ld before", last.pages, first.pages);
    printf("soak: %ld events in %ld s: %ld kB of memory after a hundredth, %ld kB at the end; %ld descriptors, %ld\n",
           events, (long)(time(NULL) - begin), first.pages * sysconf(_SC_PAGESIZE) / 1024,
           last.pages * sysconf(_SC_PAGESIZE) / 1024, first.descriptors, last.descriptors);
    leave_scratch_folder(folder);
    return closing_line_of("soak", events);
}
