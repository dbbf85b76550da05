/* Loaded before the C library: the clock of the day is ahead by the seconds in the file CLOCK, a number of 8 bytes that may change
   while the program runs. Other clocks, and so all waits, are as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static const volatile int64_t *ahead;

__attribute__((constructor)) static void open_clock(void)
{
    int fd = open(getenv("CLOCK"), O_RDONLY);
    void *mapped = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (fd < 0 || mapped == MAP_FAILED || !real)
        abort();
    ahead = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!real)
        open_clock();
    int result = real(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += *ahead;
    return result;
}
