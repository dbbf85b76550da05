/* The socket of a connection: close-on-exec, unchanged errno, blocking or not, names, a collector that stops and restarts. */
#include <tlsrpt.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "checks.h"
#include "collector.h"
#include "events.h"

static struct tlsrpt_connection_t *con;

/* ---- close-on-exec: this program executes itself, and reports whether a descriptor is open in it */

#define IS_OPEN "--is-open"

static int is_open_after_exec(const char *program, int descriptor)
{
    /* The emulator for this architecture with its arguments; none where the system runs the program itself. */
    const char *emulator = getenv("EMULATOR");
    char command[4096];
    int status;
    pid_t child;

    snprintf(command, sizeof command, "exec %s '%s' " IS_OPEN " %d", emulator ? emulator : "", program, descriptor);
    child = needed(fork(), "fork");
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(2);
    }
    needed(waitpid(child, &status, 0), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void closed_on_exec(const char *program)
{
    CHECK_INT(0, is_open_after_exec(program, tlsrpt_get_socket(con)));
    /* Positive control: any other descriptor is inherited. */
    CHECK_INT(1, is_open_after_exec(program, collector.receiver));
}

/* ---- errno */

static void errno_left_alone(void)
{
    struct tlsrpt_connection_t *other;
    struct tlsrpt_dr_t *dr;
    /* Larger than the initial send buffer: the EMSGSIZE of the first attempt must not reach the caller. */
    static char large[300001];

    memset(large, 'x', sizeof large - 1);
    errno = 4242;
    CHECK_INT(0, tlsrpt_open(&other, collector.name));
    CHECK_INT(4242, errno);
    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, other, "example.org", RECORD));
    CHECK_INT(0, take_steps(&dr, "policy string mx failure"));
    CHECK_INT(0, tlsrpt_add_policy_string(dr, large));
    CHECK_INT(0, take_step(&dr, "end-policy"));
    CHECK_INT(4242, errno);
    CHECK_INT(0, take_step(&dr, "finish"));
    CHECK_INT(4242, errno);
    CHECK(collector_receive() != NULL);
    errno = 4242;
    CHECK_INT(0, tlsrpt_close(&other));
    CHECK_INT(4242, errno);
}

/* ---- waiting */

static volatile sig_atomic_t ticks;

/* Reads no datagram before the third tick, so that a sender that does not wait would have failed. */
static void tick(int unused)
{
    char datagram[1000];
    int interrupted = errno;

    (void)unused;
    if (++ticks < 3)
        return;
    while (recv(collector.receiver, datagram, sizeof datagram, MSG_DONTWAIT) >= 0)
        ;
    errno = interrupted;
}

static void tick_every(int milliseconds)
{
    struct itimerval timer;

    timer.it_interval.tv_sec = timer.it_value.tv_sec = 0;
    timer.it_interval.tv_usec = timer.it_value.tv_usec = milliseconds * 1000;
    needed(setitimer(ITIMER_REAL, &timer, NULL), "setitimer");
}

static int fill_queue(void)
{
    int code;

    while ((code = send_success(con)) == 0)
        ;
    return code;
}

static void waits_only_when_told(void)
{
    struct sigaction on_tick;

    memset(&on_tick, 0, sizeof on_tick);
    on_tick.sa_handler = tick;
    needed(sigaction(SIGALRM, &on_tick, NULL), "sigaction");

    CHECK_INT(13000 + EAGAIN, fill_queue());
    tlsrpt_set_blocking();
    tick_every(10);
    CHECK_INT(0, send_success(con));
    tick_every(0);
    CHECK(ticks >= 3);
    tlsrpt_set_nonblocking();
    CHECK_INT(13000 + EAGAIN, fill_queue());
    while (collector_receive())
        ;
}

/* ---- names, and a collector that stops and restarts */

static void name_follows_the_working_directory(void)
{
    struct tlsrpt_connection_t *relative;
    char before[4096];

    CHECK(getcwd(before, sizeof before) != NULL);
    CHECK_INT(0, tlsrpt_open(&relative, "s"));
    CHECK_INT(13000 + ENOENT, send_success(relative));
    needed(chdir(collector.folder), "chdir");
    CHECK_INT(0, send_success(relative));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
    needed(chdir(before), "chdir");
    CHECK_INT(13000 + ENOENT, send_success(relative));
    CHECK_INT(0, tlsrpt_close(&relative));
}

static void collector_comes_and_goes(void)
{
    collector_stop();
    CHECK_INT(13000 + ENOENT, send_success(con));
    collector_start();
    CHECK_INT(0, send_success(con));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
    collector_stop();
    collector_start();
    CHECK_INT(0, send_success(con));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
}

/* A datagram that is larger than the initial send buffer is sent, if the system allows its size. */
static void send_buffer_is_raised(void)
{
    int before, after;
    socklen_t size = sizeof before;
    struct tlsrpt_dr_t *dr;
    char *large;

    needed(getsockopt(tlsrpt_get_socket(con), SOL_SOCKET, SO_SNDBUF, &before, &size), "getsockopt");
    if (!(large = malloc((size_t)before + 1)))
        needed(-1, "malloc");
    memset(large, 'x', (size_t)before);
    large[before] = '\0';
    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, large, RECORD));
    free(large);
    CHECK_INT(0, take_steps(&dr, WHOLE_REQUEST));
    CHECK(collector_receive() != NULL);
    needed(getsockopt(tlsrpt_get_socket(con), SOL_SOCKET, SO_SNDBUF, &after, &size), "getsockopt");
    CHECK(after > before);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], IS_OPEN) == 0)
        return fcntl(atoi(argv[2]), F_GETFD) >= 0;
    collector_open();
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    closed_on_exec(argv[0]);
    errno_left_alone();
    waits_only_when_told();
    name_follows_the_working_directory();
    collector_comes_and_goes();
    send_buffer_is_raised();
    CHECK_INT(0, tlsrpt_close(&con));
    collector_remove();
    return closing_line("socket_behaviour");
}
