/*
 * faults LIBRARY [survey]
 *
 * Lets each system call of the library fail, at each position and with each errno, and checks the
 * codes, the handles, the descriptors, the blocks and the datagrams. With "survey" each case is a process of its own,
 * and the program prints how it ended: for a library that crashes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "checks.h"
#include "collector.h"
#include "loaded_events.h"
#include "interposer.h"

#define ERRNOS 134 /* 0 and all that Linux has */

/* A case: an event with a reason of this length, in blocking mode or not. */
struct scenario {
    const char *name;
    size_t reason_size;
    int blocking;
};

static const struct scenario scenarios[] = {
    {"a usual event", 60, 0},      {"a usual event, waiting", 60, 1},
    {"an event of 6 kB", 6000, 0}, {"an event of 6 kB, waiting", 6000, 1},
    {"an event of 400 kB", 400000, 0},
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

static struct library lib;
static int receiver;
static char reason[400001];

/* The blocks of the codes for a lack of memory in each call of write_event. */
static const int write_blocks[WRITE_EVENT_CALLS] = {
    TLSRPT_ERR_FPRINTF_INITPOLICY,       TLSRPT_ERR_FPRINTF_ADDPOLICYSTRING, TLSRPT_ERR_FPRINTF_ADDMXHOSTPATTERN,
    TLSRPT_ERR_FPRINTF_ADDFAILURE,       TLSRPT_ERR_FPRINTF_ADDPOLICYSTRING, TLSRPT_ERR_FPRINTF_FINISHPOLICY,
};

struct answers {
    int open, init, write[WRITE_EVENT_CALLS], finish, close;
    long mallocs_failed_in_init;
};

static long datagrams(void)
{
    static char datagram[1 << 20];
    long count = 0;
    while (recv(receiver, datagram, sizeof datagram, MSG_DONTWAIT) >= 0)
        count++;
    return count;
}

static struct answers run_event(void)
{
    struct answers answers = {0};
    struct tlsrpt_connection_t *con = (void *)&answers; /* garbage that the library must not read */
    struct tlsrpt_dr_t *dr = (void *)&answers;
    answers.open = lib.open(&con, "collector");
    expect(!con == (answers.open != 0), "open returns %d and the handle %p", answers.open, (void *)con);
    if (answers.open != 0)
        return answers;
    answers.init = lib.init_delivery_request(&dr, con, "example.org", "v=TLSRPTv1; rua=mailto:tls@example.org");
    expect(!dr == (answers.init != 0), "init returns %d and the handle %p", answers.init, (void *)dr);
    if (answers.init == 0) {
        write_event(&lib, dr, reason, answers.write);
        answers.finish = lib.finish_delivery_request(&dr);
        expect(dr == NULL, "finish leaves a handle");
    }
    answers.close = lib.close(&con);
    expect(con == NULL, "close leaves a handle");
    return answers;
}

static int errno_or(int number, int otherwise)
{
    return number ? number : otherwise;
}

/* The codes after a failed allocation: the request keeps the code of the call that failed. */
static void expect_no_memory(const struct answers *answers, int number)
{
    int code, call;
    number = errno_or(number, ENOMEM);
    if (answers->open) {
        expect(answers->open == TLSRPT_ERR_MALLOC_OPENCON + number, "open returns %d", answers->open);
        return;
    }
    if (answers->init) {
        expect(answers->init == TLSRPT_ERR_MALLOC_OPENDR + number || answers->init == TLSRPT_ERR_FPRINTF_INITDR + number,
               "init returns %d", answers->init);
        return;
    }
    for (call = 0; call < WRITE_EVENT_CALLS && answers->write[call] == 0; call++)
        ;
    code = call < WRITE_EVENT_CALLS ? write_blocks[call] + number : TLSRPT_ERR_FPRINTF_FINISHDR + number;
    for (; call < WRITE_EVENT_CALLS; call++)
        expect(answers->write[call] == code, "call %d returns %d, not %d", call, answers->write[call], code);
    expect(answers->finish == code, "finish returns %d, not %d", answers->finish, code);
}

/* The code of a finish whose sendto fails; 0 if the library tries again. */
static int code_of_send(int number, const struct scenario *scenario)
{
    if (number == EMSGSIZE || (number == EINTR && scenario->blocking))
        return 0;
    return TLSRPT_ERR_SENDTO + errno_or(number, EIO);
}

static void expect_answers(const struct answers *answers, enum interposed_function function, int number,
                           const struct scenario *scenario)
{
    int open = 0, finish = 0, close_code = 0;
    if (function == MALLOC) {
        expect_no_memory(answers, number);
        return;
    }
    if (function == SOCKET)
        open = TLSRPT_ERR_SOCKET + errno_or(number, EIO);
    if (function == SENDTO)
        finish = code_of_send(number, scenario);
    if (function == SETSOCKOPT)
        finish = TLSRPT_ERR_SENDTO + EMSGSIZE;
    if (function == CLOSE)
        close_code = TLSRPT_ERR_CLOSE + errno_or(number, EIO);
    expect(answers->open == open, "open returns %d, not %d", answers->open, open);
    expect(answers->finish == finish, "finish returns %d, not %d", answers->finish, finish);
    expect(answers->close == close_code, "close returns %d, not %d", answers->close, close_code);
}

static void expect_flags(const struct scenario *scenario)
{
    long waiting = scenario->blocking ? interposer.calls[SENDTO] : 0;
    expect(interposer.sends_without[0] == 0, "%ld sends may raise SIGPIPE", interposer.sends_without[0]);
    expect(interposer.sends_without[1] == waiting, "%ld sends may wait", interposer.sends_without[1]);
}

static void set_up(const struct scenario *scenario)
{
    memset(reason, 'r', scenario->reason_size);
    reason[scenario->reason_size] = 0;
    (scenario->blocking ? lib.set_blocking : lib.set_nonblocking)();
}

static void run_case(const struct scenario *scenario, enum interposed_function function, long position, int number)
{
    struct answers answers;
    long before = checks_failed, sent;
    arm_interposer(function, position, number);
    answers = run_event();
    disarm_interposer();
    expect(interposer.failed == 1, "%ld calls failed", interposer.failed);
    expect_answers(&answers, function, number, scenario);
    expect_flags(scenario);
    expect(interposer.blocks == 0, "%ld blocks leaked", interposer.blocks);
    expect(interposer.descriptors == 0, "%ld descriptors leaked", interposer.descriptors);
    sent = datagrams();
    expect(sent == !(answers.open || answers.init || answers.finish), "%ld datagrams", sent);
    if (checks_failed != before)
        fprintf(stderr, "    in %s, function %d, position %ld, errno %d\n", scenario->name, function, position, number);
}

/* The event without a fault: counts the calls that can fail. */
static void run_without_fault(const struct scenario *scenario, long calls[INTERPOSED_FUNCTIONS])
{
    struct answers answers;
    int large = scenario->reason_size > 212960;
    set_up(scenario);
    arm_interposer(SOCKET, 0, 0);
    answers = run_event();
    disarm_interposer();
    expect(!answers.open && !answers.init && !answers.finish && !answers.close, "%s fails", scenario->name);
    expect(datagrams() == 1, "%s sends not one datagram", scenario->name);
    memcpy(calls, interposer.calls, sizeof interposer.calls);
    expect(calls[SOCKET] == 1 && calls[SENDTO] == 1 + large && calls[CLOSE] == 1 && calls[SETSOCKOPT] == large,
           "%s takes %ld socket, %ld sendto, %ld setsockopt, %ld close", scenario->name, calls[SOCKET], calls[SENDTO],
           calls[SETSOCKOPT], calls[CLOSE]);
}

/* Positive control: the interposer must see the library's calls. */
static void expect_interposer_works(void)
{
    long calls[INTERPOSED_FUNCTIONS];
    run_without_fault(&scenarios[0], calls);
    expect(calls[MALLOC] > 0, "the interposer does not see malloc");
}

/* ---- for a library that crashes */

static struct {
    long cases, right, crashed, wrong;
} ends;

static void survey_case(const struct scenario *scenario, enum interposed_function function, long position, int number)
{
    int status;
    pid_t child = needed(fork(), "fork");
    if (child == 0) {
        checks_failed = 0;
        needed(open("/dev/null", O_WRONLY), "/dev/null");
        dup2(open("/dev/null", O_WRONLY), 2);
        run_case(scenario, function, position, number);
        _exit(checks_failed != 0);
    }
    needed(waitpid(child, &status, 0), "waitpid");
    datagrams();
    ends.cases++;
    ends.crashed += WIFSIGNALED(status);
    ends.right += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    ends.wrong += WIFEXITED(status) && WEXITSTATUS(status) != 0;
}

int main(int argc, char **argv)
{
    int survey = argc == 3 && strcmp(argv[2], "survey") == 0;
    long calls[INTERPOSED_FUNCTIONS], position, cases = 0;
    char folder[64];
    size_t i;
    int function, number;
    if (argc != 2 && !survey) {
        fputs("usage: faults LIBRARY [survey]\n", stderr);
        return 2;
    }
    lib = load_library(argv[1]);
    enter_scratch_folder(folder);
    receiver = bind_collector("collector");
    expect_interposer_works();
    for (i = 0; i < SCENARIOS; i++) {
        run_without_fault(&scenarios[i], calls);
        for (function = 0; function < INTERPOSED_FUNCTIONS; function++)
            for (position = 1; position <= calls[function]; position++)
                for (number = 0; number < ERRNOS; number++, cases++) {
                    if (function == SENDTO && scenarios[i].reason_size > 212960 && number == EMSGSIZE)
                        continue; /* the kernel returns this error itself */
                    (survey ? survey_case : run_case)(&scenarios[i], function, position, number);
                }
    }
    leave_scratch_folder(folder);
    if (survey) {
        printf("faults: %ld cases: %ld as documented, %ld ended by a signal, %ld otherwise\n", ends.cases, ends.right,
               ends.crashed, ends.wrong);
        return 0;
    }
    return closing_line_of("faults", cases);
}
