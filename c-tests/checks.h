/* Checks for the test programs: each failed one says what was expected, what came, and where. */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdio.h>
#include <string.h>

static int checks_passed, checks_failed;
/* The row of a table that is being tried, for the reports; NULL outside a table. */
static const char *check_subject;

#define CHECK(condition) check_int(1, !!(condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(expected, actual) check_int((expected), (actual), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(expected, actual) check_text((expected), (actual), #actual, __FILE__, __LINE__)

static inline int check_report(int passed, const char *what, const char *file, int line)
{
    if (passed) {
        checks_passed++;
    } else {
        checks_failed++;
        fprintf(stderr, "%s:%d: %s%s%s\n", file, line, check_subject ? check_subject : "", check_subject ? ": " : "", what);
    }
    return passed;
}

static inline void check_int(long expected, long actual, const char *what, const char *file, int line)
{
    if (!check_report(expected == actual, what, file, line))
        fprintf(stderr, "    expected %ld, came %ld\n", expected, actual);
}

/* Texts are datagrams too: no datagram of ours holds a NUL, and collector.h puts one behind each. */
static inline void check_text(const char *expected, const char *actual, const char *what, const char *file, int line)
{
    int equal = expected && actual ? strcmp(expected, actual) == 0 : expected == actual;

    if (!check_report(equal, what, file, line))
        fprintf(stderr, "    expected %.2000s\n    came     %.2000s\n", expected ? expected : "(nothing)",
                actual ? actual : "(nothing)");
}

/* Prints the closing line; the exit status of the program. */
static inline int closing_line(const char *program)
{
    printf("%s: %d passed, %d failed\n", program, checks_passed, checks_failed);
    return checks_failed > 0 || checks_passed == 0;
}

#endif
