/* A program with two Rust libraries: both work. */
#include <tlsrpt.h>

#include "checks.h"
#include "collector.h"
#include "events.h"

int other_rust_library(void);

int main(void)
{
    struct tlsrpt_connection_t *con;

    collector_open();
    CHECK_INT(3, other_rust_library());
    CHECK_INT(0, tlsrpt_open(&con, collector.name));
    CHECK_INT(0, send_success(con));
    CHECK_TEXT(SUCCESS_DATAGRAM, collector_receive());
    CHECK_INT(0, tlsrpt_close(&con));
    CHECK_INT(3, other_rust_library());
    collector_remove();
    return closing_line("with_other_rust_library");
}
