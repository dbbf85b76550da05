/*
 * tlsrpt_version.h - the level of the interface that this header declares
 *
 * The level is the version of libtlsrpt that has the same interface. It is for
 * #if at compile time; tlsrpt_version() and tlsrpt_version_check() give the
 * level of the library that is in use at run time.
 *
 * `make header` writes this file from include/tlsrpt_version.h.in and
 * src/version.rs.
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
