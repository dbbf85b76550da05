/*
 * loaded_events.h - an event with every kind of item, sent through a loaded library.
 */
#ifndef LOADED_EVENTS_H
#define LOADED_EVENTS_H

#include "library.h"

/* How many calls write_event makes. */
#define WRITE_EVENT_CALLS 6

/* Makes the calls of a failed delivery; writes the results into codes. The caller finishes or cancels the request. */
static inline void write_event(const struct library *lib, struct tlsrpt_dr_t *dr, const char *reason,
                               int codes[WRITE_EVENT_CALLS])
{
    codes[0] = lib->init_policy(dr, TLSRPT_POLICY_STS, "example.org");
    codes[1] = lib->add_policy_string(dr, "version: STSv1");
    codes[2] = lib->add_mx_host_pattern(dr, "*.mail.example.org");
    codes[3] = lib->add_delivery_request_failure(dr, TLSRPT_CERTIFICATE_EXPIRED, "192.0.2.1", "mx.example.org",
                                                 "mx.example.org says hello", "2001:db8::25", NULL, reason);
    codes[4] = lib->add_policy_string(dr, "mode: enforce");
    codes[5] = lib->finish_policy(dr, TLSRPT_FINAL_FAILURE);
}

/* Sends a whole event on an open connection. Returns the code of its end. */
static inline int send_event(const struct library *lib, struct tlsrpt_connection_t *con, const char *domain,
                             const char *reason)
{
    struct tlsrpt_dr_t *dr = NULL;
    int codes[WRITE_EVENT_CALLS];
    int code = lib->init_delivery_request(&dr, con, domain, "v=TLSRPTv1; rua=mailto:tls@example.org");
    if (code != 0)
        return code;
    write_event(lib, dr, reason, codes);
    return lib->finish_delivery_request(&dr);
}

#endif
