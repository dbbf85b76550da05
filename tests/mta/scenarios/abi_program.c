/* Calls every function of tlsrpt.h and prints the results, so that the results of two libraries can be compared.
 * usage: abi_program SOCKET */
#include <stdio.h>
#include <stdlib.h>
#include <tlsrpt.h>

static size_t allocations = 0;

static void *count_and_allocate(size_t size)
{
    allocations++;
    return malloc(size);
}

static void say(const char *what, int code)
{
    printf("%s %d\n", what, code);
}

int main(int count, char **arguments)
{
    struct tlsrpt_connection_t *connection = NULL;
    struct tlsrpt_dr_t *request = NULL;

    if (count != 2)
        return 2;
    say("compiled for", TLSRPT_VERSION_MAJOR * 10000 + TLSRPT_VERSION_MINOR * 100 + TLSRPT_VERSION_PATCH);
    printf("version %s\n", tlsrpt_version());
    say("version_check", tlsrpt_version_check(TLSRPT_VERSION_MAJOR, TLSRPT_VERSION_MINOR, TLSRPT_VERSION_PATCH));
    say("version_check of a later one", tlsrpt_version_check(TLSRPT_VERSION_MAJOR, TLSRPT_VERSION_MINOR + 1, 0));
    tlsrpt_set_malloc_and_free(count_and_allocate, free);
    tlsrpt_set_blocking();
    tlsrpt_set_nonblocking();
    say("open", tlsrpt_open(&connection, arguments[1]));
    say("get_socket", tlsrpt_get_socket(connection) >= 0);
    say("init_delivery_request", tlsrpt_init_delivery_request(&request, connection, "abi.test",
                                                              "v=TLSRPTv1; rua=mailto:reports@abi.test"));
    say("finish_policy without a policy", tlsrpt_finish_policy(request, TLSRPT_FINAL_SUCCESS));
    say("cancel_delivery_request", tlsrpt_cancel_delivery_request(&request));
    say("init_delivery_request", tlsrpt_init_delivery_request(&request, connection, "abi.test",
                                                              "v=TLSRPTv1; rua=mailto:reports@abi.test"));
    say("init_policy", tlsrpt_init_policy(request, TLSRPT_POLICY_STS, "abi.test"));
    say("add_policy_string", tlsrpt_add_policy_string(request, "mode: enforce"));
    say("add_mx_host_pattern", tlsrpt_add_mx_host_pattern(request, "*.abi.test"));
    say("add_delivery_request_failure",
        tlsrpt_add_delivery_request_failure(request, TLSRPT_CERTIFICATE_EXPIRED, "192.0.2.1", "mx.abi.test",
                                            "250 mx.abi.test", "192.0.2.2", "more", "reason"));
    say("finish_policy", tlsrpt_finish_policy(request, TLSRPT_FINAL_FAILURE));
    say("finish_delivery_request", tlsrpt_finish_delivery_request(&request));
    say("close", tlsrpt_close(&connection));
    say("errno_from_error_code", tlsrpt_errno_from_error_code(TLSRPT_ERR_SENDTO + 2));
    say("error_code_is_internal", tlsrpt_error_code_is_internal(TLSRPT_ERR_TLSRPT_NESTEDPOLICY));
    say("strerror", tlsrpt_strerror(TLSRPT_ERR_SENDTO)[0] != '\0');
    say("own allocator called", allocations > 0);
    return 0;
}
