/* Uses one request from two threads at a time, inside the library: the thread sanitizer must report it. */
#include <pthread.h>

#include "loaded_events.h"

static struct library lib;
static struct tlsrpt_dr_t *dr;

static void *add(void *pattern)
{
    lib.add_mx_host_pattern(dr, pattern);
    return NULL;
}

int main(int argc, char **argv)
{
    struct tlsrpt_connection_t *con;
    pthread_t one, other;
    lib = load_library(argv[argc - 1]);
    lib.open(&con, "nobody-listens");
    lib.init_delivery_request(&dr, con, "example.org", "v=TLSRPTv1");
    lib.init_policy(dr, TLSRPT_POLICY_STS, "example.org");
    pthread_create(&one, NULL, add, "*.one.example");
    pthread_create(&other, NULL, add, "*.other.example");
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    return 0;
}
