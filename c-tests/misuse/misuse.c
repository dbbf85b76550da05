/*
 * Misuse of the functions. Each kind of misuse runs in a child process: it must return the documented code, and must not
 * end by a signal.
 *
 * A wrong code is a failure, as a signal is. With MISUSE=count in the environment the program only prints how each kind
 * ended: to examine another library.
 */
#include <tlsrpt.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "allocator.h"
#include "checks.h"
#include "collector.h"
#include "events.h"

/* Opened before each kind. Those that are still open are closed after it. */
static struct tlsrpt_connection_t *con;
static struct tlsrpt_dr_t *dr;

#include "pointers.h"
#include "order.h"
#include "memory.h"
#include "texts.h"
#include "numbers.h"

typedef void (*kind_of_misuse)(int row);

static const struct {
    const char *name;
    kind_of_misuse function;
    /* The arguments: `count` numbers from `first` on. */
    int first, count;
} kinds[] = {
#define ONE(kind) {#kind, kind, 0, 1}
#define EACH(kind, first, count) {#kind, kind, first, count}
#define WITH(kind, number) {#kind, kind, number, 1}
    ONE(open_without_a_place),
    ONE(open_without_a_name),
    ONE(close_without_a_place),
    ONE(close_without_a_connection),
    ONE(init_request_without_a_place),
    ONE(init_request_without_a_connection),
    ONE(init_request_without_a_domain),
    ONE(init_request_without_a_record),
    ONE(cancel_without_a_place),
    ONE(cancel_without_a_request),
    ONE(finish_without_a_place),
    ONE(finish_without_a_request),
    ONE(init_policy_without_a_request),
    ONE(finish_policy_without_a_request),
    ONE(policy_string_without_a_request),
    ONE(mx_host_pattern_without_a_request),
    ONE(failure_without_a_request),
    ONE(null_policy_string),
    ONE(null_mx_host_pattern),
    ONE(null_policy_domain_and_failure_strings),
    ONE(get_socket_without_a_connection),
    EACH(null_hooks, 0, 3),
    EACH(wrong_order, 0, sizeof wrong_orders / sizeof *wrong_orders),
    ONE(close_twice),
    ONE(close_before_finish),
    ONE(close_before_cancel),
    ONE(descriptor_closed_underneath),
    ONE(garbage_in_the_place),
    EACH(allocation_fails, 1, 10),
    WITH(name_of_length, 0),
    WITH(name_of_length, 107),
    WITH(name_of_length, 108),
    WITH(name_of_length, 5000),
    EACH(not_utf8, 0, FIELDS),
    EACH(one_mebibyte, 0, FIELDS),
    ONE(numbers_outside_the_enums),
    WITH(codes_that_do_not_exist, -1),
    WITH(codes_that_do_not_exist, INT_MIN),
    WITH(codes_that_do_not_exist, INT_MAX),
    WITH(versions_that_do_not_exist, -1),
    WITH(versions_that_do_not_exist, INT_MIN),
    WITH(versions_that_do_not_exist, INT_MAX),
};

static void try_one(kind_of_misuse kind, int number)
{
    collector_open();
    tlsrpt_set_malloc_and_free(first_malloc, first_free);
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, "example.org", RECORD));
    kind(number);
    if (dr)
        tlsrpt_cancel_delivery_request(&dr);
    if (con)
        CHECK_INT(0, tlsrpt_close(&con));
    CHECK(allocator_is_even(&first_allocator));
    collector_remove();
}

/* Runs one kind in a child. Returns the status of waitpid. */
static int end_of_child(kind_of_misuse kind, int number, int quiet)
{
    struct rlimit no_core = {0, 0};
    int status;
    pid_t child;

    fflush(NULL);
    child = needed(fork(), "fork");
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &no_core);
        /* A kind that hangs ends by a signal too. */
        alarm(60);
        if (quiet && !freopen("/dev/null", "w", stderr))
            exit(1);
        try_one(kind, number);
        exit(checks_failed > 0);
    }
    needed(waitpid(child, &status, 0), "waitpid");
    return status;
}

static void die(int signal)
{
    /* The parent checks only the signal. */
    take_step(&dr, "cancel");
    tlsrpt_close(&con);
    collector_remove();
    raise(signal);
}

static void try_kind(size_t kind, int number, int count_only, int *signals)
{
    char subject[100];
    int status = end_of_child(kinds[kind].function, number, count_only);
    int died = WIFSIGNALED(status);

    *signals += died;
    if (kinds[kind].function == wrong_order)
        snprintf(subject, sizeof subject, "wrong_order: %s", wrong_orders[number].steps);
    else
        snprintf(subject, sizeof subject, "%s, %d", kinds[kind].name, number);
    if (count_only) {
        printf("%-62s %s\n", subject, died ? "signal" : WEXITSTATUS(status) ? "another result" : "as documented");
        return;
    }
    check_subject = subject;
    if (died)
        CHECK_INT(0, WTERMSIG(status));
    else
        CHECK_INT(0, WEXITSTATUS(status));
    check_subject = NULL;
}

int main(void)
{
    const char *mode = getenv("MISUSE");
    int count_only = mode && strcmp(mode, "count") == 0;
    int tried = 0, signals = 0, i;
    size_t kind;

    /* Positive control: the test detects a signal. */
    CHECK(WIFSIGNALED(end_of_child(die, SIGSEGV, 0)));
    for (kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (i = 0; i < kinds[kind].count; i++, tried++)
            try_kind(kind, kinds[kind].first + i, count_only, &signals);
    printf("%d of %d kinds of misuse ended with a signal\n", signals, tried);
    return closing_line("misuse");
}
