/* Leaves a descriptor open in a child, and leaks no block: valgrind must report the descriptor. */
#include <sys/wait.h>

#include "collector.h"

int main(void)
{
    if (needed(fork(), "fork") == 0) {
        needed(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
        return 0;
    }
    return needed(wait(NULL), "wait") < 0;
}
