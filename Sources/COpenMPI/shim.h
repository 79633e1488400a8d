#ifndef COPENMPI_SHIM_H
#define COPENMPI_SHIM_H
#include <mpi.h>
#endif
