/*
 * threads LIBRARY [THREADS EVENTS]
 *
 * Many threads on one connection, on their own connections, and on one that is closed while they still use it; forked
 * children on the parent's connection. In blocking mode. The receiver counts every event: none is lost, none arrives
 * twice, none is mixed with another.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "checks.h"
#include "collector.h"
#include "loaded_events.h"

#define REASON "the certificate \\ of %d.%d has \"expired\""

static struct library lib;
static int receiver, threads = 8, events = 2000;
static struct tlsrpt_connection_t *shared;
static atomic_int at_work;
static atomic_long broken_in_threads;
static unsigned char *seen;
static pthread_barrier_t together;

static int send_numbered(struct tlsrpt_connection_t *con, int thread, int number)
{
    char domain[64], reason[64];
    snprintf(domain, sizeof domain, "%d.%d.example.org", thread, number);
    snprintf(reason, sizeof reason, REASON, thread, number);
    return send_event(&lib, con, domain, reason);
}

/* Writes the datagram that the collector must receive. */
static int expected_datagram(char *text, size_t size, int thread, int number)
{
    char reason[64];
    snprintf(reason, sizeof reason, "the certificate \\\\ of %d.%d has \\\"expired\\\"", thread, number);
    return snprintf(text, size,
                    "{\"dpv\": \"1\",\"d\": \"%d.%d.example.org\",\"pr\": \"v=TLSRPTv1; rua=mailto:tls@example.org\","
                    "\"policies\":[{\"policy-type\":2,\"policy-domain\": \"example.org\","
                    "\"policy-string\":[\"version: STSv1\",\"mode: enforce\"],\"mx-host\":[\"*.mail.example.org\"],"
                    "\"failure-details\":[{\"c\":204,\"s\": \"192.0.2.1\",\"n\": \"mx.example.org\","
                    "\"h\": \"mx.example.org says hello\",\"r\": \"2001:db8::25\",\"f\": \"%s\"}],\"t\":1,\"f\":1}]}",
                    thread, number, reason);
}

static void note(const char *datagram, long size)
{
    char expected[2048];
    int thread = -1, number = -1, length;
    sscanf(datagram, "{\"dpv\": \"1\",\"d\": \"%d.%d.", &thread, &number);
    if (!expect(thread >= 0 && thread < threads && number >= 0 && number < events, "got %.*s", (int)size, datagram))
        return;
    length = expected_datagram(expected, sizeof expected, thread, number);
    expect(length == size && memcmp(expected, datagram, size) == 0, "got %.*s", (int)size, datagram);
    seen[thread * events + number]++;
}

/* Receives until no sender works and the queue is empty. */
static void collect(int (*working)(void))
{
    char datagram[4096];
    struct pollfd readable = {receiver, POLLIN, 0};
    long size;
    for (;;) {
        int last = !working();
        while ((size = recv(receiver, datagram, sizeof datagram - 1, MSG_DONTWAIT)) >= 0) {
            datagram[size] = 0;
            note(datagram, size);
        }
        if (last)
            return;
        poll(&readable, 1, 10);
    }
}

/* Every event of the first senders has arrived this often. */
static void expect_all(const char *what, int senders, int times)
{
    long wrong = 0;
    int i;
    for (i = 0; i < senders * events; i++)
        wrong += seen[i] != times;
    expect(wrong == 0, "%s: %ld events did not arrive %d times", what, wrong, times);
    memset(seen, 0, (size_t)threads * events);
}

static int threads_work(void)
{
    return atomic_load(&at_work) > 0;
}

static void run_threads(const char *what, void *(*body)(void *))
{
    pthread_t ids[64];
    long i;
    atomic_store(&at_work, threads);
    for (i = 0; i < threads; i++)
        needed(-pthread_create(&ids[i], NULL, body, (void *)i), "pthread_create");
    collect(threads_work);
    for (i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    expect(atomic_load(&broken_in_threads) == 0, "%s: %ld calls failed", what, atomic_load(&broken_in_threads));
}

static void *on_shared(void *thread)
{
    int i;
    for (i = 0; i < events; i++)
        broken_in_threads += send_numbered(shared, (int)(long)thread, i) != 0;
    at_work--;
    return NULL;
}

static void *on_own(void *thread)
{
    int i;
    for (i = 0; i < events; i++) {
        struct tlsrpt_connection_t *con;
        broken_in_threads += lib.open(&con, "collector") != 0;
        broken_in_threads += send_numbered(con, (int)(long)thread, i) != 0;
        broken_in_threads += lib.close(&con) != 0;
        lib.set_blocking();
    }
    at_work--;
    return NULL;
}

/* Each round has a connection that its opener closes while the others have their requests open. */
static void *on_closed(void *thread)
{
    int i, codes[WRITE_EVENT_CALLS];
    for (i = 0; i < events; i++) {
        struct tlsrpt_dr_t *dr;
        char domain[64], reason[64];
        int opener = i % threads == (int)(long)thread;
        snprintf(domain, sizeof domain, "%d.%d.example.org", (int)(long)thread, i);
        snprintf(reason, sizeof reason, REASON, (int)(long)thread, i);
        if (opener)
            broken_in_threads += lib.open(&shared, "collector") != 0;
        pthread_barrier_wait(&together);
        broken_in_threads += lib.init_delivery_request(&dr, shared, domain, "v=TLSRPTv1; rua=mailto:tls@example.org");
        pthread_barrier_wait(&together);
        if (opener)
            broken_in_threads += lib.close(&shared) != 0;
        write_event(&lib, dr, reason, codes);
        broken_in_threads += lib.finish_delivery_request(&dr) != 0;
        pthread_barrier_wait(&together);
    }
    at_work--;
    return NULL;
}

/* ---- fork */

static int children;

static int children_work(void)
{
    int status;
    while (children > 0 && waitpid(-1, &status, WNOHANG) > 0) {
        children--;
        expect(status == 0, "a child ends with %d", status);
    }
    return children > 0;
}

/* Children send on the parent's connection, and each finishes a request that the parent began. */
static void run_children(void)
{
    struct tlsrpt_dr_t *dr;
    int child, i, codes[WRITE_EVENT_CALLS], senders = threads < 4 ? threads : 4;
    char reason[64];
    expect(lib.open(&shared, "collector") == 0, "open fails");
    snprintf(reason, sizeof reason, REASON, 0, 0);
    expect(lib.init_delivery_request(&dr, shared, "0.0.example.org", "v=TLSRPTv1; rua=mailto:tls@example.org") == 0,
           "init fails");
    write_event(&lib, dr, reason, codes);
    children = senders;
    for (child = 0; child < senders; child++)
        if (needed(fork(), "fork") == 0) {
            int failed = 0;
            for (i = 0; i < events; i++)
                failed += (child || i ? send_numbered(shared, child, i) : lib.finish_delivery_request(&dr)) != 0;
            failed += lib.close(&shared) != 0;
            _exit(failed != 0);
        }
    collect(children_work);
    expect_all("children on the parent's connection", senders, 1);
    expect(lib.finish_delivery_request(&dr) == 0, "the parent's request fails after the child's");
    expect(lib.close(&shared) == 0, "close fails");
    collect(children_work);
    expect(seen[0] == 1, "the parent's event did not arrive");
    memset(seen, 0, (size_t)threads * events);
}

int main(int argc, char **argv)
{
    char folder[64];
    if (argc == 4) {
        threads = atoi(argv[2]);
        events = atoi(argv[3]);
    } else if (argc != 2) {
        fputs("usage: threads LIBRARY [THREADS EVENTS]\n", stderr);
        return 2;
    }
    if (threads < 1 || threads > 64 || events < 1) {
        fputs("threads: 1 to 64 threads, at least one event each\n", stderr);
        return 2;
    }
    lib = load_library(argv[1]);
    enter_scratch_folder(folder);
    receiver = bind_collector("collector");
    seen = calloc(threads, events);
    lib.set_blocking();

    expect(lib.open(&shared, "collector") == 0, "open fails");
    run_threads("threads on one connection", on_shared);
    expect_all("threads on one connection", threads, 1);
    expect(lib.close(&shared) == 0, "close fails");
    run_threads("threads on their own connections", on_own);
    expect_all("threads on their own connections", threads, 1);
    pthread_barrier_init(&together, NULL, threads);
    run_threads("threads on a connection that is closed", on_closed);
    expect_all("threads on a connection that is closed", threads, 1);
    run_children();

    free(seen);
    leave_scratch_folder(folder);
    return closing_line_of("threads", 3L * threads * events + (threads < 4 ? threads : 4) * events);
}
