/// Signals as flags. A handler does nothing but set one; the second stop signal ends the process with 128 + number.
#ifndef CPROCESS_H
#define CPROCESS_H

#include <stdint.h>

/// Installs handlers for the stop signals USR1, USR2, TERM and INT, and for CONT. Returns 0 or an errno.
int32_t cprocess_install_signal_handlers(void);

/// The first stop signal received since the handlers were installed, 0 if none.
int32_t cprocess_stop_signal(void);

/// 1 if CONT has come since the last call, else 0. mpirun sends it a second before TERM.
int32_t cprocess_take_continue(void);

#endif
