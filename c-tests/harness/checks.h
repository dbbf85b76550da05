/*
 * checks.h - the checks of a test program, and its closing line.
 *
 *   CHECK_INT(0, code);                               counts; prints expected value, actual value and line
 *   return closing_line("return_codes");              prints how many passed and failed; returns the exit status
 *
 *   expect(code == 0, "event %d returns %d", i, code);   counts only failures: any number of cases, in any thread
 *   return closing_line_of("threads", cases);
 */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks_passed, checks_failed;
/* The current row of a table, for messages; NULL outside a table. */
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
        fprintf(stderr, "    expected %ld, found %ld\n", expected, actual);
}

/* Also for datagrams: they contain no NUL, and collector.h adds one at the end. */
static inline void check_text(const char *expected, const char *actual, const char *what, const char *file, int line)
{
    int equal = expected && actual ? strcmp(expected, actual) == 0 : expected == actual;

    if (!check_report(equal, what, file, line))
        fprintf(stderr, "    expected %.2000s\n    found    %.2000s\n", expected ? expected : "(nothing)",
                actual ? actual : "(nothing)");
}

#define EXPECTATIONS_SHOWN 20

/* Prints the text if the condition does not hold, for the first failures. */
__attribute__((format(printf, 2, 3))) static inline int expect(int holds, const char *format, ...)
{
    va_list values;

    if (!holds && checks_failed++ < EXPECTATIONS_SHOWN) {
        va_start(values, format);
        fputs("failed: ", stderr);
        vfprintf(stderr, format, values);
        fputc('\n', stderr);
        va_end(values);
    }
    return holds;
}

/* Prints how many of the cases passed. Returns the exit status of the program. */
static inline int closing_line_of(const char *program, long cases)
{
    long failed = checks_failed < cases ? checks_failed : cases;

    printf("%s: %ld passed, %d failed\n", program, cases - failed, checks_failed);
    fflush(stdout);
    return checks_failed > 0 || cases == 0;
}

/* The same for a program that uses CHECK. */
static inline int closing_line(const char *program)
{
    return closing_line_of(program, (long)checks_passed + checks_failed);
}

/* Ends the program as failed if the system refuses a call that a test needs. */
static inline int needed(int answer, const char *call)
{
    if (answer < 0) {
        perror(call);
        exit(2);
    }
    return answer;
}

#endif
