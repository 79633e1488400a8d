/// Stop signals as a flag. A handler does nothing but set it; the second stop signal ends the process with 128 + number.
#ifndef CPROCESS_H
#define CPROCESS_H

#include <stdint.h>

/// Installs handlers for USR1, USR2, TERM and INT. Returns 0 or an errno.
int32_t cprocess_install_stop_handlers(void);

/// The first stop signal received since the handlers were installed, 0 if none.
int32_t cprocess_stop_signal(void);

#endif
