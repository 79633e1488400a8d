#define _POSIX_C_SOURCE 200809L  // sigaction under a strict C standard
#include "CProcess.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

// Lock-free atomics are the only data a handler may share with the program.
static volatile sig_atomic_t first_signal = 0;
static volatile sig_atomic_t continued = 0;

static void on_stop(int number) {
  if (first_signal != 0) {
    _exit(128 + number);
  }
  first_signal = number;
}

static void on_continue(int number) {
  (void)number;
  continued = 1;
}

static int install(int number, void (*handler)(int)) {
  struct sigaction action = {0};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  return sigaction(number, &action, NULL);
}

int32_t cprocess_install_signal_handlers(void) {
  static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (install(numbers[i], on_stop) != 0) { return errno; }
  }
  return install(SIGCONT, on_continue) == 0 ? 0 : errno;
}

int32_t cprocess_stop_signal(void) { return first_signal; }

int32_t cprocess_take_continue(void) {
  if (continued == 0) { return 0; }
  continued = 0;
  return 1;
}
