/* A collector's socket in a folder of its own. What it received is compared byte for byte. */
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

#define DATAGRAM_ROOM (4 << 20)

static struct {
    char folder[64];
    char name[80];
    int receiver;
    char datagram[DATAGRAM_ROOM + 1];
} collector = {"", "", -1, ""};

/* Ends a program that cannot set its scene; that is a failure, never a pass. */
static inline int needed(int answer, const char *call)
{
    if (answer < 0) {
        perror(call);
        exit(1);
    }
    return answer;
}

/* Makes the folder and the name, without a socket there. */
static inline void collector_name(void)
{
    const char *place = getenv("TMPDIR");

    snprintf(collector.folder, sizeof collector.folder, "%.40s/tlsrpt-XXXXXX", place ? place : "/tmp");
    if (!mkdtemp(collector.folder))
        needed(-1, "mkdtemp");
    /* Any user may pass, so that what a test refuses is what it says. */
    needed(chmod(collector.folder, 0755), "chmod");
    snprintf(collector.name, sizeof collector.name, "%s/s", collector.folder);
}

static inline void collector_start(void)
{
    struct sockaddr_un address;

    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, collector.name, strlen(collector.name));
    collector.receiver = needed(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
    needed(bind(collector.receiver, (struct sockaddr *)&address, sizeof address), "bind");
}

/* Nobody listens afterwards; the socket's file stays, as after a collector that was killed. */
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

/* The bytes that the system lets a send buffer have, and so a datagram with what the system adds. */
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

/* The next datagram, with a NUL behind it; NULL if there is none. A sent datagram is there at once: nothing waits. */
static inline const char *collector_receive(void)
{
    int waiting = 0;
    ssize_t length;

    needed(ioctl(collector.receiver, FIONREAD, &waiting), "ioctl");
    length = recv(collector.receiver, collector.datagram, waiting < DATAGRAM_ROOM ? (size_t)waiting + 1 : DATAGRAM_ROOM,
                  MSG_DONTWAIT);
    if (length < 0)
        return NULL;
    collector.datagram[length] = '\0';
    return collector.datagram;
}

#endif
