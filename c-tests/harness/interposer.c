#define _GNU_SOURCE
#include "interposer.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct interposer interposer;

/* glibc's allocator under names that no library interposes. dlsym is not used because it could allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

void arm_interposer(enum interposed_function function, long position, int number)
{
    memset(&interposer, 0, sizeof interposer);
    interposer.function = function;
    interposer.position = position;
    interposer.number = number;
    interposer.armed = 1;
}

void disarm_interposer(void)
{
    interposer.armed = 0;
}

/* Counts a call. True if it is the one that has to fail. */
static int fails(enum interposed_function function)
{
    if (!interposer.armed)
        return 0;
    interposer.calls[function]++;
    if (interposer.function != function || interposer.calls[function] != interposer.position)
        return 0;
    interposer.failed++;
    errno = interposer.number;
    return 1;
}

int socket(int domain, int type, int protocol)
{
    int fd;
    if (fails(SOCKET))
        return -1;
    fd = (int)syscall(SYS_socket, domain, type, protocol);
    if (interposer.armed && fd >= 0)
        interposer.descriptors++;
    return fd;
}

int close(int fd)
{
    int failing = fails(CLOSE);
    int number = errno;
    int answer = (int)syscall(SYS_close, fd);
    if (interposer.armed && answer == 0)
        interposer.descriptors--;
    if (!failing)
        return answer;
    /* As on Linux: the descriptor is closed even if close returns an error. */
    errno = number;
    return -1;
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
    if (interposer.armed) {
        interposer.sends_without[0] += !(flags & MSG_NOSIGNAL);
        interposer.sends_without[1] += !(flags & MSG_DONTWAIT);
    }
    if (fails(SENDTO)) {
        if (interposer.number == EPIPE && !(flags & MSG_NOSIGNAL))
            raise(SIGPIPE);
        return -1;
    }
    return syscall(SYS_sendto, fd, bytes, size, flags, to, to_size);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    if (interposer.armed && level == SOL_SOCKET && name == SO_SNDBUF && *(const int *)value > interposer.largest_buffer)
        interposer.largest_buffer = *(const int *)value;
    if (fails(SETSOCKOPT))
        return -1;
    return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}

static void *counted(void *block)
{
    if (interposer.armed && block)
        interposer.blocks++;
    return block;
}

void *malloc(size_t size)
{
    return fails(MALLOC) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(MALLOC) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    if (fails(MALLOC))
        return NULL;
    return block ? __libc_realloc(block, size) : counted(__libc_malloc(size));
}

void free(void *block)
{
    if (interposer.armed && block)
        interposer.blocks--;
    __libc_free(block);
}
