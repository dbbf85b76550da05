/* Leaves a block behind: what looks for leaks must see it. */
#include <stdlib.h>

int main(void)
{
    static char *volatile block;

    block = malloc(10);
    return 0;
}
