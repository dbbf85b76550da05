/*
 * One event with one policy, as a mail server sends it after each TLS handshake with an MX host.
 *
 *   cc one_policy.c $(pkg-config --cflags --libs libtlsrpt) -o one_policy
 *   ./one_policy /run/tlsrpt/tlsrpt.sock
 *
 * The session is an example: an MTA-STS policy applied, and the certificate of mx1.example.org was for another name.
 */
#include <stdio.h>
#include <string.h>

#include <tlsrpt.h>

/* The facts of a session after its TLS handshake. */
struct session {
    const char *domain;        /* of the recipients */
    const char *tlsrpt_record; /* the TXT record at _smtp._tls.domain; NULL: none, or several */
    tlsrpt_policy_type_t policy_type;
    const char *policy_domain; /* for DANE the MX host, otherwise the recipients' domain */
    const char *const *policy_strings;
    const char *const *mx_host_patterns;
    tlsrpt_failure_t failure; /* 0: none */
    const char *reason;       /* the text of the TLS library; NULL where the type is enough */
    const char *our_address, *mx_host, *mx_ehlo, *mx_address;
};

static void describe(struct tlsrpt_dr_t *dr, const struct session *session)
{
    const char *const *text;

    /* The request keeps its first error, and finishing it returns that error, so these calls need no check. */
    tlsrpt_init_policy(dr, session->policy_type, session->policy_domain);
    for (text = session->policy_strings; *text != NULL; text++)
        tlsrpt_add_policy_string(dr, *text);
    for (text = session->mx_host_patterns; *text != NULL; text++)
        tlsrpt_add_mx_host_pattern(dr, *text);
    if (session->failure != 0)
        tlsrpt_add_delivery_request_failure(dr, session->failure, session->our_address, session->mx_host,
                                            session->mx_ehlo, session->mx_address, NULL, session->reason);
    tlsrpt_finish_policy(dr, session->failure != 0 ? TLSRPT_FINAL_FAILURE : TLSRPT_FINAL_SUCCESS);
}

/* An internal error is one of the library. Every other error comes from the system and has an errno. */
static void warn(const char *domain, int code)
{
    fprintf(stderr, "warning: no TLSRPT event for %s: %s", domain, tlsrpt_strerror(code));
    if (!tlsrpt_error_code_is_internal(code))
        fprintf(stderr, ": %s", strerror(tlsrpt_errno_from_error_code(code)));
    fputc('\n', stderr);
}

/* An error must not fail the delivery: it only writes a line to the log. */
static void report(const char *collector, const struct session *session)
{
    struct tlsrpt_connection_t *connection;
    struct tlsrpt_dr_t *dr;
    int code, closed;

    if (session->tlsrpt_record == NULL)
        return;
    if ((code = tlsrpt_open(&connection, collector)) == 0) {
        code = tlsrpt_init_delivery_request(&dr, connection, session->domain, session->tlsrpt_record);
        if (code == 0) {
            describe(dr, session);
            code = tlsrpt_finish_delivery_request(&dr);
        }
        closed = tlsrpt_close(&connection);
        code = code != 0 ? code : closed;
    }
    if (code != 0)
        warn(session->domain, code);
}

int main(int argc, char **argv)
{
    static const char *const sts_policy[] = { "version: STSv1", "mode: enforce", "mx: *.example.org",
                                              "max_age: 604800", NULL };
    static const char *const patterns[] = { "*.example.org", NULL };
    const struct session session = {
        .domain = "example.org",
        .tlsrpt_record = "v=TLSRPTv1; rua=mailto:tls@example.org",
        .policy_type = TLSRPT_POLICY_STS,
        .policy_domain = "example.org",
        .policy_strings = sts_policy,
        .mx_host_patterns = patterns,
        .failure = TLSRPT_CERTIFICATE_HOST_MISMATCH,
        .our_address = "192.0.2.1",
        .mx_host = "mx1.example.org",
        .mx_ehlo = "mx1.example.org",
        .mx_address = "2001:db8::25",
    };

    if (argc != 2) {
        fprintf(stderr, "usage: one_policy SOCKET\n");
        return 2;
    }
    /* Once, at start: the library must not be older than the one that this program was built for. */
    if (!tlsrpt_version_check(TLSRPT_VERSION_MAJOR, TLSRPT_VERSION_MINOR, TLSRPT_VERSION_PATCH))
        fprintf(stderr, "warning: built for libtlsrpt %s, runs with %s\n", TLSRPT_VERSION_STRING, tlsrpt_version());
    report(argv[1], &session);
    return 0;
}
