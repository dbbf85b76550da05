/* Uses a freed request inside the library: the address sanitizer must report it. */
#include "loaded_events.h"

int main(int argc, char **argv)
{
    struct library lib = load_library(argv[argc - 1]);
    struct tlsrpt_connection_t *con;
    struct tlsrpt_dr_t *dr, *gone;
    lib.open(&con, "nobody-listens");
    lib.init_delivery_request(&dr, con, "example.org", "v=TLSRPTv1");
    gone = dr;
    lib.cancel_delivery_request(&dr);
    lib.init_policy(gone, TLSRPT_POLICY_STS, "example.org");
    return 0;
}
