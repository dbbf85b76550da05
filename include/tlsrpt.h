/*
 * tlsrpt.h - report the TLS results of outgoing mail (TLSRPT, RFC 8460)
 *
 * A mail server describes each delivery to this library, which sends the
 * description as one datagram to the local collector of reports. The calls for
 * one event:
 *
 *   struct tlsrpt_connection_t *con;
 *   struct tlsrpt_dr_t *dr;
 *
 *   tlsrpt_open(&con, "run/tlsrpt/tlsrpt.sock");
 *   tlsrpt_init_delivery_request(&dr, con, "example.org", "v=TLSRPTv1; rua=...");
 *   tlsrpt_init_policy(dr, TLSRPT_POLICY_STS, "example.org");
 *   tlsrpt_add_policy_string(dr, "version: STSv1");
 *   tlsrpt_add_mx_host_pattern(dr, "*.mail.example.org");
 *   tlsrpt_add_delivery_request_failure(dr, TLSRPT_CERTIFICATE_EXPIRED, ...);
 *   tlsrpt_finish_policy(dr, TLSRPT_FINAL_FAILURE);
 *   tlsrpt_finish_delivery_request(&dr);
 *   tlsrpt_close(&con);
 *
 * Functions that return int return 0 or an error code, unless they say
 * otherwise. A NULL argument is an error code, not a crash. No function waits,
 * prints, exits or raises a signal. Strings end with NUL; only memory and the
 * size of a datagram limit their length. errno stays as it was when a function
 * succeeds.
 *
 * `make header` writes this file from include/tlsrpt.h.in and the comments of
 * src/capi.
 */
#ifndef TLSRPT_H
#define TLSRPT_H

#include <stdlib.h>

#include "tlsrpt_version.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Types
 */

/* A connection to the collector. Made by tlsrpt_open, freed by tlsrpt_close. */
struct tlsrpt_connection_t;

/* A delivery request: one event. Made by tlsrpt_init_delivery_request, freed
 * by tlsrpt_finish_delivery_request and by tlsrpt_cancel_delivery_request. */
struct tlsrpt_dr_t;

/* Bytes for any domain name with its NUL. The library does not limit names to it. */
#define TLSRPT_MAXDOMAINNAMELEN 256

/*
 * The type of the policy that applied to a delivery (RFC 8460 section 4.2,
 * "policy-type").
 */
typedef enum {
    TLSRPT_POLICY_TLSA     = 1, /* DANE: TLSA records of the MX host (RFC 7672). */
    TLSRPT_POLICY_STS      = 2, /* MTA-STS: the policy that the domain serves by HTTPS (RFC 8461). */
    TLSRPT_NO_POLICY_FOUND = 9  /* Neither DANE nor MTA-STS applied. */
} tlsrpt_policy_type_t;

/*
 * The result of a delivery under one policy.
 */
typedef enum {
    TLSRPT_FINAL_SUCCESS = 0, /* TLS met the policy. */
    TLSRPT_FINAL_FAILURE = 1  /* TLS did not meet the policy; the failures give the reasons. */
} tlsrpt_final_result_t;

/*
 * The type of a failure of TLS or of a policy (RFC 8460 section 4.3,
 * "result-type").
 */
typedef enum {
    TLSRPT_STARTTLS_NOT_SUPPORTED    = 201, /* The MX host does not offer STARTTLS. */
    TLSRPT_CERTIFICATE_HOST_MISMATCH = 202, /* The certificate is for another host name. */
    TLSRPT_CERTIFICATE_NOT_TRUSTED   = 203, /* The certificate leads to no trusted authority. */
    TLSRPT_CERTIFICATE_EXPIRED       = 204, /* The certificate has expired. */
    TLSRPT_VALIDATION_FAILURE        = 205, /* TLS failed for a reason that no other type names. */
    TLSRPT_STS_POLICY_FETCH_ERROR    = 301, /* The MTA-STS policy could not be fetched. */
    TLSRPT_STS_POLICY_INVALID        = 302, /* The MTA-STS policy breaks the rules of its format. */
    TLSRPT_STS_WEBPKI_INVALID        = 303, /* The server of the MTA-STS policy has no valid certificate. */
    TLSRPT_TLSA_INVALID              = 304, /* No usable TLSA record, or none that matches the certificate. */
    TLSRPT_DNSSEC_INVALID            = 305, /* No valid DNSSEC answer from the resolver. */
    TLSRPT_DANE_REQUIRED             = 306, /* DANE is required here, and the MX hosts have no DNSSEC-signed TLSA records. */
    TLSRPT_UNFINISHED_POLICY         = 901  /* The sending server gave up before the policy had a result. */
} tlsrpt_failure_t;

/*
 * Error codes
 *
 * A code is a constant below, plus the errno if the system reported the error.
 */

#define TLSRPT_ERR_TLSRPT                             10000 /* error inside the TLSRPT library */
#define TLSRPT_ERR_TLSRPT_CANCELLED                   10703 /* the delivery request was cancelled */
#define TLSRPT_ERR_TLSRPT_SOCKETNAMETOOLONG           10711 /* the socket name is too long for a local socket address */
#define TLSRPT_ERR_TLSRPT_UNFINISHEDPOLICY            10712 /* a policy of the delivery request is still open */
#define TLSRPT_ERR_TLSRPT_NOCONNECTION                10713 /* there is no connection */
#define TLSRPT_ERR_TLSRPT_MEMSTREAM_NOT_INITIALIZED   10721 /* the delivery request was not initialized */
#define TLSRPT_ERR_TLSRPT_MEMSTREAMPS_NOT_INITIALIZED 10722 /* no policy is open to take a policy string or to be finished */
#define TLSRPT_ERR_TLSRPT_MEMSTREAMMX_NOT_INITIALIZED 10723 /* no policy is open to take an MX host pattern */
#define TLSRPT_ERR_TLSRPT_MEMSTREAMFD_NOT_INITIALIZED 10724 /* no policy is open to take a failure */
#define TLSRPT_ERR_TLSRPT_NESTEDPOLICY                10731 /* a policy is open already */
#define TLSRPT_ERR_TLSRPT_NOPOLICIES                  10732 /* the delivery request holds no policy */
#define TLSRPT_ERR_TLSRPT_NULLARGUMENT                10791 /* a required argument is NULL */
#define TLSRPT_ERR_SOCKET                             11000 /* cannot create the socket */
#define TLSRPT_ERR_CLOSE                              12000 /* cannot close the socket */
#define TLSRPT_ERR_SENDTO                             13000 /* cannot send the datagram to the collector */
#define TLSRPT_ERR_OPEN_MEMSTREAM_INITDR              21000 /* cannot start the buffer of the delivery request */
#define TLSRPT_ERR_OPEN_MEMSTREAM_INITPOLICY          22000 /* cannot start the buffer of the policy */
#define TLSRPT_ERR_FCLOSE_FINISHPOLICY                28000 /* cannot complete the buffer of the policy */
#define TLSRPT_ERR_FCLOSE_FINISHDR                    29000 /* cannot complete the buffer of the delivery request */
#define TLSRPT_ERR_FPRINTF_INITDR                     31000 /* no memory to begin the delivery request */
#define TLSRPT_ERR_FPRINTF_INITPOLICY                 32000 /* no memory to begin the policy */
#define TLSRPT_ERR_FPRINTF_ADDPOLICYSTRING            33000 /* no memory to add the policy string */
#define TLSRPT_ERR_FPRINTF_ADDMXHOSTPATTERN           34000 /* no memory to add the MX host pattern */
#define TLSRPT_ERR_FPRINTF_FINISHPOLICY               35000 /* no memory to finish the policy */
#define TLSRPT_ERR_FPRINTF_ADDFAILURE                 36000 /* no memory to add the failure */
#define TLSRPT_ERR_FPRINTF_FINISHDR                   37000 /* no memory to finish the delivery request */
#define TLSRPT_ERR_MALLOC_OPENCON                     41000 /* no memory for the connection */
#define TLSRPT_ERR_MALLOC_OPENDR                      42000 /* no memory for the delivery request */

/*
 * The version
 */

/*
 * Returns 1 if a program that was built for this level of the interface can use
 * the library: the major numbers are equal, and the minor number of the library
 * is not lower; else 0. The patch number is ignored.
 *
 * For a check at start-up, with the numbers of the header that the program was
 * built with. Any thread.
 */
int tlsrpt_version_check(int major, int minor, int patch);

/*
 * Returns the level of the interface of the library in use, in the form of
 * TLSRPT_VERSION_STRING. The text is static: do not free it. Any thread.
 */
const char *tlsrpt_version(void);

/*
 * The connection
 *
 * A socket for events to one collector. Open it once and keep it, or open it
 * for each event, which costs two more system calls. Several threads may make
 * and finish delivery requests on one connection at the same time, and a child
 * process may use it after a fork. Executed programs do not inherit its
 * descriptor.
 */

/*
 * Opens a connection to the collector that listens at socketname, and sets
 * *pcon to it; to NULL if that fails. The caller closes it with tlsrpt_close.
 *
 * The collector need not run yet: each send looks the name up, so the collector
 * may start later or restart, and a relative name follows the working
 * directory. A name has at most 107 bytes on Linux, fewer on systems with a
 * shorter struct sockaddr_un.
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT if pcon or socketname is NULL;
 * TLSRPT_ERR_TLSRPT_SOCKETNAMETOOLONG; TLSRPT_ERR_SOCKET + errno;
 * TLSRPT_ERR_MALLOC_OPENCON + errno. Any thread.
 */
int tlsrpt_open(struct tlsrpt_connection_t **pcon, const char *socketname);

/*
 * Closes the connection in *pcon and sets *pcon to NULL, also when the system
 * reports an error.
 *
 * Open delivery requests keep the socket until they are finished or cancelled;
 * they can still be sent.
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_NOCONNECTION if pcon or *pcon is NULL;
 * TLSRPT_ERR_CLOSE + errno. Any thread, after the last use of the handle.
 */
int tlsrpt_close(struct tlsrpt_connection_t **pcon);

/*
 * Returns the descriptor of the connection's socket, for instance to read its
 * options; -1 if con is NULL. The connection owns the descriptor: do not close
 * it. Any thread.
 */
int tlsrpt_get_socket(struct tlsrpt_connection_t *con);

/*
 * The delivery request
 *
 * One event: the TLS results of mail to one domain. Begin it, describe one or
 * several policies, then finish it, which sends it, or cancel it. Only one
 * thread at a time may use a handle.
 *
 * Errors stick: after the first error, the functions that describe a policy do
 * nothing and return the same code. The handle stays valid and must be finished
 * or cancelled. So a caller may check only the result of
 * tlsrpt_finish_delivery_request.
 */

/*
 * Begins a delivery request for mail to domainname, whose TLSRPT record (RFC
 * 8460 section 3) is policyrecord, and sets *pdr to it; to NULL if that fails.
 * The caller ends it with tlsrpt_finish_delivery_request or
 * tlsrpt_cancel_delivery_request. The strings are copied.
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_NOCONNECTION if con is NULL;
 * TLSRPT_ERR_TLSRPT_NULLARGUMENT if another argument is;
 * TLSRPT_ERR_MALLOC_OPENDR or TLSRPT_ERR_FPRINTF_INITDR + errno if there is no
 * memory. Any thread.
 */
int tlsrpt_init_delivery_request(struct tlsrpt_dr_t **pdr,
                                 struct tlsrpt_connection_t *con,
                                 const char *domainname,
                                 const char *policyrecord);

/*
 * Cancels the delivery request in *pdr: frees it, sends nothing, sets *pdr to
 * NULL.
 *
 * Returns the first error of the request, or 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT
 * if pdr or *pdr is NULL. The thread that uses the handle.
 */
int tlsrpt_cancel_delivery_request(struct tlsrpt_dr_t **pdr);

/*
 * Sends the delivery request in *pdr to the collector as one datagram if no
 * error was recorded, frees it in any case, and sets *pdr to NULL.
 *
 * Returns 0 if the datagram was sent, or the first error of the request. This
 * function itself returns: TLSRPT_ERR_TLSRPT_UNFINISHEDPOLICY;
 * TLSRPT_ERR_TLSRPT_NOPOLICIES; TLSRPT_ERR_TLSRPT_NULLARGUMENT if pdr or *pdr
 * is NULL; TLSRPT_ERR_FPRINTF_FINISHDR + errno if there is no memory;
 * TLSRPT_ERR_SENDTO + errno, for instance ENOENT if there is no socket,
 * ECONNREFUSED if no process listens on it, EAGAIN if the collector's queue is
 * full (never in blocking mode), EACCES without permission to write to the
 * socket or to search a directory of its path, EMSGSIZE if the datagram is
 * longer than the system allows, even with a raised send buffer. The thread
 * that uses the handle.
 */
int tlsrpt_finish_delivery_request(struct tlsrpt_dr_t **pdr);

/*
 * The policies of a delivery request
 *
 * A request has one or several, one open at a time. While a policy is open, the
 * three tlsrpt_add_* functions may be called in any order and any number of
 * times. All strings are copied. They may have any bytes: each maximal part
 * that is not UTF-8 is sent as U+FFFD. Values are not validated: a policy with
 * failures may finish as a success.
 *
 * Each function returns the first error of the request if it already has one,
 * and then does nothing else. It returns TLSRPT_ERR_TLSRPT_NULLARGUMENT if dr
 * is NULL.
 */

/*
 * Opens a policy. policydomainname is the policy domain: the MX host for DANE,
 * the recipient domain for MTA-STS and if no policy applies; NULL leaves it
 * out.
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_NESTEDPOLICY if one is open;
 * TLSRPT_ERR_FPRINTF_INITPOLICY + errno if there is no memory. The thread that
 * uses the handle.
 */
int tlsrpt_init_policy(struct tlsrpt_dr_t *dr, tlsrpt_policy_type_t policy_type, const char *policydomainname);

/*
 * Closes the open policy with the result of the delivery under it and the
 * number of its failures.
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_MEMSTREAMPS_NOT_INITIALIZED if no policy is
 * open; TLSRPT_ERR_FPRINTF_FINISHPOLICY + errno if there is no memory. The
 * thread that uses the handle.
 */
int tlsrpt_finish_policy(struct tlsrpt_dr_t *dr, tlsrpt_final_result_t final_result);

/*
 * Adds a line to the open policy: a line of the MTA-STS policy file, or a TLSA
 * record.
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT if policy_string is NULL;
 * TLSRPT_ERR_TLSRPT_MEMSTREAMPS_NOT_INITIALIZED if no policy is open;
 * TLSRPT_ERR_FPRINTF_ADDPOLICYSTRING + errno if there is no memory. The thread
 * that uses the handle.
 */
int tlsrpt_add_policy_string(struct tlsrpt_dr_t *dr, const char *policy_string);

/*
 * Adds an MX host pattern to the open MTA-STS policy, for instance
 * "*.mail.example.org".
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_NULLARGUMENT if mx_host_pattern is NULL;
 * TLSRPT_ERR_TLSRPT_MEMSTREAMMX_NOT_INITIALIZED if no policy is open;
 * TLSRPT_ERR_FPRINTF_ADDMXHOSTPATTERN + errno if there is no memory. The thread
 * that uses the handle.
 */
int tlsrpt_add_mx_host_pattern(struct tlsrpt_dr_t *dr, const char *mx_host_pattern);

/*
 * Adds a failure to the open policy: its type and its details (RFC 8460 section
 * 4.3). A string that is NULL is left out. The strings are the address that the
 * mail was sent from; the name, the EHLO name and the address of the MX host; a
 * URI with more information; the text of the error.
 *
 * Returns 0; TLSRPT_ERR_TLSRPT_MEMSTREAMFD_NOT_INITIALIZED if no policy is
 * open; TLSRPT_ERR_FPRINTF_ADDFAILURE + errno if there is no memory. The thread
 * that uses the handle.
 */
int tlsrpt_add_delivery_request_failure(struct tlsrpt_dr_t *dr,
                                        tlsrpt_failure_t failure_code,
                                        const char *sending_mta_ip,
                                        const char *receiving_mx_hostname,
                                        const char *receiving_mx_helo,
                                        const char *receiving_ip,
                                        const char *additional_information,
                                        const char *failure_reason_code);

/*
 * Reading an error code
 */

/*
 * Returns the errno in an error code, for strerror; for an internal error, its
 * number below 1000. Any thread.
 */
int tlsrpt_errno_from_error_code(int errorcode);

/*
 * Returns 1 if the library itself found the error, so that its code has no
 * errno; else 0. Any thread.
 */
int tlsrpt_error_code_is_internal(int errorcode);

/*
 * Returns an English text that names what failed, without the errno. Never
 * NULL, for any code. The text is static: do not free it. Any thread.
 */
const char *tlsrpt_strerror(int errorcode);

/*
 * Settings of the process
 *
 * A setting takes effect at once, for every connection and thread of the
 * process.
 */

/*
 * Makes sends wait while the collector's queue is full. For tests and for
 * programs that may wait; not for mail servers, which must not delay mail to
 * save an event. Any thread.
 */
void tlsrpt_set_blocking(void);

/*
 * Makes sends fail at once while the collector's queue is full. This is the
 * default. Any thread.
 */
void tlsrpt_set_nonblocking(void);

/*
 * Sets the allocator for handles that are made later. If either function is
 * NULL, restores malloc and free of libc.
 *
 * malloc_function may fail: it returns NULL and may set errno, which becomes
 * part of the error code (ENOMEM if it sets none). Neither function changes the
 * errno of a call that succeeds. A handle keeps the pair that it was made with.
 * Do not call this while another thread makes a handle.
 */
void tlsrpt_set_malloc_and_free(void *(*malloc_function)(size_t size), void (*free_function)(void *ptr));

#ifdef __cplusplus
}
#endif

#endif /* TLSRPT_H */
