#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#ifndef FICLONE
#define FICLONE _IOW(0x94, 9, int)
#endif

static void fill(const struct stat *s, struct cairn_file_stat *into) {
  into->size = (uint64_t)s->st_size;
  into->inode = s->st_ino;
  into->device = s->st_dev;
  into->links = s->st_nlink;
  into->modified_ns = (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec;
  into->changed_ns = (int64_t)s->st_ctim.tv_sec * 1000000000 + s->st_ctim.tv_nsec;
  into->mode = s->st_mode & 07777;
  into->uid = s->st_uid;
  into->gid = s->st_gid;
  into->kind = S_ISREG(s->st_mode) ? 0 : S_ISDIR(s->st_mode) ? 1 : S_ISLNK(s->st_mode) ? 2 : 3;
}

int cairn_statat(int folder, const char *name, int follow, struct cairn_file_stat *into) {
  struct stat s;
  int result;
  do result = fstatat(folder, name, &s, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  fill(&s, into);
  return 0;
}

int cairn_stat(const char *path, int follow, struct cairn_file_stat *into) {
  return cairn_statat(AT_FDCWD, path, follow, into);
}

int cairn_fstat(int descriptor, struct cairn_file_stat *into) {
  struct stat s;
  if (fstat(descriptor, &s) < 0) return -errno;
  fill(&s, into);
  return 0;
}

int cairn_openat(int folder, const char *name, int flags, unsigned mode) {
  int descriptor;
  do descriptor = openat(folder, name, flags | O_CLOEXEC, mode);
  while (descriptor < 0 && errno == EINTR);
  return descriptor < 0 ? -errno : descriptor;
}

int cairn_open(const char *path, int flags, unsigned mode) {
  return cairn_openat(AT_FDCWD, path, flags, mode);
}

int cairn_rename_new(int folder, const char *from, const char *to) {
  return renameat2(folder, from, folder, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int cairn_clone(int from, int to) { return ioctl(to, FICLONE, from) < 0 ? -errno : 0; }

int cairn_write_all(int descriptor, const void *bytes, size_t count) {
  const char *next = bytes;
  while (count > 0) {
    ssize_t written = write(descriptor, next, count);
    if (written < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    next += written;
    count -= (size_t)written;
  }
  return 0;
}

ssize_t cairn_write_quietly(int descriptor, const void *bytes, size_t count) {
  sigset_t pipe_signal, before, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  ssize_t written;
  do written = write(descriptor, bytes, count);
  while (written < 0 && errno == EINTR);
  ssize_t result = written < 0 ? -errno : written;
  // A SIGPIPE of this thread's own making is taken; one that somebody sent before is left.
  if (result == -EPIPE && !sigismember(&pending, SIGPIPE)) {
    struct timespec none = {0, 0};
    while (sigtimedwait(&pipe_signal, NULL, &none) < 0 && errno == EINTR) {}
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return result;
}

static int copy_through_buffer(int from, int to) {
  static const size_t capacity = 128 * 1024;
  char buffer[128 * 1024];
  for (;;) {
    ssize_t count = read(from, buffer, capacity);
    if (count == 0) return 0;
    if (count < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    int result = cairn_write_all(to, buffer, (size_t)count);
    if (result < 0) return result;
  }
}

int cairn_copy(int from, int to) {
  int any = 0;
  for (;;) {
    ssize_t count = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
    if (count > 0) {
      any = 1;
      continue;
    }
    // Some file systems (procfs, FUSE) answer 0 at once for files that do have bytes.
    if (count == 0) return any ? 0 : copy_through_buffer(from, to);
    if (errno == EINTR) continue;
    if (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG) return -errno;
    return copy_through_buffer(from, to);
  }
}

int cairn_filesystem_type(const char *path, uint64_t *into) {
  struct statfs s;
  int result;
  do result = statfs(path, &s);
  while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  *into = (uint64_t)(uint32_t)s.f_type;
  return 0;
}

int cairn_random(void *bytes, size_t count) {
  char *next = bytes;
  while (count > 0) {
    ssize_t got = getrandom(next, count, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    next += got;
    count -= (size_t)got;
  }
  return 0;
}

int cairn_syncfs(int descriptor) { return syncfs(descriptor) < 0 ? -errno : 0; }

// Swift's own list of arguments comes from /proc, which a bare root or a container may lack. The C library hands them
// to every constructor.
static int argument_count;
static char **argument_list;

__attribute__((constructor)) static void cairn_take_arguments(int count, char **list) {
  argument_count = count;
  argument_list = list;
}

int cairn_argument_count(void) { return argument_count; }
char *cairn_argument(int index) { return argument_list[index]; }

void cairn_tune_memory(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_TOP_PAD, 256 << 10);
#endif
}
