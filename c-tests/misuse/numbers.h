/* Numbers outside every enumeration. Part of misuse.c. */

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
