/*
 * Each function fits a pointer of the documented type: this file compiles without a warning with every C standard since
 * C89 and as C++. Each pointer then points to a different function.
 */
#include <tlsrpt.h>

#include "checks.h"

/* The documented types have (), which means "any arguments" in old C: pedantic compilers warn about it. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wstrict-prototypes"
#endif

static int (*version_check)(int major, int minor, int patch) = tlsrpt_version_check;
static const char* (*version)() = tlsrpt_version;
static int (*open_)(struct tlsrpt_connection_t** pcon, const char* socketname) = tlsrpt_open;
static int (*close_)(struct tlsrpt_connection_t** pcon) = tlsrpt_close;
static int (*init_delivery_request)(struct tlsrpt_dr_t** pdr, struct tlsrpt_connection_t* con, const char* domainname, const char* policyrecord) = tlsrpt_init_delivery_request;
static int (*cancel_delivery_request)(struct tlsrpt_dr_t** pdr) = tlsrpt_cancel_delivery_request;
static int (*finish_delivery_request)(struct tlsrpt_dr_t** pdr) = tlsrpt_finish_delivery_request;
static int (*init_policy)(struct tlsrpt_dr_t* dr, tlsrpt_policy_type_t policy_type, const char* policydomainname) = tlsrpt_init_policy;
static int (*finish_policy)(struct tlsrpt_dr_t* dr, tlsrpt_final_result_t final_result) = tlsrpt_finish_policy;
static int (*add_policy_string)(struct tlsrpt_dr_t* dr, const char* policy_string) = tlsrpt_add_policy_string;
static int (*add_mx_host_pattern)(struct tlsrpt_dr_t* dr, const char* mx_host_pattern) = tlsrpt_add_mx_host_pattern;
static int (*add_delivery_request_failure)(struct tlsrpt_dr_t* dr, tlsrpt_failure_t failure_code, const char* sending_mta_ip, const char* receiving_mx_hostname, const char* receiving_mx_helo, const char* receiving_ip, const char* additional_information, const char* failure_reason_code) = tlsrpt_add_delivery_request_failure;
static int (*errno_from_error_code)(int errorcode) = tlsrpt_errno_from_error_code;
static int (*error_code_is_internal)(int errorcode) = tlsrpt_error_code_is_internal;
static const char* (*strerror_)(int errorcode) = tlsrpt_strerror;
static void (*set_blocking)() = tlsrpt_set_blocking;
static void (*set_nonblocking)() = tlsrpt_set_nonblocking;
static int (*get_socket)(struct tlsrpt_connection_t* con) = tlsrpt_get_socket;
static void (*set_malloc_and_free)(void* (*malloc_function)(size_t size), void (*free_function)(void *ptr)) = tlsrpt_set_malloc_and_free;

typedef void (*any_function)(void);

int main(void)
{
    any_function functions[19];
    int count = 0, shared = 0, i, j;

#define FUNCTION(pointer) functions[count++] = (any_function)(pointer)
    FUNCTION(version_check);
    FUNCTION(version);
    FUNCTION(open_);
    FUNCTION(close_);
    FUNCTION(init_delivery_request);
    FUNCTION(cancel_delivery_request);
    FUNCTION(finish_delivery_request);
    FUNCTION(init_policy);
    FUNCTION(finish_policy);
    FUNCTION(add_policy_string);
    FUNCTION(add_mx_host_pattern);
    FUNCTION(add_delivery_request_failure);
    FUNCTION(errno_from_error_code);
    FUNCTION(error_code_is_internal);
    FUNCTION(strerror_);
    FUNCTION(set_blocking);
    FUNCTION(set_nonblocking);
    FUNCTION(get_socket);
    FUNCTION(set_malloc_and_free);

    CHECK_INT(19, count);
    for (i = 0; i < count; i++) {
        CHECK(functions[i] != NULL);
        for (j = 0; j < i; j++)
            shared += functions[i] == functions[j];
    }
    CHECK_INT(0, shared);
    return closing_line("function_types");
}
