/* Every return code of the C interface, each caused by a real error. */
#include <tlsrpt.h>

#include <errno.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "checks.h"
#include "collector.h"
#include "events.h"

static struct tlsrpt_connection_t *con;

/* ---- errors that the library finds: the last step returns the code */

static const struct {
    int code;
    const char *steps;
} requests[] = {
    {0, WHOLE_REQUEST},
    {0, "policy string cancel"},
    {0, "cancel"},
    {10712, "policy finish"},
    {10712, "policy end-policy policy failure finish"},
    {10722, "end-policy"},
    {10722, "policy end-policy end-policy"},
    {10722, "string"},
    {10722, "policy end-policy string"},
    {10723, "mx"},
    {10723, "policy end-policy mx"},
    {10724, "failure"},
    {10724, "policy end-policy failure"},
    {10731, "policy policy"},
    {10731, "policy end-policy policy string policy"},
    {10732, "finish"},
    /* Errors stick: every later step returns the first code, cancelling too. */
    {10731, "policy policy string"},
    {10731, "policy policy mx"},
    {10731, "policy policy failure"},
    {10731, "policy policy end-policy"},
    {10731, "policy policy end-policy finish"},
    {10731, "policy policy cancel"},
    {10723, "mx policy"},
    {10723, "mx policy string"},
    {10724, "failure finish"},
    {10722, "string mx failure cancel"},
};

static void found_by_the_library(void)
{
    size_t i;

    for (i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct tlsrpt_dr_t *dr;

        check_subject = requests[i].steps;
        CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, "example.org", RECORD));
        CHECK_INT(requests[i].code, take_steps(&dr, requests[i].steps));
        if (dr)
            CHECK_INT(requests[i].code, tlsrpt_finish_delivery_request(&dr));
        CHECK(dr == NULL);
        CHECK_TEXT(i == 0 ? WHOLE_REQUEST_DATAGRAM : NULL, collector_receive());
    }
    check_subject = NULL;
}

static void without_a_connection(void)
{
    struct tlsrpt_connection_t *none = NULL;
    struct tlsrpt_dr_t *dr = (struct tlsrpt_dr_t *)&none;

    CHECK_INT(10713, tlsrpt_close(&none));
    CHECK_INT(10713, tlsrpt_init_delivery_request(&dr, none, "d", "p"));
    CHECK(dr == NULL);
    CHECK_INT(10791, tlsrpt_open(&none, NULL));
}

static void socket_names(void)
{
    static const struct {
        int length, code;
    } names[] = {{0, 0}, {1, 0}, {107, 0}, {108, 10711}, {5000, 10711}};
    char name[5001];
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        struct tlsrpt_connection_t *other = con;

        memset(name, 'n', sizeof name);
        name[names[i].length] = '\0';
        CHECK_INT(names[i].code, tlsrpt_open(&other, name));
        CHECK((other != NULL) == (names[i].code == 0));
        CHECK_INT(names[i].code ? 10713 : 0, tlsrpt_close(&other));
    }
}

/* ---- errors of the system */

/* A limit of 0 descriptors has the same effect as a process with all its descriptors in use. */
static void no_descriptor_left(void)
{
    struct tlsrpt_connection_t *other = con;
    struct rlimit limit, none;

    needed(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    none = limit;
    none.rlim_cur = 0;
    needed(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
    CHECK_INT(11000 + EMFILE, tlsrpt_open(&other, collector.name));
    CHECK(other == NULL);
    needed(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

static void descriptor_closed_underneath(void)
{
    struct tlsrpt_connection_t *other;

    CHECK_INT(0, tlsrpt_open(&other, collector.name));
    needed(close(tlsrpt_get_socket(other)), "close");
    CHECK_INT(13000 + EBADF, send_success(other));
    CHECK_INT(12000 + EBADF, tlsrpt_close(&other));
    CHECK(other == NULL);
}

static void no_socket_and_nobody_listening(void)
{
    collector_die();
    CHECK_INT(13000 + ECONNREFUSED, send_success(con));
    needed(unlink(collector.name), "unlink");
    CHECK_INT(13000 + ENOENT, send_success(con));
    collector_start();
    CHECK_INT(0, send_success(con));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
}

static void queue_full(void)
{
    int sent = 0, code, received = 0;

    while ((code = send_success(con)) == 0)
        sent++;
    CHECK_INT(13000 + EAGAIN, code);
    CHECK(sent > 0);
    while (collector_receive())
        received++;
    CHECK_INT(sent, received);
}

/* More than the system lets a process send, even with its send buffer raised. */
static void too_long(void)
{
    int largest = largest_send_buffer();
    char *text;
    struct tlsrpt_dr_t *dr;

    text = malloc((size_t)largest + 1);
    CHECK(text != NULL);
    memset(text, 'x', (size_t)largest);
    text[largest] = '\0';
    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, text, RECORD));
    free(text);
    CHECK_INT(13000 + EMSGSIZE, take_steps(&dr, WHOLE_REQUEST));
    CHECK_TEXT(NULL, collector_receive());
}

/* Root may write anywhere, so a child becomes nobody first. */
static int send_as_an_ordinary_user(void)
{
    int status;
    pid_t child = needed(fork(), "fork");

    if (child == 0) {
        struct passwd *nobody = getuid() == 0 ? getpwnam("nobody") : NULL;
        int code;

        if (getuid() == 0 && (!nobody || setuid(nobody->pw_uid) != 0)) {
            perror("setuid nobody");
            exit(1);
        }
        code = send_success(con);
        tlsrpt_close(&con);
        close(collector.receiver);
        /* An errno fits into an exit status, an error code does not. */
        exit(code > 13000 && code < 13128 ? code - 13000 : code == 0 ? 0 : 255);
    }
    needed(waitpid(child, &status, 0), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void no_permission(void)
{
    needed(chmod(collector.name, 0666), "chmod");
    CHECK_INT(0, send_as_an_ordinary_user());
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
    needed(chmod(collector.name, 0), "chmod");
    CHECK_INT(EACCES, send_as_an_ordinary_user());
    CHECK_TEXT(NULL, collector_receive());
    needed(chmod(collector.name, 0600), "chmod");
}

/* The collector has shut down its socket: the send returns an error and raises no SIGPIPE, which would end the program. */
static void shut_down(void)
{
    needed(shutdown(collector.receiver, SHUT_RD), "shutdown");
    CHECK_INT(13000 + EPIPE, send_success(con));
}

int main(void)
{
    collector_open();
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    found_by_the_library();
    without_a_connection();
    socket_names();
    no_descriptor_left();
    descriptor_closed_underneath();
    no_socket_and_nobody_listening();
    queue_full();
    too_long();
    no_permission();
    shut_down();
    CHECK_INT(0, tlsrpt_close(&con));
    collector_remove();
    return closing_line("return_codes");
}
