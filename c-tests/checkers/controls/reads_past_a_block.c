/* Reads a byte behind a block: valgrind must report it. */
#include <stdlib.h>

int main(void)
{
    volatile char *block = malloc(10);
    int read = block && block[10];

    free((void *)block);
    return read & 0;
}
