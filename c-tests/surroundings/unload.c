/*
 * unload LIBRARY [OTHER]
 *
 * Loads and unloads the library 1,000 times, with an event each time: no memory and no descriptor leaks. With OTHER, another
 * libtlsrpt under another name, loads both into this process, in both orders, and checks that their events stay
 * separate.
 */
#define _GNU_SOURCE
#include "checks.h"
#include "collector.h"
#include "loaded_events.h"
#include "resources.h"

#define ROUNDS 1000
/* Rounds after which the loader and the standard library allocate no more. */
#define WARM_UP 10

static int receiver;

static void expect_event(const struct library *lib, const char *domain, const char *as_sent)
{
    struct tlsrpt_connection_t *con;
    char datagram[4096], begin[256];
    long size;
    snprintf(begin, sizeof begin, "{\"dpv\": \"1\",\"d\": \"%s\",", as_sent);
    expect(lib->open(&con, "collector") == 0, "open fails");
    expect(send_event(lib, con, domain, "expired") == 0, "an event fails");
    expect(lib->close(&con) == 0, "close fails");
    size = recv(receiver, datagram, sizeof datagram, MSG_DONTWAIT);
    expect(size > (long)strlen(begin) && memcmp(datagram, begin, strlen(begin)) == 0, "got %.*s",
           size < 0 ? 0 : (int)size, datagram);
}

static void load_and_unload(const char *file)
{
    struct library lib = load_library(file);
    expect_event(&lib, "example.org", "example.org");
    dlclose(lib.handle);
    expect(dlopen(file, RTLD_NOW | RTLD_NOLOAD) == NULL, "the library stays loaded");
}

/* Proves that two libraries are loaded: only this one replaces bytes that are not UTF-8. */
static void both(const char *first, const char *second, int ours_is_first)
{
    struct library libraries[2] = {load_library(first), load_library(second)};
    int i;
    for (i = 0; i < 4; i++)
        expect_event(&libraries[i % 2], "caf\xe9", (i % 2 == 0) == ours_is_first ? "caf\xef\xbf\xbd" : "caf\xe9");
    expect(libraries[0].open != libraries[1].open, "both files are the same library");
    dlclose(libraries[0].handle);
    expect_event(&libraries[1], "example.org", "example.org");
    dlclose(libraries[1].handle);
}

int main(int argc, char **argv)
{
    struct resources before = resources();
    char folder[64], ours[4096], other[4096];
    int round;
    if (argc < 2 || argc > 3 || !realpath(argv[1], ours) || (argc == 3 && !realpath(argv[2], other))) {
        fputs("usage: unload LIBRARY [OTHER]\n", stderr);
        return 2;
    }
    enter_scratch_folder(folder);
    receiver = bind_collector("collector");
    for (round = 0; round < ROUNDS; round++) {
        if (round == WARM_UP)
            before = resources();
        load_and_unload(ours);
    }
    expect_same_resources("after loading and unloading", before, resources());
    if (argc == 3) {
        both(ours, other, 1);
        both(other, ours, 0);
    }
    leave_scratch_folder(folder);
    return closing_line_of("unload", ROUNDS + (argc == 3 ? 2 : 0));
}
