/*
 * resources.h - the resources of the process, to be compared before and after a test.
 */
#ifndef RESOURCES_H
#define RESOURCES_H

#include <dirent.h>
#include <malloc.h>
#include <string.h>

#include "checks.h"

struct resources {
    long descriptors; /* open */
    long mappings;    /* of files and memory */
    long bytes;       /* allocated by malloc */
    long pages;       /* of memory that the process has */
};

static inline struct resources resources(void)
{
    struct resources now = {0, 0, 0, 0};
    char line[512];
    DIR *folder = opendir("/proc/self/fd");
    FILE *in;
    needed(folder ? 0 : -1, "/proc/self/fd");
    while (readdir(folder))
        now.descriptors++;
    closedir(folder);
    in = fopen("/proc/self/maps", "r");
    needed(in ? 0 : -1, "/proc/self/maps");
    while (fgets(line, sizeof line, in))
        now.mappings++;
    fclose(in);
    in = fopen("/proc/self/statm", "r");
    needed(in && fscanf(in, "%*d %ld", &now.pages) == 1 ? 0 : -1, "/proc/self/statm");
    fclose(in);
    now.bytes = (long)mallinfo2().uordblks;
    return now;
}

/* The descriptors, the mappings and the allocated bytes are as before. */
static inline void expect_same_resources(const char *what, struct resources before, struct resources after)
{
    expect(after.descriptors == before.descriptors, "%s: %ld descriptors, %ld before", what, after.descriptors,
           before.descriptors);
    expect(after.mappings == before.mappings, "%s: %ld mappings, %ld before", what, after.mappings, before.mappings);
    expect(after.bytes == before.bytes, "%s: %ld bytes, %ld before", what, after.bytes, before.bytes);
}

#endif
