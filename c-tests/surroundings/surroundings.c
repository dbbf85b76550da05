/*
 * surroundings LIBRARY [root]
 *
 * Faults in the environment of a mail server's process and of the collector. Each case is a process of its own, in a
 * folder with a collector's socket. With "root", the cases that only root can set up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "checks.h"
#include "collector.h"
#include "loaded_events.h"
#include "seccomp.h"

#define NOBODY 65534

static struct library lib;
static int receiver;

static int received(void)
{
    char datagram[8192];
    int count = 0;
    while (recv(receiver, datagram, sizeof datagram, MSG_DONTWAIT) >= 0)
        count++;
    return count;
}

static struct tlsrpt_connection_t *open_connection(const char *name)
{
    struct tlsrpt_connection_t *con;
    int code = lib.open(&con, name);
    expect(code == 0, "open returns %d", code);
    return con;
}

/* Sends an event and expects this code; the datagram arrives if it is 0. */
static void expect_event(struct tlsrpt_connection_t *con, int expected)
{
    int code = send_event(&lib, con, "example.org", "expired");
    expect(code == expected, "an event returns %d, not %d", code, expected);
    expect(received() == (expected == 0), "the code is %d, but the datagram does not match it", code);
}

static void expect_close(struct tlsrpt_connection_t *con)
{
    int code = lib.close(&con);
    expect(code == 0, "close returns %d", code);
}

static void use(const char *name)
{
    struct tlsrpt_connection_t *con = open_connection(name);
    expect_event(con, 0);
    expect_close(con);
}

/* ---- the process */

/* A relative name follows the working directory, also of a connection that is open. */
static void changed_directory(void)
{
    struct tlsrpt_connection_t *con = open_connection("collector");
    expect_event(con, 0);
    needed(mkdir("elsewhere", 0755), "mkdir");
    needed(chdir("elsewhere"), "chdir");
    expect_event(con, TLSRPT_ERR_SENDTO + ENOENT);
    use("../collector");
    needed(chdir(".."), "chdir");
    expect_event(con, 0);
    expect_close(con);
}

static void all_descriptors_in_use(void)
{
    struct rlimit limit = {1024, 1024};
    struct tlsrpt_connection_t *con = open_connection("collector"), *more = (void *)&limit;
    int fd, last = -1, code;
    needed(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    while ((fd = dup(0)) >= 0)
        last = fd;
    expect(last == 1023, "the last descriptor is %d", last);
    expect_event(con, 0);
    code = lib.open(&more, "collector");
    expect(code == TLSRPT_ERR_SOCKET + EMFILE && more == NULL, "open returns %d", code);
    needed(close(last), "close");
    use("collector");
    expect_close(con);
}

/* A compiler removes an unused allocation and assumes that it succeeds. The volatile pointer prevents that. */
static void *(*volatile allocate)(size_t) = malloc;

/* Allocates all memory that the process can get, in smaller and smaller blocks. */
static void take_all_memory(void)
{
    size_t size;
    for (size = 1 << 20; size >= 16; size /= 2)
        while (allocate(size))
            ;
}

/* The process can get no more memory: no free block, and no further page. */
static void no_memory(void)
{
    struct rlimit limit = {4096, 4096};
    struct tlsrpt_connection_t *con = open_connection("collector"), *more = (void *)&limit;
    struct tlsrpt_dr_t *dr, *another = (void *)&limit;
    static char text[1 << 16];
    void *reserve = allocate(1 << 13);
    int code, codes[WRITE_EVENT_CALLS];
    memset(text, 'x', sizeof text - 1);
    code = lib.init_delivery_request(&dr, con, "example.org", "v=TLSRPTv1");
    expect(code == 0, "init returns %d", code);
    needed(setrlimit(RLIMIT_AS, &limit), "setrlimit");
    take_all_memory();
    code = lib.open(&more, "collector");
    expect(code == TLSRPT_ERR_MALLOC_OPENCON + ENOMEM && more == NULL, "open returns %d", code);
    code = lib.init_delivery_request(&another, con, "example.org", "v=TLSRPTv1");
    expect(code == TLSRPT_ERR_MALLOC_OPENDR + ENOMEM && another == NULL, "init returns %d", code);
    write_event(&lib, dr, text, codes);
    expect(codes[2] == 0 && codes[3] == TLSRPT_ERR_FPRINTF_ADDFAILURE + ENOMEM && codes[5] == codes[3],
           "the calls return %d, %d, %d", codes[2], codes[3], codes[5]);
    code = lib.finish_delivery_request(&dr);
    expect(code == TLSRPT_ERR_FPRINTF_ADDFAILURE + ENOMEM && dr == NULL, "finish returns %d", code);
    free(reserve);
    expect_event(con, 0);
    expect_close(con);
}

static void only_three_system_calls(void)
{
    struct tlsrpt_connection_t *con;
    int failed;
    free(allocate(1 << 14)); /* malloc asks the system for nothing from here on */
    allow_three_calls(MSG_DONTWAIT | MSG_NOSIGNAL);
    failed = lib.open(&con, "collector") != 0;
    failed += send_event(&lib, con, "example.org", "expired") != 0;
    failed += lib.close(&con) != 0;
    syscall(SYS_exit_group, failed);
}

/* ---- the collector */

static void collector_gone_and_back(void)
{
    struct tlsrpt_connection_t *con = open_connection("collector");
    expect_event(con, 0);
    close(receiver);
    receiver = -1;
    expect_event(con, TLSRPT_ERR_SENDTO + ECONNREFUSED);
    unlink("collector");
    expect_event(con, TLSRPT_ERR_SENDTO + ENOENT);
    receiver = bind_collector("collector");
    expect_event(con, 0);
    expect_close(con);
}

/* Another file is at the socket's path: an error. Once the collector is back, events arrive again. */
static void replaced(void (*by)(void), int code)
{
    struct tlsrpt_connection_t *con = open_connection("collector");
    expect_event(con, 0);
    unlink("collector");
    by();
    expect_event(con, code);
    expect(remove("collector") == 0, "cannot remove the file in place of the socket");
    receiver = bind_collector("collector");
    expect_event(con, 0);
    expect_close(con);
}

static void by_a_file(void)
{
    close(needed(open("collector", O_CREAT | O_WRONLY, 0644), "file"));
}

static void by_a_directory(void)
{
    needed(mkdir("collector", 0755), "mkdir");
}

static void by_a_stream_socket(void)
{
    struct sockaddr_un address = socket_address("collector");
    int fd = needed(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
    needed(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
    needed(listen(fd, 1), "listen");
}

static void by_a_dangling_link(void)
{
    needed(symlink("nowhere", "collector"), "symlink");
}

static void by_a_link_to_itself(void)
{
    needed(symlink("collector", "collector"), "symlink");
}

static void replaced_by_a_file(void)
{
    replaced(by_a_file, TLSRPT_ERR_SENDTO + ECONNREFUSED);
}

static void replaced_by_a_directory(void)
{
    replaced(by_a_directory, TLSRPT_ERR_SENDTO + ECONNREFUSED);
}

static void replaced_by_a_stream_socket(void)
{
    replaced(by_a_stream_socket, TLSRPT_ERR_SENDTO + EPROTOTYPE);
}

static void replaced_by_a_dangling_link(void)
{
    replaced(by_a_dangling_link, TLSRPT_ERR_SENDTO + ENOENT);
}

static void replaced_by_a_link_to_itself(void)
{
    replaced(by_a_link_to_itself, TLSRPT_ERR_SENDTO + ELOOP);
}

/* ---- cases that need root */

/* The new root has only the socket: no /proc, no /dev, no library to load. */
static void changed_root(void)
{
    struct tlsrpt_connection_t *con = open_connection("collector");
    needed(chroot("."), "chroot");
    needed(chdir("/"), "chdir");
    expect(access("/proc", F_OK) != 0 && access("/dev", F_OK) != 0, "there is a /proc or a /dev");
    use("/collector");
    expect_event(con, 0);
    expect_close(con);
}

/* Without /proc and /dev: empty folders are mounted over them. */
static void no_proc_and_no_dev(void)
{
    needed(unshare(CLONE_NEWNS), "unshare");
    needed(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount /");
    needed(mount("none", "/proc", "tmpfs", 0, NULL), "mount /proc");
    needed(mount("none", "/dev", "tmpfs", 0, NULL), "mount /dev");
    expect(access("/proc/self", F_OK) != 0 && access("/dev/null", F_OK) != 0, "there is a /proc or a /dev");
    use("collector");
}

static void become_nobody(void)
{
    needed(setgroups(0, NULL), "setgroups");
    needed(setgid(NOBODY), "setgid");
    needed(setuid(NOBODY), "setuid");
}

/* Opened as root, used by another user: the system checks the permission for each event. */
static void changed_user(void)
{
    struct tlsrpt_connection_t *con = open_connection("collector");
    needed(chmod(".", 0755), "chmod");
    needed(chmod("collector", 0666), "chmod");
    needed(mkdir("closed", 0700), "mkdir");
    needed(link("collector", "closed/collector"), "link");
    become_nobody();
    expect_event(con, 0);
    use("collector");
    expect_close(con);
    con = open_connection("closed/collector");
    expect_event(con, TLSRPT_ERR_SENDTO + EACCES);
    expect_close(con);
}

static void socket_of_another_user(void)
{
    struct tlsrpt_connection_t *con = open_connection("collector");
    needed(chmod(".", 0755), "chmod");
    needed(chmod("collector", 0600), "chmod");
    expect_event(con, 0);
    become_nobody();
    expect_event(con, TLSRPT_ERR_SENDTO + EACCES);
    expect_close(con);
}

struct surrounding {
    const char *name;
    void (*run)(void);
};

static const struct surrounding for_anyone[] = {
    {"a changed directory and a relative name", changed_directory},
    {"all 1,024 descriptors in use", all_descriptors_in_use},
    {"no memory", no_memory},
    {"a filter for all system calls but three", only_three_system_calls},
    {"the collector gone and back", collector_gone_and_back},
    {"the socket replaced by a file", replaced_by_a_file},
    {"the socket replaced by a directory", replaced_by_a_directory},
    {"the socket replaced by a stream socket", replaced_by_a_stream_socket},
    {"the socket replaced by a dangling link", replaced_by_a_dangling_link},
    {"the socket replaced by a link to itself", replaced_by_a_link_to_itself},
    {NULL, NULL},
};

static const struct surrounding for_root[] = {
    {"a changed root", changed_root},
    {"no /proc and no /dev", no_proc_and_no_dev},
    {"a changed user", changed_user},
    {"the socket of another user", socket_of_another_user},
    {NULL, NULL},
};

/* Runs a case in a process and a folder of its own. */
static void run(const struct surrounding *surrounding)
{
    char folder[64];
    int status;
    pid_t child;
    enter_scratch_folder(folder);
    child = needed(fork(), "fork");
    if (child == 0) {
        checks_failed = 0;
        receiver = bind_collector("collector");
        surrounding->run();
        _exit(checks_failed != 0);
    }
    needed(waitpid(child, &status, 0), "waitpid");
    leave_scratch_folder(folder);
    expect(status == 0, "%s: status %#x", surrounding->name, status);
    printf("surroundings: %s: %s\n", surrounding->name, status == 0 ? "ok" : "FAILED");
}

int main(int argc, char **argv)
{
    int root = argc == 3 && strcmp(argv[2], "root") == 0;
    const struct surrounding *surrounding;
    char file[4096];
    long cases = 0;
    if ((argc != 2 && !root) || !realpath(argv[1], file)) {
        fputs("usage: surroundings LIBRARY [root]\n", stderr);
        return 2;
    }
    if (root && geteuid() != 0) {
        fputs("surroundings: only root can set these up\n", stderr);
        return 2;
    }
    lib = load_library(file);
    setvbuf(stdout, NULL, _IONBF, 0);
    for (surrounding = root ? for_root : for_anyone; surrounding->name; surrounding++, cases++)
        run(surrounding);
    return closing_line_of("surroundings", cases);
}
