/* Prints the meaning of an error code on standard error. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdio.h>
#include <string.h>

#include <tlsrpt.h>

static void explain(const char *what, int code)
{
    fprintf(stderr, "%s: error %d: %s", what, code, tlsrpt_strerror(code));
    /* An internal error has no errno. Every other code contains the errno of the system. */
    if (!tlsrpt_error_code_is_internal(code))
        fprintf(stderr, ": %s", strerror(tlsrpt_errno_from_error_code(code)));
    fputc('\n', stderr);
}

#endif
