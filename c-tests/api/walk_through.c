/* Calls all 19 functions as a mail server does, and compares the bytes that the collector gets. */
#include <tlsrpt.h>

#include "allocator.h"
#include "checks.h"
#include "collector.h"

#define RECORD "v=TLSRPTv1; rua=mailto:tls@example.org,https://example.org/tls"

static struct tlsrpt_connection_t *con;

/* A DANE failure as Postfix describes it. */
static void dane_failure(void)
{
    struct tlsrpt_dr_t *dr = NULL;

    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, "example.org", RECORD));
    CHECK(dr != NULL);
    CHECK_INT(0, tlsrpt_init_policy(dr, TLSRPT_POLICY_TLSA, "mx1.example.org"));
    CHECK_INT(0, tlsrpt_add_policy_string(dr, "3 1 1 8D02536C887482BC34FF54E41D2BA659BF85B341A0A20AFADB5813DCFBCF286D"));
    CHECK_INT(0, tlsrpt_add_delivery_request_failure(dr, TLSRPT_VALIDATION_FAILURE, "192.0.2.1", "mx1.example.org",
                                                     "mx1.example.org", "2001:db8::25", NULL,
                                                     "certificate verification failed: \"no TLSA match\""));
    CHECK_INT(0, tlsrpt_finish_policy(dr, TLSRPT_FINAL_FAILURE));
    CHECK_INT(0, tlsrpt_finish_delivery_request(&dr));
    CHECK(dr == NULL);
    CHECK_TEXT("{\"dpv\": \"1\",\"d\": \"example.org\",\"pr\": \"" RECORD "\",\"policies\":[{\"policy-type\":1,"
               "\"policy-domain\": \"mx1.example.org\",\"policy-string\":[\"3 1 1 "
               "8D02536C887482BC34FF54E41D2BA659BF85B341A0A20AFADB5813DCFBCF286D\"],\"failure-details\":[{\"c\":205,"
               "\"s\": \"192.0.2.1\",\"n\": \"mx1.example.org\",\"h\": \"mx1.example.org\",\"r\": \"2001:db8::25\","
               "\"f\": \"certificate verification failed: \\\"no TLSA match\\\"\"}],\"t\":1,\"f\":1}]}",
               collector_receive());
}

/* MTA-STS after DANE in one request: two policies, with the lists filled in another order than that of the datagram. */
static void two_policies(void)
{
    struct tlsrpt_dr_t *dr;

    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, "k\xc3\xa4se.example", "p\\r"));
    CHECK_INT(0, tlsrpt_init_policy(dr, 0, NULL));
    CHECK_INT(0, tlsrpt_finish_policy(dr, TLSRPT_FINAL_SUCCESS));
    CHECK_INT(0, tlsrpt_init_policy(dr, TLSRPT_POLICY_STS, ""));
    CHECK_INT(0, tlsrpt_add_delivery_request_failure(dr, TLSRPT_STS_WEBPKI_INVALID, NULL, NULL, NULL, NULL, "a\n", ""));
    CHECK_INT(0, tlsrpt_add_mx_host_pattern(dr, "*.a.example"));
    CHECK_INT(0, tlsrpt_add_policy_string(dr, "version: STSv1"));
    CHECK_INT(0, tlsrpt_add_mx_host_pattern(dr, "b.example"));
    CHECK_INT(0, tlsrpt_add_policy_string(dr, "\tmode:\x01 \x7f"));
    CHECK_INT(0, tlsrpt_finish_policy(dr, TLSRPT_FINAL_FAILURE));
    CHECK_INT(0, tlsrpt_finish_delivery_request(&dr));
    CHECK_TEXT("{\"dpv\": \"1\",\"d\": \"k\xc3\xa4se.example\",\"pr\": \"p\\\\r\",\"policies\":["
               "{\"policy-type\":0,\"t\":0,\"f\":0},"
               "{\"policy-type\":2,\"policy-domain\": \"\",\"policy-string\":[\"version: STSv1\","
               "\"\\tmode:\\u0001 \\u007f\"],\"mx-host\":[\"*.a.example\",\"b.example\"],"
               "\"failure-details\":[{\"c\":303,\"a\": \"a\\n\",\"f\": \"\"}],\"t\":1,\"f\":1}]}",
               collector_receive());
}

static void cancelled(void)
{
    struct tlsrpt_dr_t *dr;

    CHECK_INT(0, tlsrpt_init_delivery_request(&dr, con, "example.org", RECORD));
    CHECK_INT(0, tlsrpt_init_policy(dr, TLSRPT_NO_POLICY_FOUND, "example.org"));
    CHECK_INT(0, tlsrpt_cancel_delivery_request(&dr));
    CHECK(dr == NULL);
    CHECK_TEXT(NULL, collector_receive());
}

static void codes_in_words(void)
{
    CHECK_INT(11, tlsrpt_errno_from_error_code(13011));
    CHECK_INT(712, tlsrpt_errno_from_error_code(TLSRPT_ERR_TLSRPT_UNFINISHEDPOLICY));
    CHECK_INT(-11, tlsrpt_errno_from_error_code(-13011));
    CHECK_INT(1, tlsrpt_error_code_is_internal(TLSRPT_ERR_TLSRPT_UNFINISHEDPOLICY));
    CHECK_INT(0, tlsrpt_error_code_is_internal(13011));
    CHECK_INT(0, tlsrpt_error_code_is_internal(0));
    CHECK_TEXT(tlsrpt_strerror(TLSRPT_ERR_SENDTO), tlsrpt_strerror(13011));
    CHECK(strcmp(tlsrpt_strerror(13011), tlsrpt_strerror(12011)) != 0);
}

int main(void)
{
    collector_open();
    CHECK_INT(1, tlsrpt_version_check(TLSRPT_VERSION_MAJOR, TLSRPT_VERSION_MINOR, TLSRPT_VERSION_PATCH));
    CHECK_INT(1, tlsrpt_version_check(0, 1, 99));
    CHECK_INT(0, tlsrpt_version_check(0, 6, 0));
    CHECK_INT(0, tlsrpt_version_check(1, 0, 0));
    CHECK_TEXT(TLSRPT_VERSION_STRING, tlsrpt_version());
    tlsrpt_set_malloc_and_free(first_malloc, first_free);

    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    CHECK(tlsrpt_get_socket(con) > 2);
    dane_failure();
    tlsrpt_set_blocking();
    two_policies();
    tlsrpt_set_nonblocking();
    cancelled();
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK(con == NULL);

    codes_in_words();
    CHECK(first_allocator.given > 0);
    CHECK(allocator_is_even(&first_allocator));
    collector_remove();
    return closing_line("walk_through");
}
