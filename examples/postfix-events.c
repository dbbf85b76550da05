/*
 * Sends the events that an unmodified Postfix 3.10.13 sent when it delivered mail to servers with valid TLS, DANE and
 * MTA-STS, and to servers with faults in them.
 *
 *   cc postfix-events.c $(pkg-config --cflags --libs libtlsrpt) -o postfix-events
 *   ./postfix-events /run/tlsrpt/tlsrpt.sock
 *
 * Shows: one connection for each event, which never waits. If an event fails, the program only writes a line to the
 * log.
 */
#include <stdio.h>
#include <stdlib.h>

#include <tlsrpt.h>

#include "explain.h"

#define BY_MAIL "v=TLSRPTv1; rua=mailto:reports@tlsok.test"
#define BY_HTTPS "v=TLSRPTv1; rua=https://reports.sts.test:8443/v1/tlsrpt"
#define EHLO_REPLY(host, middle) "250-" host "\r\n" middle "250-SIZE 10240000\r\n250 ENHANCEDSTATUSCODES"
#define EHLO_REPLY_WITH_STARTTLS(host) "250-" host "\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 ENHANCEDSTATUSCODES"
#define SENDER "127.0.0.1"

struct failure {
    tlsrpt_failure_t type;
    const char *receiving_mx_hostname;
    const char *receiving_mx_helo;
    const char *receiving_ip;
    const char *failure_reason_code;
};

/* One delivery. The lists end with NULL. */
struct delivery {
    const char *domain;
    const char *tlsrpt_record;
    tlsrpt_policy_type_t policy_type;
    const char *policy_domain; /* for DANE the MX host */
    const char *policy_strings[5];
    const char *mx_host_patterns[2];
    tlsrpt_final_result_t result;
    struct failure failure; /* with TLSRPT_FINAL_FAILURE */
};

static const struct delivery deliveries[] = {
    {
        .domain = "tlsok.test",
        .tlsrpt_record = BY_MAIL,
        .policy_type = TLSRPT_NO_POLICY_FOUND,
        .policy_domain = "tlsok.test",
        .result = TLSRPT_FINAL_SUCCESS,
    },
    {
        .domain = "sts.test",
        .tlsrpt_record = BY_HTTPS,
        .policy_type = TLSRPT_POLICY_STS,
        .policy_domain = "sts.test",
        .policy_strings = { "version: STSv1", "mode: enforce", "mx: mx.sts.test", "max_age: 604800" },
        .mx_host_patterns = { "mx.sts.test" },
        .result = TLSRPT_FINAL_SUCCESS,
    },
    {
        .domain = "sts-expired.test",
        .tlsrpt_record = BY_MAIL,
        .policy_type = TLSRPT_POLICY_STS,
        .policy_domain = "sts-expired.test",
        .policy_strings = { "version: STSv1", "mode: enforce", "mx: mx.sts-expired.test", "max_age: 604800" },
        .mx_host_patterns = { "mx.sts-expired.test" },
        .result = TLSRPT_FINAL_FAILURE,
        .failure = {
            .type = TLSRPT_CERTIFICATE_EXPIRED,
            .receiving_mx_hostname = "mx.sts-expired.test",
            .receiving_mx_helo = EHLO_REPLY_WITH_STARTTLS("mx.sts-expired.test"),
            .receiving_ip = "127.0.0.15",
        },
    },
    {
        .domain = "sts-invalid.test",
        .tlsrpt_record = BY_MAIL,
        .policy_type = TLSRPT_POLICY_STS,
        .policy_domain = "sts-invalid.test",
        .result = TLSRPT_FINAL_FAILURE,
        .failure = {
            .type = TLSRPT_STS_POLICY_INVALID,
            .receiving_mx_hostname = "mx.sts-invalid.test",
            .receiving_mx_helo = EHLO_REPLY_WITH_STARTTLS("mx.sts-invalid.test"),
            .receiving_ip = "127.0.0.11",
        },
    },
    {
        .domain = "dane.test",
        .tlsrpt_record = BY_MAIL,
        .policy_type = TLSRPT_POLICY_TLSA,
        .policy_domain = "mx.dane.test",
        .policy_strings = { "3 0 1 2FEEBE12FD63498F4E0165E3CF2E86F5390B72008A69CB08D6A73E7EDAE10EAE" },
        .result = TLSRPT_FINAL_SUCCESS,
    },
    {
        .domain = "dane-unusable.test",
        .tlsrpt_record = BY_MAIL,
        .policy_type = TLSRPT_POLICY_TLSA,
        .policy_domain = "mx.dane-unusable.test",
        .policy_strings = { "3 0 9 3146E9FD52746835821948ECB37069460F37F23DF4C2A06E28F151FBA351A195" },
        .result = TLSRPT_FINAL_FAILURE,
        .failure = {
            .type = TLSRPT_TLSA_INVALID,
            .receiving_mx_hostname = "mx.dane-unusable.test",
            .receiving_mx_helo = EHLO_REPLY_WITH_STARTTLS("mx.dane-unusable.test"),
            .receiving_ip = "127.0.0.22",
            .failure_reason_code = "all-TLSA-records-unusable",
        },
    },
    {
        /* TLS is required, but the server offers no STARTTLS. Its EHLO reply contains control characters and bytes that
         * are not UTF-8. Postfix replaces them with "?". The library would send them escaped, or as U+FFFD. */
        .domain = "evil-ehlo.test",
        .tlsrpt_record = BY_MAIL,
        .policy_type = TLSRPT_NO_POLICY_FOUND,
        .policy_domain = "evil-ehlo.test",
        .result = TLSRPT_FINAL_FAILURE,
        .failure = {
            .type = TLSRPT_STARTTLS_NOT_SUPPORTED,
            .receiving_mx_hostname = "mx.evil-ehlo.test",
            .receiving_mx_helo = EHLO_REPLY("mx.evil-ehlo.test",
                                            "250-X-\"quoted\" back\\slash /slash\r\n"
                                            "250-X-TAB?X\r\n"
                                            "250-X-LATIN1 caf?\r\n"
                                            "250-X-UTF8 h\303\251llo \342\202\254 \360\237\230\200\r\n"
                                            "250-X-CTRL ??? end\r\n"),
            .receiving_ip = "127.0.0.23",
        },
    },
};

static int describe_policy(struct tlsrpt_dr_t *dr, const struct delivery *delivery)
{
    const struct failure *failure = &delivery->failure;
    int code = tlsrpt_init_policy(dr, delivery->policy_type, delivery->policy_domain);

    for (const char *const *string = delivery->policy_strings; code == 0 && *string != NULL; string++)
        code = tlsrpt_add_policy_string(dr, *string);
    for (const char *const *pattern = delivery->mx_host_patterns; code == 0 && *pattern != NULL; pattern++)
        code = tlsrpt_add_mx_host_pattern(dr, *pattern);
    if (code == 0 && delivery->result == TLSRPT_FINAL_FAILURE)
        code = tlsrpt_add_delivery_request_failure(dr, failure->type, SENDER, failure->receiving_mx_hostname,
                                                   failure->receiving_mx_helo, failure->receiving_ip, NULL,
                                                   failure->failure_reason_code);
    if (code == 0)
        code = tlsrpt_finish_policy(dr, delivery->result);
    return code;
}

static int send_event(struct tlsrpt_connection_t *con, const struct delivery *delivery)
{
    struct tlsrpt_dr_t *dr;
    int code = tlsrpt_init_delivery_request(&dr, con, delivery->domain, delivery->tlsrpt_record);

    if (code != 0)
        return code;
    if (describe_policy(dr, delivery) != 0)
        return tlsrpt_cancel_delivery_request(&dr);
    return tlsrpt_finish_delivery_request(&dr);
}

static int report_delivery(const char *socket_name, const struct delivery *delivery)
{
    struct tlsrpt_connection_t *con;
    int code = tlsrpt_open(&con, socket_name);
    int closing;

    if (code != 0)
        return code;
    code = send_event(con, delivery);
    closing = tlsrpt_close(&con);
    return code != 0 ? code : closing;
}

int main(int argc, char **argv)
{
    int sent = 0;
    int lost = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return EXIT_FAILURE;
    }
    /* The header that this was compiled with, and the library that it runs with. */
    if (!tlsrpt_version_check(TLSRPT_VERSION_MAJOR, TLSRPT_VERSION_MINOR, TLSRPT_VERSION_PATCH)) {
        fprintf(stderr, "built for libtlsrpt %s, but this is %s\n", TLSRPT_VERSION_STRING, tlsrpt_version());
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < sizeof deliveries / sizeof deliveries[0]; i++) {
        int code = report_delivery(argv[1], &deliveries[i]);
        if (code == 0) {
            sent++;
        } else {
            lost++;
            explain(deliveries[i].domain, code);
        }
    }
    printf("%d events sent\n", sent);
    return lost == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
