/*
 * Replays recorded call sequences, read as lines from standard input (see tests/vectors/lines.py), and compares each
 * return code and each datagram with the recorded one. tests/vectors/replay.py does the same for machines with Python.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsrpt.h>

#include "checks.h"
#include "collector.h"

#define LINE_SIZE (1 << 20)
#define ARGUMENTS_MAX 7

static char line[LINE_SIZE];
static struct tlsrpt_connection_t *connection;
static struct tlsrpt_dr_t *request;
static int sequences, different;
/* Whether the current sequence differs from the recording. */
static int differs;

/* Converts hexadecimal digits to bytes in place and adds a NUL. Returns the number of bytes. */
static size_t unhex(char *text)
{
    size_t length = strlen(text) / 2, i;

    for (i = 0; i < length; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        text[i] = (char)strtol(digits, NULL, 16);
    }
    text[length] = '\0';
    return length;
}

/* An argument that is a string: NULL, or bytes. */
static const char *string(char *word)
{
    if (!word || strcmp(word, "-") == 0)
        return NULL;
    unhex(word + 1);
    return word + 1;
}

static int call(const char *function, char *const *a)
{
    if (strcmp(function, "init_delivery_request") == 0)
        return tlsrpt_init_delivery_request(&request, connection, string(a[0]), string(a[1]));
    if (strcmp(function, "init_policy") == 0)
        return tlsrpt_init_policy(request, (tlsrpt_policy_type_t)atoi(a[0]), string(a[1]));
    if (strcmp(function, "add_policy_string") == 0)
        return tlsrpt_add_policy_string(request, string(a[0]));
    if (strcmp(function, "add_mx_host_pattern") == 0)
        return tlsrpt_add_mx_host_pattern(request, string(a[0]));
    if (strcmp(function, "add_delivery_request_failure") == 0)
        return tlsrpt_add_delivery_request_failure(request, (tlsrpt_failure_t)atoi(a[0]), string(a[1]), string(a[2]),
                                                   string(a[3]), string(a[4]), string(a[5]), string(a[6]));
    if (strcmp(function, "finish_policy") == 0)
        return tlsrpt_finish_policy(request, (tlsrpt_final_result_t)atoi(a[0]));
    if (strcmp(function, "finish_delivery_request") == 0)
        return tlsrpt_finish_delivery_request(&request);
    if (strcmp(function, "cancel_delivery_request") == 0)
        return tlsrpt_cancel_delivery_request(&request);
    fprintf(stderr, "replay: no function is named %s\n", function);
    exit(2);
}

static void replay_call(char *words)
{
    char *function = strtok(words, " "), *code = strtok(NULL, " "), *arguments[ARGUMENTS_MAX];
    int i;

    for (i = 0; i < ARGUMENTS_MAX; i++)
        arguments[i] = strtok(NULL, " ");
    if (call(function, arguments) != atoi(code))
        differs = 1;
}

static void compare_datagram(char *hex)
{
    const char *received = collector_receive();
    size_t length = unhex(hex);

    if (!received || strlen(received) != length || memcmp(received, hex, length) != 0)
        differs = 1;
}

static void end_sequence(const char *name)
{
    while (collector_receive())
        differs = 1;
    sequences++;
    if (differs && different++ < 10)
        fprintf(stderr, "replay: %s differs from the recording\n", name);
    differs = 0;
}

int main(void)
{
    collector_open();
    if (tlsrpt_open(&connection, collector.name) != 0)
        return 2;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "call ", 5) == 0)
            replay_call(line + 5);
        else if (strncmp(line, "datagram ", 9) == 0)
            compare_datagram(line + 9);
        else
            end_sequence(line + 4);
    }
    tlsrpt_close(&connection);
    collector_remove();
    printf("%d of %d call sequences answered byte for byte like the reference\n", sequences - different, sequences);
    return different > 0 || sequences == 0;
}
