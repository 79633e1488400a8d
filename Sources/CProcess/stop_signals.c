#define _POSIX_C_SOURCE 200809L  // sigaction under a strict C standard
#include "CProcess.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

// Lock-free atomics are the only data a handler may share with the program.
static volatile sig_atomic_t first_signal = 0;

static void on_stop(int number) {
  if (first_signal != 0) {
    _exit(128 + number);
  }
  first_signal = number;
}

int32_t cprocess_install_stop_handlers(void) {
  static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
  struct sigaction action = {0};
  action.sa_handler = on_stop;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (sigaction(numbers[i], &action, NULL) != 0) { return errno; }
  }
  return 0;
}

int32_t cprocess_stop_signal(void) { return first_signal; }
