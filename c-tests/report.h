/*
 * report.h - what a test program says, and a collector to send to.
 *
 *   expect(code == 13011, "a full queue answers %d", code);   prints and counts what does not hold
 *   return report("events", 3 * 1000);                        the closing line, and the exit status
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static long broken_expectations;

__attribute__((format(printf, 2, 3))) static inline int expect(int holds, const char *format, ...)
{
    if (!holds && broken_expectations++ < 20) {
        va_list values;
        va_start(values, format);
        fputs("not so: ", stderr);
        vfprintf(stderr, format, values);
        fputc('\n', stderr);
        va_end(values);
    }
    return holds;
}

/* Prints how many of the cases went as expected; the exit status of the program. */
static inline int report(const char *what, long cases)
{
    long failed = broken_expectations < cases ? broken_expectations : cases;
    printf("%s: %ld passed, %ld failed\n", what, cases - failed, broken_expectations);
    fflush(stdout);
    return broken_expectations != 0 || cases == 0;
}

/* Ends the program if the machine refuses what a test needs. */
static inline int needed(int answer, const char *what)
{
    if (answer < 0) {
        perror(what);
        exit(2);
    }
    return answer;
}

/* A folder of our own, which is then the working directory. Sockets in it have short names. */
static inline void enter_scratch_folder(char folder[64])
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, 64, "%.40s/tlsrpt-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(2);
    }
    needed(chdir(folder), folder);
}

/* Removes the folder and the plain files and empty folders in it. */
static inline void leave_scratch_folder(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    needed(chdir("/"), "/");
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", folder);
}

static inline struct sockaddr_un socket_address(const char *name)
{
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    return address;
}

/* A collector's socket that is bound to a name. */
static inline int collector(const char *name)
{
    struct sockaddr_un address = socket_address(name);
    int fd = needed(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
    needed(bind(fd, (struct sockaddr *)&address, sizeof address), name);
    return fd;
}

#endif
