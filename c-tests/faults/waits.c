/*
 * waits LIBRARY [survey]
 *
 * Sends 100,000 events to a full queue that the collector does not read, under a filter that ends the process at any
 * system call but socket, sendto and close, and at a sendto that may block or raise SIGPIPE. The process must not
 * sleep. Prints the time of the longest event, which is measured by the clock and may contain time of other processes.
 * With "survey", sends may have any flags: for the C library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "checks.h"
#include "collector.h"
#include "loaded_events.h"
#include "seccomp.h"

#define EVENTS 100000

static struct library lib;
static struct tlsrpt_connection_t *con;
static long *times;

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

/* The number of voluntary context switches. */
static long sleeps(void)
{
    struct rusage usage;
    needed(getrusage(RUSAGE_SELF, &usage), "getrusage");
    return usage.ru_nvcsw;
}

/* Runs in a child process, which shares the times with its parent. */
static void send_to_full_queue(int flags)
{
    long i, begin, others = 0, slept = sleeps();
    allow_three_calls(flags);
    for (i = 0; i < EVENTS; i++) {
        begin = now();
        others += send_event(&lib, con, "example.org", "expired") != TLSRPT_ERR_SENDTO + EAGAIN;
        times[i] = now() - begin;
    }
    syscall(SYS_exit_group, others != 0 || sleeps() != slept);
}

/* Positive control: the filter must end a send that may block. */
static void send_that_waits(int flags)
{
    lib.set_blocking();
    allow_three_calls(flags);
    send_event(&lib, con, "example.org", "expired");
    syscall(SYS_exit_group, 0);
}

/* Positive control: a send that blocks must count as a sleep. */
static void send_that_sleeps(void)
{
    long slept = sleeps();
    lib.set_blocking();
    send_event(&lib, con, "example.org", "expired");
    syscall(SYS_exit_group, sleeps() == slept);
}

/* Whether a process sleeps, from /proc/PID/stat. */
static int is_asleep(pid_t process)
{
    char name[64], state = 0;
    FILE *in;
    snprintf(name, sizeof name, "/proc/%d/stat", process);
    in = fopen(name, "r");
    needed(in && fscanf(in, "%*d (%*[^)]) %c", &state) == 1 ? 0 : -1, name);
    fclose(in);
    return state == 'S';
}

static int end_of_sleeper(int receiver)
{
    char datagram[4096];
    int status;
    pid_t child = needed(fork(), "fork");
    if (child == 0)
        send_that_sleeps();
    while (!is_asleep(child))
        sched_yield();
    needed(recv(receiver, datagram, sizeof datagram, 0), "recv");
    needed(waitpid(child, &status, 0), "waitpid");
    return status;
}

static int end_of(void (*body)(int), int flags)
{
    int status;
    pid_t child = needed(fork(), "fork");
    if (child == 0)
        body(flags);
    needed(waitpid(child, &status, 0), "waitpid");
    return status;
}

int main(int argc, char **argv)
{
    int survey = argc == 3 && strcmp(argv[2], "survey") == 0, status, filled = 0, receiver;
    char folder[64];
    if (argc != 2 && !survey) {
        fputs("usage: waits LIBRARY [survey]\n", stderr);
        return 2;
    }
    lib = load_library(argv[1]);
    enter_scratch_folder(folder);
    receiver = bind_collector("collector");
    expect(lib.open(&con, "collector") == 0, "open fails");
    while (send_event(&lib, con, "example.org", "expired") == 0)
        filled++;
    expect(filled > 0, "no event fits the queue");
    times = mmap(NULL, EVENTS * sizeof *times, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    needed(times == MAP_FAILED ? -1 : 0, "mmap");
    memset(times, 0, EVENTS * sizeof *times); /* so that the pages are there */
    status = end_of(send_to_full_queue, survey ? -1 : MSG_DONTWAIT | MSG_NOSIGNAL);
    expect(status == 0, "on a full queue: status %#x", status);
    qsort(times, EVENTS, sizeof *times, compare);
    printf("waits: %d events: half within %ld ns, 99.9 %% within %ld ns, the longest %ld ns\n", EVENTS,
           times[EVENTS / 2], times[EVENTS - EVENTS / 1000], times[EVENTS - 1]);
    status = end_of(send_that_waits, MSG_DONTWAIT | MSG_NOSIGNAL);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "a send that may wait passes the filter: %#x", status);
    status = end_of_sleeper(receiver);
    expect(status == 0, "a send that waits is not seen to sleep: %#x", status);
    leave_scratch_folder(folder);
    return closing_line_of("waits", EVENTS + 2);
}
