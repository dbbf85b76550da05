/*
 * large LIBRARY
 *
 * Events up to and beyond the largest datagram of the system: the send buffer is raised once, to the needed size and
 * not above; a datagram beyond the limit returns 13090, and the next event is sent. Then threads that need different
 * sizes on one connection at the same time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "checks.h"
#include "collector.h"
#include "loaded_events.h"
#include "interposer.h"

#define OVERHEAD 32
/* Linux needs contiguous memory for the first part of a datagram. From this size on the allocation may fail. */
#define KERNEL_LIMIT (4 << 20)
#define RACERS 4
#define RACES 100

static struct library lib;
static int receiver;
static char *reason, *datagram;
static size_t largest_datagram;
/* The largest event that fits the largest send buffer. */
static long limit;

static long receive(void)
{
    return recv(receiver, datagram, largest_datagram + 4096, MSG_DONTWAIT);
}

/* Sends an event whose reason has this length. */
static int send_with_reason(struct tlsrpt_connection_t *con, size_t length)
{
    int code;
    memset(reason, 'r', length);
    reason[length] = 0;
    arm_interposer(SOCKET, 0, 0);
    code = send_event(&lib, con, "example.org", reason);
    disarm_interposer();
    return code;
}

static long send_buffer(int socket)
{
    int size = 0;
    socklen_t len = sizeof size;
    needed(getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, &len), "getsockopt");
    return size;
}

/* The largest send buffer that the system gives. */
static long largest_buffer(void)
{
    int fd = needed(socket(AF_UNIX, SOCK_DGRAM, 0), "socket"), size = 1 << 29;
    long given;
    needed(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), "setsockopt");
    given = send_buffer(fd);
    close(fd);
    return given;
}

/* Sends a datagram of this size on a fresh connection, then a usual one. */
static void try_size(long size, long empty, long initial)
{
    struct tlsrpt_connection_t *con;
    int raises = size + OVERHEAD > initial, code, again;
    expect(lib.open(&con, "collector") == 0, "open fails");
    code = send_with_reason(con, size - empty);
    if (size > KERNEL_LIMIT && code == TLSRPT_ERR_SENDTO + ENOBUFS) {
        printf("large: the kernel cannot allocate a datagram of %ld bytes\n", size);
    } else if (size <= limit) {
        expect(code == 0 && receive() == size, "a datagram of %ld bytes returns %d", size, code);
        expect(interposer.calls[SETSOCKOPT] == raises, "%ld raises for %ld bytes", interposer.calls[SETSOCKOPT], size);
        expect(interposer.calls[SENDTO] == 1 + raises, "%ld sends for %ld bytes", interposer.calls[SENDTO], size);
        if (raises)
            expect(send_buffer(lib.get_socket(con)) - (size + OVERHEAD) <= 1, "a buffer of %ld for %ld",
                   send_buffer(lib.get_socket(con)), size);
        again = send_with_reason(con, size - empty);
        expect(again == 0 && receive() == size && interposer.calls[SETSOCKOPT] == 0, "again: %d", again);
    } else {
        expect(code == TLSRPT_ERR_SENDTO + EMSGSIZE, "a datagram of %ld bytes returns %d", size, code);
        expect(interposer.largest_buffer * 2 - (size + OVERHEAD) <= 1, "asks for %ld", interposer.largest_buffer);
    }
    code = send_with_reason(con, 10);
    expect(code == 0 && receive() == empty + 10, "the next event returns %d", code);
    expect(lib.close(&con) == 0, "close fails");
}

static long try_sizes(void)
{
    static const long around[] = {-1, 0, 1, 2};
    struct tlsrpt_connection_t *con;
    long empty, size, cases = 0, initial;
    size_t i;
    limit = largest_buffer() - OVERHEAD;
    largest_datagram = limit + 100000;
    reason = malloc(largest_datagram);
    datagram = malloc(largest_datagram + 4096);
    expect(lib.open(&con, "collector") == 0, "open fails");
    initial = send_buffer(lib.get_socket(con));
    expect(send_with_reason(con, 0) == 0, "the smallest event fails");
    empty = receive();
    expect(lib.close(&con) == 0, "close fails");
    for (i = 0; i < sizeof around / sizeof *around; i++, cases += 2) {
        try_size(initial - OVERHEAD + around[i], empty, initial);
        try_size(limit + around[i], empty, initial);
    }
    for (size = 1000; size < limit; size = size * 3 / 2 + 1, cases++)
        try_size(size, empty, initial);
    for (size = limit + 1000; size < limit + 90000; size += 20000, cases++)
        try_size(size, empty, initial);
    printf("large: the send buffer allows %ld bytes\n", limit);
    return cases;
}

/* ---- threads that raise the send buffer at the same time */

static struct tlsrpt_connection_t *shared;
static pthread_barrier_t start;
static atomic_int racing, refused;

static void *race(void *number)
{
    size_t most = limit < 1000000 ? limit : 1000000;
    size_t length = most / RACERS * (RACERS - (size_t)number) - 4096;
    char *text = malloc(length + 1);
    int code;
    memset(text, 'x', length);
    text[length] = 0;
    pthread_barrier_wait(&start);
    code = send_event(&lib, shared, "example.org", text);
    /* A thread may set the buffer for its own event between another's raise and send. The other then gets an error. */
    expect(code == 0 || code == TLSRPT_ERR_SENDTO + EMSGSIZE, "a racing send of %zu bytes returns %d", length, code);
    refused += code != 0;
    free(text);
    racing--;
    return NULL;
}

static long try_races(void)
{
    pthread_t threads[RACERS];
    size_t i;
    int round, got, last, all_refused = 0;
    struct pollfd readable = {receiver, POLLIN, 0};
    pthread_barrier_init(&start, NULL, RACERS);
    lib.set_blocking();
    for (round = 0; round < RACES; round++) {
        expect(lib.open(&shared, "collector") == 0, "open fails");
        racing = RACERS;
        refused = 0;
        for (i = 0; i < RACERS; i++)
            needed(-pthread_create(&threads[i], NULL, race, (void *)i), "pthread_create");
        for (got = 0, last = 0; !last; poll(&readable, 1, 10))
            for (last = racing == 0; receive() >= 0; got++)
                ;
        expect(got + refused == RACERS, "%d of %d datagrams arrive, %d sends return an error", got, RACERS, refused);
        all_refused += refused;
        for (i = 0; i < RACERS; i++)
            pthread_join(threads[i], NULL);
        expect(lib.close(&shared) == 0, "close fails");
    }
    expect(all_refused <= RACES * RACERS / 100, "too many racing events are refused");
    printf("large: %d of %d racing events were refused\n", all_refused, RACES * RACERS);
    return RACES * RACERS;
}

int main(int argc, char **argv)
{
    char folder[64];
    long cases;
    if (argc != 2) {
        fputs("usage: large LIBRARY\n", stderr);
        return 2;
    }
    lib = load_library(argv[1]);
    enter_scratch_folder(folder);
    receiver = bind_collector("collector");
    cases = try_sizes();
    cases += try_races();
    leave_scratch_folder(folder);
    return closing_line_of("large", cases);
}
