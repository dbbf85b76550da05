/* An allocator that fails. Part of misuse.c. */

static int is_a_code_without_memory(int code)
{
    return code % 1000 == ENOMEM && code > 30000;
}

/* A request in which each buffer grows; the k-th allocation fails. */
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
