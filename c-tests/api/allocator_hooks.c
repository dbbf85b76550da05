/* The caller's allocator: the number of blocks, and that each block is released by the allocator that made it. */
#include <tlsrpt.h>

#include "allocator.h"
#include "checks.h"
#include "collector.h"
#include "events.h"

static void start_with_first(void)
{
    memset(&first_allocator, 0, sizeof first_allocator);
    memset(&second_allocator, 0, sizeof second_allocator);
    tlsrpt_set_malloc_and_free(first_malloc, first_free);
}

/* A DANE failure as Postfix sends it, in 529 bytes. */
static int send_dane_failure(struct tlsrpt_connection_t *con)
{
    struct tlsrpt_dr_t *dr;

    tlsrpt_init_delivery_request(&dr, con, "mail.example.org", "v=TLSRPTv1; rua=mailto:tls-reports@mail.example.org");
    tlsrpt_init_policy(dr, TLSRPT_POLICY_TLSA, "mx1.mail.example.org");
    tlsrpt_add_policy_string(dr, "3 1 1 8D02536C887482BC34FF54E41D2BA659BF85B341A0A20AFADB5813DCFBCF286D");
    tlsrpt_add_policy_string(dr, "3 1 1 2BBB31D18E240DD50B5E7A93DD34B8F48F7AD27A9BFCCCF8BAD5A9CEED1D8D2B");
    tlsrpt_add_delivery_request_failure(dr, TLSRPT_CERTIFICATE_NOT_TRUSTED, "192.0.2.17", "mx1.mail.example.org",
                                        "mx1.mail.example.org", "2001:db8:17::25", NULL,
                                        "certificate verification failed: self-signed issuer");
    tlsrpt_finish_policy(dr, TLSRPT_FINAL_FAILURE);
    return tlsrpt_finish_delivery_request(&dr);
}

static void one_block_each(void)
{
    struct tlsrpt_connection_t *con;
    const char *datagram;

    start_with_first();
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    CHECK_INT(1, first_allocator.given);
    CHECK_INT(0, send_dane_failure(con));
    CHECK_INT(2, first_allocator.given);
    CHECK_INT(1, first_allocator.taken);
    datagram = collector_receive();
    CHECK_INT(529, datagram ? (long)strlen(datagram) : -1);
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK_INT(2, first_allocator.given);
    CHECK(allocator_is_even(&first_allocator));
}

/* A large event needs only a few more blocks: each growth at least doubles the block. */
static void growth(void)
{
    struct tlsrpt_connection_t *con;
    struct tlsrpt_dr_t *dr;
    int i, refused = 0;

    start_with_first();
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, "example.org", RECORD));
    CHECK_INT(0, take_step(&dr, "policy"));
    for (i = 0; i < 10000; i++)
        refused += take_step(&dr, "mx") != 0;
    CHECK_INT(0, refused);
    CHECK_INT(0, take_step(&dr, "end-policy"));
    CHECK_INT(0, take_step(&dr, "finish"));
    CHECK(collector_receive() != NULL);
    CHECK(first_allocator.given > 2 && first_allocator.given <= 12);
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK(allocator_is_even(&first_allocator));
}

/* The hooks change while handles are open: each block is still released by the allocator that made it. */
static void changed_in_between(void)
{
    static char kilobyte[1025];
    struct tlsrpt_connection_t *con;
    struct tlsrpt_dr_t *old, *newer;

    memset(kilobyte, 'x', sizeof kilobyte - 1);
    start_with_first();
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    CHECK_INT(0, tlsrpt_init_delivery_request(&old, con, "example.org", RECORD));
    tlsrpt_set_malloc_and_free(second_malloc, second_free);
    CHECK_INT(0, tlsrpt_init_delivery_request(&newer, con, "example.org", RECORD));
    CHECK_INT(2, first_allocator.given);
    CHECK_INT(1, second_allocator.given);
    CHECK_INT(0, take_steps(&old, "policy failure"));
    CHECK_INT(0, tlsrpt_add_policy_string(old, kilobyte));
    CHECK_INT(0, take_steps(&old, "end-policy finish"));
    tlsrpt_set_malloc_and_free(NULL, NULL);
    CHECK_INT(0, take_steps(&newer, WHOLE_REQUEST));
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK(first_allocator.given > 2);
    CHECK(allocator_is_even(&first_allocator));
    CHECK_INT(1, second_allocator.given);
    CHECK(allocator_is_even(&second_allocator));
    CHECK(collector_receive() != NULL);
    CHECK_TEXT(WHOLE_REQUEST_DATAGRAM, collector_receive());
}

/* NULL for either hook restores malloc and free. */
static void restored(void *(*malloc_function)(size_t), void (*free_function)(void *))
{
    struct tlsrpt_connection_t *con;

    start_with_first();
    tlsrpt_set_malloc_and_free(malloc_function, free_function);
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    CHECK_INT(0, send_success(con));
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
    CHECK_INT(0, first_allocator.given + first_allocator.taken + second_allocator.given + second_allocator.taken);
}

/* Hooks that succeed and change errno, which the standard allows. */
static void *malloc_that_sets_errno(size_t size)
{
    void *block = first_malloc(size);

    errno = ENOMEM;
    return block;
}

static void free_that_sets_errno(void *block)
{
    first_free(block);
    errno = EINVAL;
}

/* The value of errno before each call. A call that succeeds must not change it. */
#define CALLERS_ERRNO ERANGE
#define CHECK_KEEPS_ERRNO(call) \
    do { \
        errno = CALLERS_ERRNO; \
        CHECK_INT(0, call); \
        CHECK_INT(CALLERS_ERRNO, errno); \
    } while (0)

static void errno_after_success(void)
{
    static char kilobyte[1025];
    struct tlsrpt_connection_t *con;
    struct tlsrpt_dr_t *dr;

    memset(kilobyte, 'x', sizeof kilobyte - 1);
    start_with_first();
    tlsrpt_set_malloc_and_free(malloc_that_sets_errno, free_that_sets_errno);
    CHECK_KEEPS_ERRNO(tlsrpt_open(&con, collector.name));
    CHECK_KEEPS_ERRNO(tlsrpt_init_delivery_request(&dr, con, "example.org", RECORD));
    CHECK_KEEPS_ERRNO(take_step(&dr, "policy"));
    CHECK_KEEPS_ERRNO(take_step(&dr, "failure"));
    /* An item out of order takes a block, and a long one moves the text to a larger block: twice. */
    CHECK_KEEPS_ERRNO(tlsrpt_add_policy_string(dr, kilobyte));
    CHECK_KEEPS_ERRNO(tlsrpt_add_policy_string(dr, kilobyte));
    CHECK_KEEPS_ERRNO(take_step(&dr, "end-policy"));
    CHECK_KEEPS_ERRNO(take_step(&dr, "finish"));
    CHECK_KEEPS_ERRNO(tlsrpt_init_delivery_request(&dr, con, "example.org", RECORD));
    CHECK_KEEPS_ERRNO(take_step(&dr, "cancel"));
    CHECK_KEEPS_ERRNO(tlsrpt_close(&con));
    CHECK(collector_receive() != NULL);
    CHECK(first_allocator.given > 5);
    CHECK(allocator_is_even(&first_allocator));
}

/* A call that fails leaves the errno of the failure, not one that free() set afterwards. */
static void errno_after_failure(void)
{
    struct tlsrpt_connection_t *con;

    start_with_first();
    tlsrpt_set_malloc_and_free(malloc_that_sets_errno, free_that_sets_errno);
    CHECK_INT(0, tlsrpt_open(&con, "/nonexistent/tlsrpt.sock"));
    errno = CALLERS_ERRNO;
    CHECK_INT(13000 + ENOENT, send_success(con));
    CHECK_INT(ENOENT, errno);
    CHECK_INT(0, tlsrpt_close(&con));
}

int main(void)
{
    collector_open();
    one_block_each();
    growth();
    changed_in_between();
    errno_after_success();
    errno_after_failure();
    check_subject = "NULL, NULL";
    restored(NULL, NULL);
    check_subject = "second, NULL";
    restored(second_malloc, NULL);
    check_subject = "NULL, second";
    restored(NULL, second_free);
    collector_remove();
    return closing_line("allocator_hooks");
}
