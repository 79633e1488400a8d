/// A thin C layer over MPI with plain types only, so that Swift never sees `mpi.h` and its macros.
///
/// Every function returns a status: 0, an MPI error code (> 0), or one of the negative codes below; `cmpi_error_text` words it.
/// Errors return instead of ending the process (MPI_ERRORS_RETURN). All calls come from the thread that called `cmpi_initialize`
/// (MPI_THREAD_FUNNELED). Byte counts are 64-bit; longer payloads than one piece travel in several messages.
#ifndef CMPI_H
#define CMPI_H

#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// A private duplicate of MPI_COMM_WORLD.
typedef struct cmpi_comm cmpi_comm;

enum {
  CMPI_OK = 0,
  CMPI_OUT_OF_MEMORY = -1,
  CMPI_THREAD_LEVEL = -2,   // the library offers less than MPI_THREAD_FUNNELED
  CMPI_ALREADY_USED = -3,   // MPI was initialized or finalized before in this process
};

/// Bytes of one message; a multiple of 8.
#define CMPI_PIECE_BYTES ((int64_t)16 << 20)

/// Writes name and version of the MPI library into `text` (capacity bytes with the closing zero); may be called before it is started.
/// Returns the length, which is more than fits if it was cut.
int32_t cmpi_library_version(char *text, int32_t capacity);

/// Starts MPI and opens the world; names of shared memory files are removed, so that they cannot stay behind. On success `*comm` is
/// owned by the caller until `cmpi_finalize`.
int32_t cmpi_initialize(cmpi_comm *_Nullable *_Nonnull comm, int32_t *rank, int32_t *size);

/// Frees `comm` and ends MPI. Collective; no call may follow in this process.
int32_t cmpi_finalize(cmpi_comm *comm);

/// Ends all ranks with exit code `code`. Does not return unless MPI fails.
int32_t cmpi_abort(cmpi_comm *comm, int32_t code);

/// Copies `bytes` bytes at `data` from `root` to all ranks. `bytes` must be the same on all ranks.
int32_t cmpi_broadcast(cmpi_comm *comm, void *_Nullable data, int64_t bytes, int32_t root);

/// words[i] = OR over all ranks of words[i]. `count` must be the same on all ranks.
int32_t cmpi_bitwise_or(cmpi_comm *comm, uint64_t *_Nullable words, int64_t count);

/// `values[r]` on `root` = `value` of rank r; `values` is not touched elsewhere and may be null there.
int32_t cmpi_gather_i64(cmpi_comm *comm, int64_t value, int64_t *_Nullable values, int32_t root);

/// Sends `bytes` bytes to rank `to`, which receives the same number.
int32_t cmpi_send(cmpi_comm *comm, const void *_Nullable data, int64_t bytes, int32_t to);

/// Receives exactly `bytes` bytes from rank `from`.
int32_t cmpi_receive(cmpi_comm *comm, void *_Nullable data, int64_t bytes, int32_t from);

/// Returns when all ranks have called it.
int32_t cmpi_barrier(cmpi_comm *comm);

/// Writes the text of `status` into `text` (capacity bytes with the closing zero). Returns the length, cut to fit.
int32_t cmpi_error_text(int32_t status, char *text, int32_t capacity);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
