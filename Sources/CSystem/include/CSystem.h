// Calls of the operating system that Swift cannot see: variadic ones, macros, and those that glibc's module map omits.
#ifndef CAIRN_CSYSTEM_H
#define CAIRN_CSYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What the callers need of struct stat. Kind: 0 file, 1 directory, 2 symbolic link, 3 other.
struct cairn_file_stat {
  uint64_t size, inode, device, links;
  int64_t modified_ns, changed_ns;
  uint32_t mode, kind, uid, gid;
};

// All return 0 (or a descriptor, or a count), else the negative errno.
int cairn_stat(const char *path, int follow, struct cairn_file_stat *into);
int cairn_fstat(int descriptor, struct cairn_file_stat *into);
int cairn_statat(int folder, const char *name, int follow, struct cairn_file_stat *into);

// open(2) with O_CLOEXEC, restarted after EINTR.
int cairn_open(const char *path, int flags, unsigned mode);
int cairn_openat(int folder, const char *name, int flags, unsigned mode);

// renameat2(2) with RENAME_NOREPLACE, within one folder.
int cairn_rename_new(int folder, const char *from, const char *to);

// FICLONE: makes `to` share the blocks of `from`.
int cairn_clone(int from, int to);

// Copies all that is left of `from` to `to`: in the kernel where it can, else through a buffer.
int cairn_copy(int from, int to);

// Writes all of it, through short writes and interruptions.
int cairn_write_all(int descriptor, const void *bytes, size_t count);

// One write(2) to a pipe or terminal whose reader may be gone: -EPIPE then, and no signal. Gives the count.
ssize_t cairn_write_quietly(int descriptor, const void *bytes, size_t count);

// f_type of statfs(2) as an unsigned number.
int cairn_filesystem_type(const char *path, uint64_t *into);

// Waits until everything written to this descriptor's file system is on the disk.
int cairn_syncfs(int descriptor);

int cairn_random(void *bytes, size_t count);

// How many processors the scheduler may give to this process; 0 when it does not say.
int cairn_affinity_count(void);

// From here on a block of 1 MiB or more goes back to the system when it is freed. Else glibc, once it has seen such a
// block freed, keeps later ones in the heaps of single threads. Of small blocks up to 16 MiB are kept: else the end of the
// heap is given back and asked for again, page by page, between one record and the next.
void cairn_tune_memory(void);

// The process's environment: NULL-terminated, as environ(7).
char **cairn_environment(void);

// Columns and rows of a terminal.
int cairn_window_size(int descriptor, int *columns, int *rows);
int cairn_set_window_size(int descriptor, int columns, int rows);

// A new pseudo-terminal that passes output on as it is written. Gives its master (non-blocking), its slave, and the
// slave's path.
int cairn_open_terminal(int columns, int rows, int *master, int *slave, char *path, size_t capacity);

// What a child is made of. A descriptor below 0 leaves the parent's in place.
struct cairn_spawn {
  char *const *argv, *const *environment;
  const char *folder;       // NULL: the parent's
  int input, output, error; // duplicated onto 0, 1 and 2
  const char *terminal;     // opened as 0 in a new session, so that it is the controlling terminal; NULL: none
  int new_group;            // its own process group, numbered as its pid
  uint64_t default_signals; // bit n-1: signal n is set back to its default
};

// As posix_spawnp: `argv[0]` without a slash is looked for in PATH. All other descriptors from 3 on are closed in the
// child, no signal is blocked in it. Gives the pid.
int cairn_spawn(const struct cairn_spawn *request, pid_t *pid);

int cairn_pidfd_open(pid_t pid);

// A pipe, close-on-exec, of which the reading end does not block.
int cairn_pipe(int *reading, int *writing, int non_blocking);

// An epoll instance; `cairn_watch_add` adds readiness to read, reported once with `token`, and once more after each
// `cairn_watch_again`.
int cairn_watch_new(void);
int cairn_watch_add(int watch, int descriptor, uint64_t token);
int cairn_watch_again(int watch, int descriptor, uint64_t token);
// Waits until something is ready, and gives its tokens: at most 64; none when a signal came.
int cairn_watch_wait(int watch, uint64_t *tokens, int capacity);

struct cairn_exit {
  int ended;  // 0: it still runs
  int code;   // exit code, or -1
  int signal; // the signal that killed it, or 0
  int64_t user_us, system_us, peak_rss; // peak_rss in bytes
};
// wait4: takes the child's end when it has ended, else waits for it if `wait` is not 0.
int cairn_reap(pid_t pid, int wait, struct cairn_exit *into);

// Signals that are watched arrive as bytes (their numbers) in the descriptor that this opens; one at a time.
int cairn_signals_open(void);
// Begins (1) or ends (0) to watch a signal; -EALREADY when it was ignored from the start and stays so.
int cairn_signal_watch(int number, int on);

// Lets a terminal pass each key on at once, without echo; keys that make signals still do, and output is untouched.
// The state before is kept for `cairn_terminal_restore`, which may be called at any time, in a signal handler too.
int cairn_terminal_raw(int descriptor);
void cairn_terminal_restore(void);


/// The words of the command line as the C library got them, the program's name first.
int cairn_argument_count(void);
char *cairn_argument(int index);

#endif
