/*
 * collector.h - sockets that receive the library's datagrams.
 *
 *   collector_open();  collector_receive();  collector_remove();     one, in a folder of its own
 *   enter_scratch_folder(folder);  fd = bind_collector("name");      any number, in the working directory
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "checks.h"

#define DATAGRAM_MAX (4 << 20)

static struct {
    char folder[64];
    char name[80];
    int receiver;
    char datagram[DATAGRAM_MAX + 1];
} collector = {"", "", -1, ""};

/* Makes a folder for sockets, with a short name: socket names are limited. Tests of other users need the permission for all. */
static inline void make_scratch_folder(char folder[64])
{
    const char *place = getenv("TMPDIR");

    snprintf(folder, 64, "%.40s/tlsrpt-XXXXXX", place ? place : "/tmp");
    if (!mkdtemp(folder))
        needed(-1, folder);
    needed(chmod(folder, 0755), "chmod");
}

/* A folder of our own, which is then the working directory. */
static inline void enter_scratch_folder(char folder[64])
{
    make_scratch_folder(folder);
    needed(chdir(folder), folder);
}

/* Removes the folder and all that is in it. */
static inline void leave_scratch_folder(const char *folder)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
    needed(chdir("/"), "/");
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", folder);
}

static inline struct sockaddr_un socket_address(const char *name)
{
    struct sockaddr_un address;
    size_t length = strlen(name);

    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (length >= sizeof address.sun_path)
        length = sizeof address.sun_path - 1;
    memcpy(address.sun_path, name, length);
    return address;
}

/* A collector's socket that is bound to a name. */
static inline int bind_collector(const char *name)
{
    struct sockaddr_un address = socket_address(name);
    int fd = needed(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");

    needed(bind(fd, (struct sockaddr *)&address, sizeof address), name);
    return fd;
}

/* Makes the folder and the name, without a socket there. */
static inline void collector_name(void)
{
    make_scratch_folder(collector.folder);
    snprintf(collector.name, sizeof collector.name, "%s/s", collector.folder);
}

static inline void collector_start(void)
{
    collector.receiver = bind_collector(collector.name);
}

/* Closes the socket and leaves its file, as a collector that was killed does. */
static inline void collector_die(void)
{
    needed(close(collector.receiver), "close");
    collector.receiver = -1;
}

static inline void collector_stop(void)
{
    collector_die();
    needed(unlink(collector.name), "unlink");
}

static inline void collector_open(void)
{
    collector_name();
    collector_start();
}

static inline void collector_remove(void)
{
    if (collector.receiver >= 0)
        collector_stop();
    needed(rmdir(collector.folder), "rmdir");
}

/* The largest send buffer that the system allows, in bytes: the limit of a datagram and its overhead together. */
static inline int largest_send_buffer(void)
{
    int largest = 1 << 30;
    socklen_t size = sizeof largest;
    int probe = needed(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");

    needed(setsockopt(probe, SOL_SOCKET, SO_SNDBUF, &largest, size), "setsockopt");
    needed(getsockopt(probe, SOL_SOCKET, SO_SNDBUF, &largest, &size), "getsockopt");
    needed(close(probe), "close");
    return largest;
}

/* The next datagram, followed by a NUL; NULL if there is none. Never waits: a sent datagram is in the queue at once. */
static inline const char *collector_receive(void)
{
    int waiting = 0;
    ssize_t length;

    needed(ioctl(collector.receiver, FIONREAD, &waiting), "ioctl");
    length = recv(collector.receiver, collector.datagram, waiting < DATAGRAM_MAX ? (size_t)waiting + 1 : DATAGRAM_MAX,
                  MSG_DONTWAIT);
    if (length < 0)
        return NULL;
    collector.datagram[length] = '\0';
    return collector.datagram;
}

#endif
