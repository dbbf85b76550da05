/* Leaks a block: valgrind must report it. */
#include <stdlib.h>

int main(void)
{
    static char *volatile block;

    block = malloc(10);
    return 0;
}
