/* NULL for every pointer of every function. Part of misuse.c. */

/* A kind of misuse that consists of one call. */
#define ANSWERS(kind, code, call) \
    static void kind(int unused) \
    { \
        (void)unused; \
        CHECK_INT(code, call); \
    }

ANSWERS(open_without_a_place, 10791, tlsrpt_open(NULL, collector.name))

static void open_without_a_name(int unused)
{
    struct tlsrpt_connection_t *other = con;

    (void)unused;
    CHECK_INT(10791, tlsrpt_open(&other, NULL));
    CHECK(other == NULL);
}

ANSWERS(close_without_a_place, 10713, tlsrpt_close(NULL))

static void close_without_a_connection(int unused)
{
    struct tlsrpt_connection_t *none = NULL;

    (void)unused;
    CHECK_INT(10713, tlsrpt_close(&none));
}

ANSWERS(init_request_without_a_place, 10791, tlsrpt_init_delivery_request(NULL, con, "d", "p"))

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

ANSWERS(cancel_without_a_place, 10791, tlsrpt_cancel_delivery_request(NULL))

static void cancel_without_a_request(int unused)
{
    struct tlsrpt_dr_t *none = NULL;

    (void)unused;
    CHECK_INT(10791, tlsrpt_cancel_delivery_request(&none));
}

ANSWERS(finish_without_a_place, 10791, tlsrpt_finish_delivery_request(NULL))

static void finish_without_a_request(int unused)
{
    struct tlsrpt_dr_t *none = NULL;

    (void)unused;
    CHECK_INT(10791, tlsrpt_finish_delivery_request(&none));
}

/* Each step with a NULL request. */
ANSWERS(init_policy_without_a_request, 10791, tlsrpt_init_policy(NULL, TLSRPT_POLICY_STS, "d"))
ANSWERS(finish_policy_without_a_request, 10791, tlsrpt_finish_policy(NULL, TLSRPT_FINAL_SUCCESS))
ANSWERS(policy_string_without_a_request, 10791, tlsrpt_add_policy_string(NULL, "s"))
ANSWERS(mx_host_pattern_without_a_request, 10791, tlsrpt_add_mx_host_pattern(NULL, "m"))
ANSWERS(failure_without_a_request, 10791, tlsrpt_add_delivery_request_failure(NULL, TLSRPT_VALIDATION_FAILURE, "s", "n", "h", "r", "a", "f"))

/* The error sticks: the later steps return the code, and nothing is sent. */
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

/* These arguments may be NULL. */
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

ANSWERS(get_socket_without_a_connection, -1, tlsrpt_get_socket(NULL))

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
