/* Events that several programs send, and the expected datagrams. */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsrpt.h>

#define RECORD "v=TLSRPTv1; rua=mailto:tls@example.org"

/* A step of a delivery request by its name, for tables of whole requests. */
static inline int take_step(struct tlsrpt_dr_t **dr, const char *name)
{
#define IS(step) (strcmp(name, step) == 0)
    if (IS("policy"))
        return tlsrpt_init_policy(*dr, TLSRPT_POLICY_STS, "example.org");
    if (IS("string"))
        return tlsrpt_add_policy_string(*dr, "mode: enforce");
    if (IS("mx"))
        return tlsrpt_add_mx_host_pattern(*dr, "*.example.org");
    if (IS("failure"))
        return tlsrpt_add_delivery_request_failure(*dr, TLSRPT_CERTIFICATE_EXPIRED, NULL, "mx.example.org", NULL, NULL,
                                                   NULL, NULL);
    if (IS("end-policy"))
        return tlsrpt_finish_policy(*dr, TLSRPT_FINAL_FAILURE);
    if (IS("finish"))
        return tlsrpt_finish_delivery_request(dr);
    if (IS("cancel"))
        return tlsrpt_cancel_delivery_request(dr);
#undef IS
    fprintf(stderr, "no step is named %s\n", name);
    exit(1);
}

/* Takes the steps that are named in one line. Returns the code of the last. */
static inline int take_steps(struct tlsrpt_dr_t **dr, const char *names)
{
    char line[200], *name, *rest = line;
    int code = -1;

    snprintf(line, sizeof line, "%s", names);
    while ((name = strtok_r(rest, " ", &rest)))
        code = take_step(dr, name);
    return code;
}

#define WHOLE_REQUEST "policy string mx failure end-policy finish"
#define WHOLE_REQUEST_DATAGRAM \
    "{\"dpv\": \"1\",\"d\": \"example.org\",\"pr\": \"" RECORD "\",\"policies\":[{\"policy-type\":2," \
    "\"policy-domain\": \"example.org\",\"policy-string\":[\"mode: enforce\"],\"mx-host\":[\"*.example.org\"]," \
    "\"failure-details\":[{\"c\":204,\"n\": \"mx.example.org\"}],\"t\":1,\"f\":1}]}"

/* The shortest request that is sent. */
static inline int send_success(struct tlsrpt_connection_t *con)
{
    struct tlsrpt_dr_t *dr;

    tlsrpt_init_delivery_request(&dr, con, "d", "p");
    tlsrpt_init_policy(dr, TLSRPT_NO_POLICY_FOUND, NULL);
    tlsrpt_finish_policy(dr, TLSRPT_FINAL_SUCCESS);
    return tlsrpt_finish_delivery_request(&dr);
}

#define SUCCESS_DATAGRAM \
    "{\"dpv\": \"1\",\"d\": \"d\",\"pr\": \"p\",\"policies\":[{\"policy-type\":9,\"t\":0,\"f\":0}]}"

#endif
