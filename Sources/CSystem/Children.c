#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

extern char **environ;

char **cairn_environment(void) { return environ; }

int cairn_affinity_count(void) {
  // The kernel refuses a set that is smaller than its own.
  for (int processors = 1024; processors <= 65536; processors *= 4) {
    cpu_set_t *set = CPU_ALLOC(processors);
    if (!set) return 0;
    size_t size = CPU_ALLOC_SIZE(processors);
    int result = sched_getaffinity(0, size, set);
    int count = result == 0 ? CPU_COUNT_S(size, set) : 0;
    int refused = result < 0 && errno == EINVAL;
    CPU_FREE(set);
    if (!refused) return count;
  }
  return 0;
}

int cairn_window_size(int descriptor, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) < 0) return -errno;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

int cairn_set_window_size(int descriptor, int columns, int rows) {
  struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
  return ioctl(descriptor, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int cairn_open_terminal(int columns, int rows, int *master, int *slave, char *path, size_t capacity) {
  int opened = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (opened < 0) return -errno;
  int other = -1, code;
  if (grantpt(opened) < 0 || unlockpt(opened) < 0) goto failed;
  if ((code = ptsname_r(opened, path, capacity)) != 0) {
    close(opened);
    return -code;
  }
  other = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (other < 0) goto failed;
  struct termios mode;
  if (tcgetattr(other, &mode) < 0) goto failed;
  mode.c_oflag &= ~(tcflag_t)OPOST;
  if (tcsetattr(other, TCSANOW, &mode) < 0) goto failed;
  if (columns > 0) cairn_set_window_size(opened, columns, rows);
  if (fcntl(opened, F_SETFL, O_RDWR | O_NONBLOCK) < 0) goto failed;
  *master = opened;
  *slave = other;
  return 0;
failed:
  code = -errno;
  close(opened);
  if (other >= 0) close(other);
  return code;
}

// A shell with its three descriptors: what every stage starts. `posix_spawn` maps a stack for each child, which the other
// threads' processors must be told of, and asks for the state of all 64 signals.
static int spawn_simply(const struct cairn_spawn *request, pid_t *pid) {
  sigset_t all, none, before;
  sigfillset(&all);
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  volatile int code = 0;
  pid_t child = vfork();
  if (child == 0) {
    // The memory is the parent's: nothing here may change more of it than `code`.
    if (request->new_group) setpgid(0, 0);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 32; number++)
      if (request->default_signals >> (number - 1) & 1) sigaction(number, &standard, NULL);
    if ((request->input < 0 || dup2(request->input, 0) >= 0) && (request->output < 0 || dup2(request->output, 1) >= 0) &&
        (request->error < 0 || dup2(request->error, 2) >= 0) && syscall(SYS_close_range, 3, ~0u, 0) == 0 &&
        (!request->folder || chdir(request->folder) == 0)) {
      sigprocmask(SIG_SETMASK, &none, NULL);
      execve(request->argv[0], request->argv, request->environment);
    }
    code = errno;
    _exit(127);
  }
  if (child < 0) code = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0) {
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return -code;
  }
  *pid = child;
  return 0;
}

static int is_simple(const struct cairn_spawn *request) {
  // A descriptor that is one of the targets would need an order.
  return request->argv[0][0] == '/' && !request->terminal && (request->input < 0 || request->input > 2) &&
         (request->output < 0 || request->output > 2) && (request->error < 0 || request->error > 2);
}

// Dispatch gives its threads a niceness of their own where it may, which a child would inherit: it gets the process's.
static void take_niceness_of_process(void) {
  // The number of the process is its first thread's, which Dispatch leaves alone.
  static _Atomic int known, own;
  if (!known) {
    own = getpriority(PRIO_PROCESS, (id_t)getpid());
    known = 1;
  }
  int wanted = own;
  if (getpriority(PRIO_PROCESS, 0) != wanted) setpriority(PRIO_PROCESS, 0, wanted);
}

int cairn_spawn(const struct cairn_spawn *request, pid_t *pid) {
  take_niceness_of_process();
  if (is_simple(request)) {
    int result = spawn_simply(request, pid);
    // A script without `#!` and a kernel without close_range are for the library.
    if (result != -ENOEXEC && result != -ENOSYS) return result;
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&actions);
  if (code != 0) return -code;
  code = posix_spawnattr_init(&attributes);
  if (code != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return -code;
  }
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (int number = 1; number < 32; number++)
    if (request->default_signals >> (number - 1) & 1) sigaddset(&defaults, number);
  if (request->terminal)
    flags |= POSIX_SPAWN_SETSID;
  else if (request->new_group)
    flags |= POSIX_SPAWN_SETPGROUP;
  code = posix_spawnattr_setflags(&attributes, flags);
  if (code == 0) code = posix_spawnattr_setsigmask(&attributes, &none);
  if (code == 0) code = posix_spawnattr_setsigdefault(&attributes, &defaults);
  if (code == 0) code = posix_spawnattr_setpgroup(&attributes, 0);
  if (code == 0 && request->input >= 0) code = posix_spawn_file_actions_adddup2(&actions, request->input, 0);
  if (code == 0 && request->output >= 0) code = posix_spawn_file_actions_adddup2(&actions, request->output, 1);
  if (code == 0 && request->error >= 0) code = posix_spawn_file_actions_adddup2(&actions, request->error, 2);
  // A session leader without a terminal gets the first one that it opens.
  if (code == 0 && request->terminal)
    code = posix_spawn_file_actions_addopen(&actions, 0, request->terminal, O_RDWR, 0);
  if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (code == 0 && request->folder) code = posix_spawn_file_actions_addchdir_np(&actions, request->folder);
  if (code == 0) code = posix_spawnp(pid, request->argv[0], &actions, &attributes, request->argv, request->environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return -code;
}

int cairn_pidfd_open(pid_t pid) {
  long descriptor = syscall(SYS_pidfd_open, pid, 0);
  return descriptor < 0 ? -errno : (int)descriptor;
}

int cairn_pipe(int *reading, int *writing, int non_blocking) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  if (non_blocking && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
    int code = -errno;
    close(ends[0]);
    close(ends[1]);
    return code;
  }
  *reading = ends[0];
  *writing = ends[1];
  return 0;
}

int cairn_watch_new(void) {
  int watch = epoll_create1(EPOLL_CLOEXEC);
  return watch < 0 ? -errno : watch;
}

int cairn_watch_add(int watch, int descriptor, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = token};
  return epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event) < 0 ? -errno : 0;
}

int cairn_watch_again(int watch, int descriptor, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = token};
  return epoll_ctl(watch, EPOLL_CTL_MOD, descriptor, &event) < 0 ? -errno : 0;
}

int cairn_watch_wait(int watch, uint64_t *tokens, int capacity) {
  struct epoll_event events[64];
  if (capacity > 64) capacity = 64;
  int count = epoll_wait(watch, events, capacity, -1);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
  return count;
}

int cairn_reap(pid_t pid, int wait, struct cairn_exit *into) {
  int status;
  struct rusage usage;
  pid_t result;
  do result = wait4(pid, &status, wait ? 0 : WNOHANG, &usage);
  while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  into->ended = result == pid;
  if (!into->ended) return 0;
  into->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  into->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  into->user_us = (int64_t)usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec;
  into->system_us = (int64_t)usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
  into->peak_rss = (int64_t)usage.ru_maxrss * 1024;
  return 0;
}
