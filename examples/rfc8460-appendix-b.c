/*
 * Sends the events that lead to the report in RFC 8460, Appendix B: on 2016-04-01, Company-X had 5326 successful
 * sessions with the mail servers of company-y.example, and 303 that failed for three reasons.
 *
 *   cc rfc8460-appendix-b.c $(pkg-config --cflags --libs libtlsrpt) -o rfc8460-appendix-b
 *   ./rfc8460-appendix-b /run/tlsrpt/tlsrpt.sock
 *
 * Shows: one connection for many events, a check of every return code, and a program that waits instead of losing an
 * event.
 */
#include <stdio.h>
#include <stdlib.h>

#include <tlsrpt.h>

#include "explain.h"

#define DOMAIN "company-y.example"

struct failure {
    tlsrpt_failure_t type;
    const char *sending_mta_ip;
    const char *receiving_mx_hostname;
    const char *receiving_ip;
    const char *additional_information;
    const char *failure_reason_code;
};

struct line_of_the_report {
    int sessions;
    const struct failure *failure; /* NULL: the sessions succeeded */
};

static const struct failure expired = {
    .type = TLSRPT_CERTIFICATE_EXPIRED,
    .sending_mta_ip = "2001:db8:abcd:0012::1",
    .receiving_mx_hostname = "mx1.mail.company-y.example",
};

static const struct failure no_starttls = {
    .type = TLSRPT_STARTTLS_NOT_SUPPORTED,
    .sending_mta_ip = "2001:db8:abcd:0013::1",
    .receiving_mx_hostname = "mx2.mail.company-y.example",
    .receiving_ip = "203.0.113.56",
    .additional_information = "https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported",
};

static const struct failure proxy_path = {
    .type = TLSRPT_VALIDATION_FAILURE,
    .sending_mta_ip = "198.51.100.62",
    .receiving_mx_hostname = "mx-backup.mail.company-y.example",
    .receiving_ip = "203.0.113.58",
    .failure_reason_code = "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
};

static const struct line_of_the_report report[] = {
    { 5326, NULL },
    { 100, &expired },
    { 200, &no_starttls },
    { 3, &proxy_path },
};

/* Adds the policy that applied to the session, and the failure. */
static int describe_policy(struct tlsrpt_dr_t *dr, const struct failure *failure)
{
    static const char *const lines[] = {
        "version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400",
    };
    int code = tlsrpt_init_policy(dr, TLSRPT_POLICY_STS, DOMAIN);

    for (size_t line = 0; code == 0 && line < sizeof lines / sizeof lines[0]; line++)
        code = tlsrpt_add_policy_string(dr, lines[line]);
    if (code == 0)
        code = tlsrpt_add_mx_host_pattern(dr, "*.mail.company-y.example");
    /* Unknown details are NULL; here the EHLO reply. */
    if (code == 0 && failure != NULL)
        code = tlsrpt_add_delivery_request_failure(dr, failure->type, failure->sending_mta_ip,
                                                   failure->receiving_mx_hostname, NULL, failure->receiving_ip,
                                                   failure->additional_information, failure->failure_reason_code);
    if (code == 0)
        code = tlsrpt_finish_policy(dr, failure == NULL ? TLSRPT_FINAL_SUCCESS : TLSRPT_FINAL_FAILURE);
    return code;
}

static int send_event(struct tlsrpt_connection_t *con, const struct failure *failure)
{
    struct tlsrpt_dr_t *dr;
    int code = tlsrpt_init_delivery_request(&dr, con, DOMAIN, "v=TLSRPTv1; rua=mailto:reports@" DOMAIN);

    if (code != 0)
        return code; /* There is nothing to free. */
    if (describe_policy(dr, failure) != 0)
        return tlsrpt_cancel_delivery_request(&dr); /* Returns the first error of the request. */
    return tlsrpt_finish_delivery_request(&dr); /* Frees dr and sets it to NULL, also on error. */
}

int main(int argc, char **argv)
{
    struct tlsrpt_connection_t *con;
    int sent = 0;
    int code;

    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return EXIT_FAILURE;
    }
    /* This burst fills the collector's queue, so the program waits for room. A mail server must not call this: it
     * loses an event instead of delaying mail. */
    tlsrpt_set_blocking();

    code = tlsrpt_open(&con, argv[1]);
    if (code != 0) {
        explain("open", code);
        return EXIT_FAILURE;
    }
    for (size_t line = 0; code == 0 && line < sizeof report / sizeof report[0]; line++)
        for (int session = 0; code == 0 && session < report[line].sessions; session++) {
            code = send_event(con, report[line].failure);
            sent += code == 0;
        }
    if (code != 0)
        explain("event", code);

    printf("%d events sent\n", sent);

    int closing = tlsrpt_close(&con);
    if (closing != 0)
        explain("close", closing);
    return code == 0 && closing == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
