/*
 * Calls the module as Exim does, also with arguments that Exim should never pass, and checks the lines that it logs.
 *
 *   cc -rdynamic module.c -o module -ldl && ./module MODULE SOCKET
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OK 0
#define FAIL 2
#define ARGUMENTS 7

typedef int event_function(unsigned char **answer, int argc, const char **argv);

static event_function *event;
static unsigned char *answer;
static char logged[1024];
static int passed, failed;

/* Exim exports this function to modules. */
void log_write(unsigned int selector, int logs, const char *format, ...)
{
    va_list arguments;

    (void)selector;
    (void)logs;
    va_start(arguments, format);
    vsnprintf(logged, sizeof logged, format, arguments);
    va_end(arguments);
}

static void expect(const char *what, int holds)
{
    if (holds) {
        passed++;
    } else {
        failed++;
        printf("failed: %s; logged: \"%s\"\n", what, logged);
    }
}

/* Begins a connection. ARGV is then its EHLO reply inside TLS, which is a success. */
static void prepare(const char **argv, const char *socket_path)
{
    argv[0] = socket_path;
    argv[1] = "tcp:connect ";
    argv[2] = "example.org";
    argv[3] = "mx.example.org";
    argv[4] = "from=192.0.2.1 to=192.0.2.25 errno= dane=no cipher=TLS1.3:X:256 verify= log=yes expires= names=";
    argv[5] = "v=TLSRPTv1; rua=mailto:tls@example.org";
    argv[6] = "";
    event(&answer, ARGUMENTS, argv);
    argv[1] = "smtp:ehlo 250 mx.example.org";
    logged[0] = '\0';
}

static int is_ok(int argc, const char **argv)
{
    return event(&answer, argc, argv) == OK && *answer == '\0';
}

int main(int argc, char **arguments)
{
    const char *argv[ARGUMENTS];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char long_path[200], datagram[4096];
    int position, collector;
    void *module;

    if (argc != 3 || (module = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL)) == NULL) {
        fprintf(stderr, "usage: module MODULE SOCKET; %s\n", argc == 3 ? dlerror() : "");
        return 2;
    }
    *(void **)&event = dlsym(module, "tlsrpt_event");
    strncpy(address.sun_path, arguments[2], sizeof address.sun_path - 1);
    unlink(arguments[2]);
    collector = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (bind(collector, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(arguments[2]);
        return 2;
    }

    prepare(argv, arguments[2]);
    expect("success is sent", is_ok(ARGUMENTS, argv) && recv(collector, datagram, sizeof datagram, MSG_DONTWAIT) > 0);
    expect("success is logged", strcmp(logged, "TLSRPT: event for example.org sent: no-policy-found, success") == 0);

    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    prepare(argv, long_path);
    expect("an internal error leaves the delivery alone", is_ok(ARGUMENTS, argv));
    expect("an internal error is logged with a text",
           strncmp(logged, "TLSRPT: no event for example.org: ", 34) == 0 && strlen(logged) > 40);
    expect("an internal error does not end in a colon", strchr(": ", logged[strlen(logged) - 1]) == NULL);

    prepare(argv, arguments[2]);
    expect("nowhere to answer", event(NULL, ARGUMENTS, argv) == FAIL);
    expect("no arguments", is_ok(ARGUMENTS, NULL));
    expect("a negative number of arguments", is_ok(-1, argv));
    for (position = 0; position < ARGUMENTS; position++) {
        prepare(argv, arguments[2]);
        argv[position] = NULL;
        expect("one argument is NULL", is_ok(ARGUMENTS, argv));
    }
    memset(argv, 0, sizeof argv);
    expect("all arguments are NULL", is_ok(ARGUMENTS, argv));
    unlink(arguments[2]);
    printf("Exim module, called: %d passed, %d failed\n", passed, failed);
    return failed != 0;
}
