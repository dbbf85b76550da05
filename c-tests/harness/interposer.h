/*
 * interposer.h - functions that replace those of libc and let one chosen call fail.
 *
 * The loader finds the functions of this shared object before those of libc. While the interposer is armed it counts
 * their calls, and lets the call of one function at one position fail with one errno.
 */
#ifndef INTERPOSER_H
#define INTERPOSER_H

enum interposed_function { SOCKET, SENDTO, CLOSE, SETSOCKOPT, MALLOC, INTERPOSED_FUNCTIONS };

struct interposer {
    int armed;
    /* The plan: the call at this position, from 1, of this function fails with this errno. Position 0: none. */
    enum interposed_function function;
    long position;
    int number;
    /* The calls since then. */
    long calls[INTERPOSED_FUNCTIONS];
    long failed;
    long blocks;        /* allocated and not freed */
    long descriptors;   /* opened and not closed */
    long sends_without[2]; /* sends without MSG_NOSIGNAL, without MSG_DONTWAIT */
    long largest_buffer;   /* the largest requested send buffer */
};

extern struct interposer interposer;

void arm_interposer(enum interposed_function function, long position, int number);
void disarm_interposer(void);

#endif
