/*
 * What a careless program does. Each kind of misuse runs in a child of its own: the answer must be the promised code, and
 * never a signal.
 *
 * A wrong answer fails as a signal does. With MISUSE=count in the environment the program only says how each kind ended:
 * to look at another library.
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

/* Every kind begins with these; what is left of them is ended behind it. */
static struct tlsrpt_connection_t *con;
static struct tlsrpt_dr_t *dr;

/* ---- NULL for every pointer of every function */

static void open_without_a_place(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_open(NULL, collector.name));
}

static void open_without_a_name(int unused)
{
    struct tlsrpt_connection_t *other = con;

    (void)unused;
    CHECK_INT(10791, tlsrpt_open(&other, NULL));
    CHECK(other == NULL);
}

static void close_without_a_place(int unused)
{
    (void)unused;
    CHECK_INT(10713, tlsrpt_close(NULL));
}

static void close_without_a_connection(int unused)
{
    struct tlsrpt_connection_t *none = NULL;

    (void)unused;
    CHECK_INT(10713, tlsrpt_close(&none));
}

static void init_request_without_a_place(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_init_delivery_request(NULL, con, "d", "p"));
}

static void init_request_without_a_connection(int unused)
{
    struct tlsrpt_dr_t *other = dr;

    (void)unused;
    CHECK_INT(10713, tlsrpt_init_delivery_request(&other, NULL, "d", "p"));
    CHECK(other == NULL);
}

static void init_request_without_a_domain(int unused)
{
    struct tlsrpt_dr_t *other = dr;

    (void)unused;
    CHECK_INT(10791, tlsrpt_init_delivery_request(&other, con, NULL, "p"));
    CHECK(other == NULL);
}

static void init_request_without_a_record(int unused)
{
    struct tlsrpt_dr_t *other = dr;

    (void)unused;
    CHECK_INT(10791, tlsrpt_init_delivery_request(&other, con, "d", NULL));
    CHECK(other == NULL);
}

static void cancel_without_a_place(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_cancel_delivery_request(NULL));
}

static void cancel_without_a_request(int unused)
{
    struct tlsrpt_dr_t *none = NULL;

    (void)unused;
    CHECK_INT(10791, tlsrpt_cancel_delivery_request(&none));
}

static void finish_without_a_place(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_finish_delivery_request(NULL));
}

static void finish_without_a_request(int unused)
{
    struct tlsrpt_dr_t *none = NULL;

    (void)unused;
    CHECK_INT(10791, tlsrpt_finish_delivery_request(&none));
}

/* Each step of a request that is not there. */
static void init_policy_without_a_request(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_init_policy(NULL, TLSRPT_POLICY_STS, "d"));
}

static void finish_policy_without_a_request(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_finish_policy(NULL, TLSRPT_FINAL_SUCCESS));
}

static void policy_string_without_a_request(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_add_policy_string(NULL, "s"));
}

static void mx_host_pattern_without_a_request(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_add_mx_host_pattern(NULL, "m"));
}

static void failure_without_a_request(int unused)
{
    (void)unused;
    CHECK_INT(10791, tlsrpt_add_delivery_request_failure(NULL, TLSRPT_VALIDATION_FAILURE, "s", "n", "h", "r", "a", "f"));
}

/* The request is marked failed: the code stays with it, and nothing is sent. */
static void null_policy_string(int unused)
{
    (void)unused;
    CHECK_INT(0, take_step(&dr, "policy"));
    CHECK_INT(10791, tlsrpt_add_policy_string(dr, NULL));
    CHECK_INT(10791, take_steps(&dr, "end-policy finish"));
}

static void null_mx_host_pattern(int unused)
{
    (void)unused;
    CHECK_INT(0, take_step(&dr, "policy"));
    CHECK_INT(10791, tlsrpt_add_mx_host_pattern(dr, NULL));
    CHECK_INT(10791, take_steps(&dr, "end-policy cancel"));
}

/* These may be missing. */
static void null_policy_domain_and_failure_strings(int unused)
{
    (void)unused;
    CHECK_INT(0, tlsrpt_init_policy(dr, TLSRPT_POLICY_STS, NULL));
    CHECK_INT(0, tlsrpt_add_delivery_request_failure(dr, TLSRPT_VALIDATION_FAILURE, NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK_INT(0, take_steps(&dr, "end-policy finish"));
    CHECK_TEXT("{\"dpv\": \"1\",\"d\": \"example.org\",\"pr\": \"" RECORD "\",\"policies\":["
               "{\"policy-type\":2,\"failure-details\":[{\"c\":205}],\"t\":1,\"f\":1}]}",
               collector_receive());
}

static void get_socket_without_a_connection(int unused)
{
    (void)unused;
    CHECK_INT(-1, tlsrpt_get_socket(NULL));
}

static void null_hooks(int which)
{
    struct tlsrpt_connection_t *other;

    tlsrpt_set_malloc_and_free(which == 1 ? second_malloc : NULL, which == 2 ? second_free : NULL);
    CHECK_INT(0, tlsrpt_open(&other, collector.name));
    CHECK_INT(0, send_success(other));
    CHECK_INT(0, tlsrpt_close(&other));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
    CHECK_INT(0, second_allocator.calls + second_allocator.taken);
}

/* ---- the wrong order */

static const struct {
    int code;
    const char *steps;
} wrong_orders[] = {
    {10722, "string"},
    {10723, "mx"},
    {10724, "failure"},
    {10722, "end-policy"},
    {10722, "policy end-policy end-policy"},
    {10722, "policy end-policy string"},
    {10723, "policy end-policy mx"},
    {10724, "policy end-policy failure"},
    {10731, "policy policy"},
    {10712, "policy finish"},
    {10732, "finish"},
    {10791, "cancel cancel"},
    {10791, "cancel finish"},
    {10791, "cancel policy"},
    {10791, "cancel string"},
    {10791, "cancel mx"},
    {10791, "cancel failure"},
    {10791, "cancel end-policy"},
    {10791, WHOLE_LIFE " finish"},
    {10791, WHOLE_LIFE " cancel"},
    {10791, WHOLE_LIFE " string"},
};

static void wrong_order(int row)
{
    check_subject = wrong_orders[row].steps;
    CHECK_INT(wrong_orders[row].code, take_steps(&dr, wrong_orders[row].steps));
}

static void close_twice(int unused)
{
    (void)unused;
    CHECK_INT(0, take_step(&dr, "cancel"));
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK_INT(10713, tlsrpt_close(&con));
}

/* The request keeps the socket, is still sent, and closes it behind itself. */
static void close_before_finish(int unused)
{
    int descriptor = tlsrpt_get_socket(con);

    (void)unused;
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK(con == NULL);
    CHECK_INT(0, take_steps(&dr, WHOLE_LIFE));
    CHECK_TEXT(WHOLE_LIFE_DATAGRAM, collector_receive());
    CHECK_INT(-1, fcntl(descriptor, F_GETFD));
}

static void close_before_cancel(int unused)
{
    int descriptor = tlsrpt_get_socket(con);

    (void)unused;
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK_INT(0, take_steps(&dr, "policy string cancel"));
    CHECK_INT(-1, fcntl(descriptor, F_GETFD));
}

static void descriptor_closed_underneath(int unused)
{
    (void)unused;
    needed(close(tlsrpt_get_socket(con)), "close");
    CHECK_INT(13000 + EBADF, take_steps(&dr, WHOLE_LIFE));
    CHECK_INT(12000 + EBADF, tlsrpt_close(&con));
}

/* Variables that were never initialized are no handles: the functions that fill them do not look. */
static void garbage_in_the_place(int unused)
{
    struct tlsrpt_connection_t *other_con = (struct tlsrpt_connection_t *)1;
    struct tlsrpt_dr_t *other_dr = (struct tlsrpt_dr_t *)1;

    (void)unused;
    CHECK_INT(0, tlsrpt_open(&other_con, collector.name));
    CHECK_INT(0, tlsrpt_init_delivery_request(&other_dr, other_con, "d", "p"));
    CHECK_INT(0, tlsrpt_cancel_delivery_request(&other_dr));
    CHECK_INT(0, tlsrpt_close(&other_con));
}

/* ---- memory */

static int is_a_code_without_memory(int code)
{
    return code % 1000 == ENOMEM && code > 30000;
}

/* A life in which any buffer grows; the k-th allocation fails. */
static void allocation_fails(int k)
{
    static char text[3001];
    struct tlsrpt_connection_t *other = NULL;
    struct tlsrpt_dr_t *request = NULL;
    int code;

    memset(text, 'x', sizeof text - 1);
    first_allocator.calls = 0;
    first_allocator.fails_at = k;
    first_allocator.leaves_errno = ENOMEM;
    code = tlsrpt_open(&other, collector.name);
    if (code == 0) {
        code = tlsrpt_init_delivery_request(&request, other, "d", text);
        if (code == 0) {
            take_steps(&request, "policy failure mx string");
            tlsrpt_add_policy_string(request, text);
            tlsrpt_add_mx_host_pattern(request, text);
            code = take_steps(&request, "end-policy finish");
        }
        CHECK_INT(0, tlsrpt_close(&other));
    }
    CHECK(request == NULL && other == NULL);
    CHECK(code == 0 ? first_allocator.calls < k : is_a_code_without_memory(code));
    CHECK((collector_receive() != NULL) == (code == 0));
    first_allocator.fails_at = 0;
}

/* ---- texts */

static void name_of_length(int length)
{
    char name[5001];
    struct tlsrpt_connection_t *other = con;
    int fits = length <= 107;

    memset(name, 'n', sizeof name);
    name[length] = '\0';
    CHECK_INT(fits ? 0 : 10711, tlsrpt_open(&other, name));
    CHECK((other != NULL) == fits);
    if (!other)
        return;
    /* No collector has such a name: an empty one is refused, the other is not found. */
    CHECK_INT(13000 + (length == 0 ? ECONNREFUSED : ENOENT), send_success(other));
    CHECK_INT(0, tlsrpt_close(&other));
}

enum { DOMAIN, TLSRPT_RECORD, POLICY_DOMAIN, POLICY_STRING, MX_HOST_PATTERN, FIRST_OF_FAILURE, FIELDS = 11 };

/* An event with this text in one field and "x" in the others. */
static int send_with(int field, const char *text)
{
    const char *texts[FIELDS];
    const char **failure = texts + FIRST_OF_FAILURE;
    struct tlsrpt_dr_t *request;
    int i;

    for (i = 0; i < FIELDS; i++)
        texts[i] = i == field ? text : "x";
    CHECK_INT(0, tlsrpt_init_delivery_request(&request, con, texts[DOMAIN], texts[TLSRPT_RECORD]));
    CHECK_INT(0, tlsrpt_init_policy(request, TLSRPT_POLICY_STS, texts[POLICY_DOMAIN]));
    CHECK_INT(0, tlsrpt_add_policy_string(request, texts[POLICY_STRING]));
    CHECK_INT(0, tlsrpt_add_mx_host_pattern(request, texts[MX_HOST_PATTERN]));
    CHECK_INT(0, tlsrpt_add_delivery_request_failure(request, TLSRPT_VALIDATION_FAILURE, failure[0], failure[1],
                                                     failure[2], failure[3], failure[4], failure[5]));
    CHECK_INT(0, tlsrpt_finish_policy(request, TLSRPT_FINAL_FAILURE));
    return tlsrpt_finish_delivery_request(&request);
}

/* Its datagram, when the text is written so; its length. */
static int datagram_with(int field, const char *written, char *datagram, size_t room)
{
    const char *texts[FIELDS];
    const char **failure = texts + FIRST_OF_FAILURE;
    int i;

    for (i = 0; i < FIELDS; i++)
        texts[i] = i == field ? written : "x";
    return snprintf(datagram, room,
                    "{\"dpv\": \"1\",\"d\": \"%s\",\"pr\": \"%s\",\"policies\":[{\"policy-type\":2,"
                    "\"policy-domain\": \"%s\",\"policy-string\":[\"%s\"],\"mx-host\":[\"%s\"],\"failure-details\":[{"
                    "\"c\":205,\"s\": \"%s\",\"n\": \"%s\",\"h\": \"%s\",\"r\": \"%s\",\"a\": \"%s\",\"f\": \"%s\"}],"
                    "\"t\":1,\"f\":1}]}",
                    texts[DOMAIN], texts[TLSRPT_RECORD], texts[POLICY_DOMAIN], texts[POLICY_STRING],
                    texts[MX_HOST_PATTERN], failure[0], failure[1], failure[2], failure[3], failure[4], failure[5]);
}

/* A Latin-1 letter, parts of a character, too long a form, half a surrogate pair, bytes that are never UTF-8. */
static void not_utf8(int field)
{
#define REPLACED "\xef\xbf\xbd"
    char expected[1000];

    datagram_with(field,
                  "caf" REPLACED " " REPLACED "\xe2\x82\xac " REPLACED REPLACED " " REPLACED REPLACED REPLACED
                  " " REPLACED REPLACED "\\\" " REPLACED,
                  expected, sizeof expected);
    CHECK_INT(0, send_with(field, "caf\xe9 \xe2\x82\xe2\x82\xac \xc0\x80 \xed\xa0\x80 \xf5\xff\" \xf0\x9f\x98"));
    CHECK_TEXT(expected, collector_receive());
#undef REPLACED
}

/* A MiB is written without harm; whether it is sent depends on the send buffers that the system allows. */
static void one_mebibyte(int field)
{
    /* What the system sets aside in a send buffer next to a datagram. */
    enum { LENGTH = 1 << 20, OVERHEAD = 32 };
    static char text[LENGTH + 1], expected[LENGTH + 1000];
    int length;

    memset(text, 'x', LENGTH);
    length = datagram_with(field, text, expected, sizeof expected);
    if (length + OVERHEAD <= largest_send_buffer()) {
        CHECK_INT(0, send_with(field, text));
        CHECK_TEXT(expected, collector_receive());
    } else {
        CHECK_INT(13000 + EMSGSIZE, send_with(field, text));
        CHECK_TEXT(NULL, collector_receive());
    }
}

/* ---- numbers */

static void numbers_outside_the_enums(int unused)
{
    (void)unused;
    CHECK_INT(0, tlsrpt_init_policy(dr, (tlsrpt_policy_type_t)INT_MIN, NULL));
    CHECK_INT(0, tlsrpt_add_delivery_request_failure(dr, (tlsrpt_failure_t)INT_MAX, NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK_INT(0, tlsrpt_finish_policy(dr, (tlsrpt_final_result_t)-1));
    CHECK_INT(0, take_step(&dr, "finish"));
    CHECK_TEXT("{\"dpv\": \"1\",\"d\": \"example.org\",\"pr\": \"" RECORD "\",\"policies\":[{\"policy-type\":-2147483648,"
               "\"failure-details\":[{\"c\":2147483647}],\"t\":1,\"f\":-1}]}",
               collector_receive());
}

static void codes_that_do_not_exist(int code)
{
    CHECK(tlsrpt_strerror(code) != NULL && *tlsrpt_strerror(code) != '\0');
    CHECK_INT(code % 1000, tlsrpt_errno_from_error_code(code));
    CHECK_INT(0, tlsrpt_error_code_is_internal(code));
}

static void versions_that_do_not_exist(int number)
{
    CHECK_INT(0, tlsrpt_version_check(number, 0, 0));
    CHECK_INT(number < 0, tlsrpt_version_check(0, number, number));
}

/* ---- the table */

typedef void (*kind_of_misuse)(int row);

static const struct {
    const char *name;
    kind_of_misuse function;
    /* The numbers that it is tried with: so many, from the first. */
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

/* Runs one kind in a child. What `waitpid` says of it. */
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
    /* Nothing but the signal is to be found. */
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
        printf("%-62s %s\n", subject, died ? "signal" : WEXITSTATUS(status) ? "another answer" : "as promised");
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

    /* A signal does not go unnoticed. */
    CHECK(WIFSIGNALED(end_of_child(die, SIGSEGV, 0)));
    for (kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (i = 0; i < kinds[kind].count; i++, tried++)
            try_kind(kind, kinds[kind].first + i, count_only, &signals);
    printf("%d of %d kinds of misuse ended with a signal\n", signals, tried);
    return closing_line("misuse");
}
