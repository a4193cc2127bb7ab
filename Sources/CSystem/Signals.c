#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>

static _Atomic int writing_end = -1;
static _Atomic pid_t owner = 0;

// Async-signal-safe: one write into a pipe that does not block; a full one has told enough.
static void pass_on(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  // A child that shares our memory until its program starts is told for itself.
  int descriptor = getpid() == atomic_load(&owner) ? atomic_load(&writing_end) : -1;
  if (descriptor >= 0 && write(descriptor, &byte, 1) < 0) {}
  errno = saved;
}

int cairn_signals_open(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -errno;
  // The one before is not closed: a handler may be about to write into it.
  atomic_store(&writing_end, ends[1]);
  atomic_store(&owner, getpid());
  return ends[0];
}

int cairn_signal_watch(int number, int on) {
  struct sigaction before, action = {.sa_flags = SA_RESTART};
  if (sigaction(number, NULL, &before) < 0) return -errno;
  if (on && before.sa_handler == SIG_IGN) return -EALREADY;
  action.sa_handler = on ? pass_on : SIG_DFL;
  sigfillset(&action.sa_mask);
  if (!on) sigemptyset(&action.sa_mask);
  return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

static struct termios kept;
static _Atomic int kept_for = -1;

int cairn_terminal_raw(int descriptor) {
  struct termios mode;
  if (tcgetattr(descriptor, &mode) < 0) return -errno;
  kept = mode;
  atomic_store(&kept_for, descriptor);
  mode.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON);
  mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  return tcsetattr(descriptor, TCSADRAIN, &mode) < 0 ? -errno : 0;
}

void cairn_terminal_restore(void) {
  int descriptor = atomic_exchange(&kept_for, -1);
  if (descriptor >= 0) tcsetattr(descriptor, TCSADRAIN, &kept);
}
