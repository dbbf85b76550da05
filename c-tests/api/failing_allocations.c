/* An allocator that fails at each of its calls in turn: the code names the function, and no block leaks. */
#include <tlsrpt.h>

#include "allocator.h"
#include "checks.h"
#include "collector.h"
#include "events.h"

/* Longer than the delivery request's first buffer. */
static char long_text[5001];

/* ---- the code names the function that lacked memory */

typedef int (*function_under_test)(struct tlsrpt_dr_t *dr);

static int long_policy_domain(struct tlsrpt_dr_t *dr)
{
    return tlsrpt_init_policy(dr, TLSRPT_POLICY_STS, long_text);
}

static int long_policy_string(struct tlsrpt_dr_t *dr)
{
    return tlsrpt_add_policy_string(dr, long_text);
}

static int long_mx_host_pattern(struct tlsrpt_dr_t *dr)
{
    return tlsrpt_add_mx_host_pattern(dr, long_text);
}

static int long_failure(struct tlsrpt_dr_t *dr)
{
    return tlsrpt_add_delivery_request_failure(dr, TLSRPT_VALIDATION_FAILURE, NULL, NULL, NULL, NULL, NULL, long_text);
}

static int end_of_policy(struct tlsrpt_dr_t *dr)
{
    return tlsrpt_finish_policy(dr, TLSRPT_FINAL_FAILURE);
}

static const struct {
    int block;
    const char *steps_before;
    function_under_test function;
} steps[] = {
    {32000, "", long_policy_domain},
    {33000, "policy", long_policy_string},
    {33000, "policy failure", long_policy_string},
    {34000, "policy", long_mx_host_pattern},
    {34000, "policy failure", long_mx_host_pattern},
    {36000, "policy", long_failure},
};

/* The errno that a failing malloc leaves, and the one that the code must contain. */
static const struct {
    int left, counts_as;
} errnos[] = {
    {ENOMEM, ENOMEM}, {EAGAIN, EAGAIN}, {1, 1}, {999, 999}, {0, ENOMEM}, {1000, ENOMEM}, {-1, ENOMEM}, {2147483647, ENOMEM},
};

/* From the next call on, the first allocator fails and leaves this errno. */
static void fail_from_now_on(int left)
{
    first_allocator.fails_at = first_allocator.calls + 1;
    first_allocator.from_there_on = 1;
    first_allocator.leaves_errno = left;
}

static void work_again(void)
{
    first_allocator.fails_at = 0;
}

static void code_of_the_step(struct tlsrpt_connection_t *con, size_t row, int left, int expected)
{
    struct tlsrpt_dr_t *dr;

    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, "d", "p"));
    if (*steps[row].steps_before)
        CHECK_INT(0, take_steps(&dr, steps[row].steps_before));
    fail_from_now_on(left);
    CHECK_INT(expected, steps[row].function(dr));
    work_again();
    /* The error sticks although there is memory again. */
    CHECK_INT(expected, end_of_policy(dr));
    CHECK_INT(expected, tlsrpt_finish_delivery_request(&dr));
    CHECK(dr == NULL);
    CHECK_TEXT(NULL, collector_receive());
}

/* The codes of finish_policy and finish_delivery_request after a text of a given length. */
struct ends {
    int policy, request;
};

/* -1 for both when the text needs more than the first block already. */
static struct ends ends_behind(struct tlsrpt_connection_t *con, int length, int left)
{
    struct ends ends = {-1, -1};
    struct tlsrpt_dr_t *dr;
    int blocks_before = first_allocator.given;

    long_text[length] = '\0';
    tlsrpt_init_delivery_request(&dr, con, long_text, "p");
    long_text[length] = 'x';
    tlsrpt_init_policy(dr, TLSRPT_POLICY_STS, NULL);
    if (first_allocator.given > blocks_before + 1) {
        tlsrpt_cancel_delivery_request(&dr);
        return ends;
    }
    fail_from_now_on(left);
    ends.policy = end_of_policy(dr);
    ends.request = tlsrpt_finish_delivery_request(&dr);
    work_again();
    while (collector_receive())
        ;
    return ends;
}

/*
 * The text grows by one byte in each round. So for any size of the first block, the block is full at the end of the
 * policy in some rounds, and at the end of the request in others.
 */
static void ends_that_no_longer_fit(struct tlsrpt_connection_t *con, int left, int counts_as)
{
    int length, in_policy = 0, in_request = 0, otherwise = 0;

    /* Ends when the text before the policy's end fills the block alone. */
    for (length = 1; length < (int)sizeof long_text; length++) {
        struct ends ends = ends_behind(con, length, left);

        if (ends.policy < 0)
            break;
        if (ends.policy == 35000 + counts_as && ends.request == ends.policy)
            in_policy++;
        else if (ends.policy == 0 && ends.request == 37000 + counts_as)
            in_request++;
        else if (ends.policy != 0 || ends.request != 0)
            otherwise++;
    }
    CHECK(in_policy > 0);
    CHECK(in_request > 0);
    CHECK_INT(0, otherwise);
}

static void codes_with_errno(int left, int counts_as)
{
    struct tlsrpt_connection_t *con, *none = NULL;
    struct tlsrpt_dr_t *dr;
    size_t row;

    fail_from_now_on(left);
    CHECK_INT(41000 + counts_as, tlsrpt_open(&none, collector.name));
    CHECK(none == NULL);
    work_again();
    CHECK_INT(0, tlsrpt_open(&con, collector.name));

    fail_from_now_on(left);
    dr = (struct tlsrpt_dr_t *)con;
    CHECK_INT(42000 + counts_as, tlsrpt_init_delivery_request(&dr, con, "d", "p"));
    CHECK(dr == NULL);
    work_again();

    first_allocator.fails_at = first_allocator.calls + 2;
    dr = (struct tlsrpt_dr_t *)con;
    CHECK_INT(31000 + counts_as, tlsrpt_init_delivery_request(&dr, con, "d", long_text));
    CHECK(dr == NULL);
    work_again();

    for (row = 0; row < sizeof steps / sizeof *steps; row++)
        code_of_the_step(con, row, left, steps[row].block + counts_as);
    ends_that_no_longer_fit(con, left, counts_as);
    CHECK_INT(0, send_success(con));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK(allocator_is_even(&first_allocator));
}

/* ---- a whole delivery request whose k-th allocation fails, for every k, until one succeeds */

static int whole_request(void)
{
    struct tlsrpt_connection_t *con;
    struct tlsrpt_dr_t *dr;
    int code = tlsrpt_open(&con, collector.name);

    if (code != 0)
        return code;
    code = tlsrpt_init_delivery_request(&dr, con, "example.org", long_text);
    if (code == 0) {
        /* Out of order, so that every buffer grows. */
        take_steps(&dr, "policy failure mx string");
        long_policy_string(dr);
        long_mx_host_pattern(dr);
        long_failure(dr);
        take_steps(&dr, "string mx end-policy policy");
        long_mx_host_pattern(dr);
        long_policy_string(dr);
        code = take_steps(&dr, "end-policy finish");
    }
    tlsrpt_close(&con);
    return code;
}

static int is_no_memory(int code)
{
    static const int blocks[] = {31000, 32000, 33000, 34000, 35000, 36000, 37000, 41000, 42000};
    size_t i;

    for (i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (code == blocks[i] + ENOMEM)
            return 1;
    return 0;
}

static void every_allocation_in_turn(int from_there_on)
{
    int k, code = -1;

    for (k = 1; code != 0 && k < 1000; k++) {
        first_allocator.calls = 0;
        first_allocator.fails_at = k;
        first_allocator.from_there_on = from_there_on;
        first_allocator.leaves_errno = ENOMEM;
        code = whole_request();
        CHECK(code == 0 || is_no_memory(code));
        CHECK(allocator_is_even(&first_allocator));
        CHECK((collector_receive() != NULL) == (code == 0));
    }
    CHECK_INT(0, code);
    CHECK(k > 6);
    work_again();
}

int main(void)
{
    size_t i;

    memset(long_text, 'x', sizeof long_text - 1);
    collector_open();
    tlsrpt_set_malloc_and_free(first_malloc, first_free);
    for (i = 0; i < sizeof errnos / sizeof *errnos; i++)
        codes_with_errno(errnos[i].left, errnos[i].counts_as);
    every_allocation_in_turn(0);
    every_allocation_in_turn(1);
    collector_remove();
    return closing_line("failing_allocations");
}
