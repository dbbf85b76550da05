/* An allocator that counts its blocks, distinguishes them from malloc's, and fails on demand. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The header of each block: the allocator that made it, and the block's size. Keeps the alignment of malloc. */
union allocator_head {
    struct {
        const void *owner;
        size_t size;
    } block;
    long double alignment;
    void *pointers[2];
};

struct allocator {
    /* Blocks allocated and released. */
    int given, taken;
    /* Blocks of another allocator that were released here. */
    int foreign;
    size_t largest;
    /* Fails at this call, counted from 1, and at each one after it if `from_there_on`; 0 never fails. */
    int fails_at, from_there_on;
    /* The errno that a failing call leaves. */
    int leaves_errno;
    int calls;
};

static inline void *allocator_give(struct allocator *from, size_t size)
{
    union allocator_head *head;

    from->calls++;
    if (from->fails_at > 0 && (from->calls == from->fails_at || (from->from_there_on && from->calls > from->fails_at))) {
        errno = from->leaves_errno;
        return NULL;
    }
    head = malloc(sizeof *head + size);
    if (!head)
        return NULL;
    head->block.owner = from;
    head->block.size = size;
    from->given++;
    if (size > from->largest)
        from->largest = size;
    /* A read of uninitialized memory finds this. */
    memset(head + 1, 0xa5, size);
    return head + 1;
}

static inline void allocator_take(struct allocator *to, void *block)
{
    union allocator_head *head = block;

    if (!block)
        return;
    head--;
    to->taken++;
    if (head->block.owner != to)
        to->foreign++;
    /* A read of freed memory finds this. */
    memset(head, 0x5a, sizeof *head + head->block.size);
    free(head);
}

/* Two allocators: each block must be released by the one that made it. */
static struct allocator first_allocator, second_allocator;

static inline void *first_malloc(size_t size)
{
    return allocator_give(&first_allocator, size);
}

static inline void first_free(void *block)
{
    allocator_take(&first_allocator, block);
}

static inline void *second_malloc(size_t size)
{
    return allocator_give(&second_allocator, size);
}

static inline void second_free(void *block)
{
    allocator_take(&second_allocator, block);
}

/* Every block was released by the allocator that made it. */
static inline int allocator_is_even(const struct allocator *allocator)
{
    return allocator->given == allocator->taken && allocator->foreign == 0;
}

#endif
