/* Leaves a descriptor open, in a child, and no block: what looks for descriptors must see it. */
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
