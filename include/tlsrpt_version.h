/*
 * tlsrpt_version.h - the version of the library that this header belongs to
 *
 * For #if at compile time; tlsrpt_version() and tlsrpt_version_check() tell
 * about the library that is in use at run time.
 *
 * This file is made by `make header` from include/tlsrpt_version.h.in and the
 * version in Cargo.toml.
 */
#ifndef TLSRPT_VERSION_H
#define TLSRPT_VERSION_H

#define TLSRPT_VERSION_MAJOR 0
#define TLSRPT_VERSION_MINOR 5
#define TLSRPT_VERSION_PATCH 1

/* 1 for a prerelease such as "rc2", else 0 and "". */
#define TLSRPT_VERSION_IS_PRERELEASE 0
#define TLSRPT_VERSION_PRERELEASE ""

#define TLSRPT_VERSION_STRING "0.5.1"

#endif /* TLSRPT_VERSION_H */
