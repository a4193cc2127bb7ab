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

// FICLONE: makes `to` share the blocks of `from`.
int cairn_clone(int from, int to);

// Copies all that is left of `from` to `to`: in the kernel where it can, else through a buffer.
int cairn_copy(int from, int to);

// Writes all of it, through short writes and interruptions.
int cairn_write_all(int descriptor, const void *bytes, size_t count);

// f_type of statfs(2) as an unsigned number.
int cairn_filesystem_type(const char *path, uint64_t *into);

// Waits until everything written to this descriptor's file system is on the disk.
int cairn_syncfs(int descriptor);

int cairn_random(void *bytes, size_t count);

#endif
