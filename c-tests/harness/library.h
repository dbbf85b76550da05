/*
 * library.h - a libtlsrpt that is loaded from a file, so that one test program can test this library and the C library.
 *
 *   struct library lib = load_library("build/libtlsrpt.so.0");
 *   lib.open(&con, name);
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "tlsrpt.h"

struct library {
    void *handle;
    __typeof__(tlsrpt_open) *open;
    __typeof__(tlsrpt_close) *close;
    __typeof__(tlsrpt_get_socket) *get_socket;
    __typeof__(tlsrpt_init_delivery_request) *init_delivery_request;
    __typeof__(tlsrpt_cancel_delivery_request) *cancel_delivery_request;
    __typeof__(tlsrpt_finish_delivery_request) *finish_delivery_request;
    __typeof__(tlsrpt_init_policy) *init_policy;
    __typeof__(tlsrpt_finish_policy) *finish_policy;
    __typeof__(tlsrpt_add_policy_string) *add_policy_string;
    __typeof__(tlsrpt_add_mx_host_pattern) *add_mx_host_pattern;
    __typeof__(tlsrpt_add_delivery_request_failure) *add_delivery_request_failure;
    __typeof__(tlsrpt_set_blocking) *set_blocking;
    __typeof__(tlsrpt_set_nonblocking) *set_nonblocking;
    __typeof__(tlsrpt_set_malloc_and_free) *set_malloc_and_free;
};

static inline void *library_symbol(void *handle, const char *name)
{
    void *symbol = dlsym(handle, name);
    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return symbol;
}

static inline struct library load_library(const char *file)
{
    struct library lib;
    lib.handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!lib.handle) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
/* Standard C has no conversion from an object pointer to a function pointer; POSIX has this. */
#define LOAD(name) *(void **)&lib.name = library_symbol(lib.handle, "tlsrpt_" #name)
    LOAD(open);
    LOAD(close);
    LOAD(get_socket);
    LOAD(init_delivery_request);
    LOAD(cancel_delivery_request);
    LOAD(finish_delivery_request);
    LOAD(init_policy);
    LOAD(finish_policy);
    LOAD(add_policy_string);
    LOAD(add_mx_host_pattern);
    LOAD(add_delivery_request_failure);
    LOAD(set_blocking);
    LOAD(set_nonblocking);
    LOAD(set_malloc_and_free);
#undef LOAD
    return lib;
}

#endif
