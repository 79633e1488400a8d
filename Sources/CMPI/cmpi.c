#define _POSIX_C_SOURCE 200809L  // unlink and O_CLOEXEC under a strict C standard
#include "cmpi.h"

#if !__has_include(<mpi.h>)
#error "mpi.h not found: install Open MPI, on Debian and Ubuntu: apt-get install libopenmpi-dev openmpi-bin pkg-config"
#endif
#include <mpi.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(int) == 4, "MPI counts are 32-bit integers");
_Static_assert(CMPI_PIECE_BYTES <= INT_MAX, "a piece must fit the count of one message");
_Static_assert(CMPI_PIECE_BYTES % 8 == 0, "a piece holds whole 64-bit words");

/// A file of shared memory whose name this process has removed.
struct segment {
  struct segment *next;
  char path[];
};

struct cmpi_comm {
  MPI_Comm handle;
  int rank;
  int size;
  struct segment *segments;
};

/// Tag of the payload messages of a gather. Messages of one pair and tag keep their order, so pieces need no numbers.
static const int payload_tag = 1;

static int64_t piece_of(int64_t remaining, int64_t limit) { return remaining < limit ? remaining : limit; }

/// Removes the names of Open MPI's shared memory files once all ranks have mapped them, so that nothing stays behind however the job ends:
/// the memory goes with the last process. The files are those of this process's own mappings, whatever directory they are in.
static int hide_segments(cmpi_comm *comm) {
  int status = MPI_Barrier(comm->handle);
  if (status != MPI_SUCCESS) return status;
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) return MPI_SUCCESS;
  char line[PATH_MAX + 256];
  while (fgets(line, sizeof line, maps) != NULL) {
    char *path = strchr(line, '/');
    if (path == NULL) continue;
    path[strcspn(path, "\n")] = 0;
    const char *name = strrchr(path, '/') + 1;
    // Open MPI 4 and 5.
    if (strncmp(name, "vader_segment.", 14) != 0 && strncmp(name, "sm_segment.", 11) != 0) continue;
    size_t length = strlen(path) + 1;
    struct segment *segment = malloc(sizeof *segment + length);
    if (segment == NULL) break;
    memcpy(segment->path, path, length);
    // Of the ranks of a host one succeeds.
    if (unlink(path) != 0) {
      free(segment);
      continue;
    }
    segment->next = comm->segments;
    comm->segments = segment;
  }
  fclose(maps);
  return MPI_SUCCESS;
}

/// Gives the names back for a moment: MPI_Finalize removes them and complains about missing ones.
static int show_segments(cmpi_comm *comm) {
  while (comm->segments != NULL) {
    struct segment *segment = comm->segments;
    comm->segments = segment->next;
    int file = open(segment->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file >= 0) close(file);
    free(segment);
  }
  return MPI_Barrier(comm->handle);
}

int32_t cmpi_initialize(cmpi_comm **comm, int32_t *rank, int32_t *size) {
  int flag = 0;
  int status = MPI_Initialized(&flag);
  if (status != MPI_SUCCESS) return status;
  if (flag) return CMPI_ALREADY_USED;
  cmpi_comm *made = calloc(1, sizeof *made);
  if (made == NULL) return CMPI_OUT_OF_MEMORY;
  made->handle = MPI_COMM_NULL;

  int provided = MPI_THREAD_SINGLE;
  status = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
  if (status == MPI_SUCCESS && provided < MPI_THREAD_FUNNELED) status = CMPI_THREAD_LEVEL;
  if (status == MPI_SUCCESS) status = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  if (status == MPI_SUCCESS) status = MPI_Comm_dup(MPI_COMM_WORLD, &made->handle);
  if (status == MPI_SUCCESS) status = MPI_Comm_set_errhandler(made->handle, MPI_ERRORS_RETURN);
  if (status == MPI_SUCCESS) status = MPI_Comm_rank(made->handle, &made->rank);
  if (status == MPI_SUCCESS) status = MPI_Comm_size(made->handle, &made->size);
  if (status == MPI_SUCCESS) status = hide_segments(made);
  if (status != MPI_SUCCESS) {
    free(made);
    return status;
  }
  *comm = made;
  *rank = made->rank;
  *size = made->size;
  return CMPI_OK;
}

int32_t cmpi_finalize(cmpi_comm *comm) {
  int status = show_segments(comm);
  int freed = MPI_Comm_free(&comm->handle);
  if (status == MPI_SUCCESS) status = freed;
  free(comm);
  int ended = MPI_Finalize();
  return status != MPI_SUCCESS ? status : ended;
}

int32_t cmpi_library_version(char *text, int32_t capacity) {
  char buffer[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  int status = MPI_Get_library_version(buffer, &length);
  if (status != MPI_SUCCESS || capacity <= 0) return 0;
  return (int32_t)snprintf(text, (size_t)capacity, "%s", buffer);
}

int32_t cmpi_abort(cmpi_comm *comm, int32_t code) { return MPI_Abort(comm->handle, code); }

int32_t cmpi_broadcast(cmpi_comm *comm, void *data, int64_t bytes, int32_t root) {
  char *next = data;
  while (bytes > 0) {
    int64_t piece = piece_of(bytes, CMPI_PIECE_BYTES);
    int status = MPI_Bcast(next, (int)piece, MPI_BYTE, root, comm->handle);
    if (status != MPI_SUCCESS) return status;
    next += piece;
    bytes -= piece;
  }
  return CMPI_OK;
}

int32_t cmpi_bitwise_or(cmpi_comm *comm, uint64_t *words, int64_t count) {
  while (count > 0) {
    int64_t piece = piece_of(count, CMPI_PIECE_BYTES / 8);
    int status = MPI_Allreduce(MPI_IN_PLACE, words, (int)piece, MPI_UINT64_T, MPI_BOR, comm->handle);
    if (status != MPI_SUCCESS) return status;
    words += piece;
    count -= piece;
  }
  return CMPI_OK;
}

int32_t cmpi_gather_i64(cmpi_comm *comm, int64_t value, int64_t *values, int32_t root) {
  return MPI_Gather(&value, 1, MPI_INT64_T, values, 1, MPI_INT64_T, root, comm->handle);
}

int32_t cmpi_send(cmpi_comm *comm, const void *data, int64_t bytes, int32_t to) {
  const char *next = data;
  while (bytes > 0) {
    int64_t piece = piece_of(bytes, CMPI_PIECE_BYTES);
    int status = MPI_Send(next, (int)piece, MPI_BYTE, to, payload_tag, comm->handle);
    if (status != MPI_SUCCESS) return status;
    next += piece;
    bytes -= piece;
  }
  return CMPI_OK;
}

int32_t cmpi_receive(cmpi_comm *comm, void *data, int64_t bytes, int32_t from) {
  char *next = data;
  while (bytes > 0) {
    int64_t piece = piece_of(bytes, CMPI_PIECE_BYTES);
    MPI_Status received;
    int status = MPI_Recv(next, (int)piece, MPI_BYTE, from, payload_tag, comm->handle, &received);
    if (status != MPI_SUCCESS) return status;
    int got = 0;
    status = MPI_Get_count(&received, MPI_BYTE, &got);
    if (status != MPI_SUCCESS) return status;
    if (got != (int)piece) return MPI_ERR_TRUNCATE;
    next += piece;
    bytes -= piece;
  }
  return CMPI_OK;
}

int32_t cmpi_barrier(cmpi_comm *comm) { return MPI_Barrier(comm->handle); }

int32_t cmpi_error_text(int32_t status, char *text, int32_t capacity) {
  char buffer[MPI_MAX_ERROR_STRING] = "";
  const char *source = buffer;
  switch (status) {
    case CMPI_OK: source = "success"; break;
    case CMPI_OUT_OF_MEMORY: source = "out of memory"; break;
    case CMPI_THREAD_LEVEL: source = "this MPI offers less than MPI_THREAD_FUNNELED"; break;
    case CMPI_ALREADY_USED: source = "MPI was started before in this process"; break;
    default: {
      int length = 0;
      if (MPI_Error_string(status, buffer, &length) != MPI_SUCCESS) source = "unknown MPI error";
    }
  }
  if (capacity <= 0) return 0;
  size_t length = strlen(source);
  if (length > (size_t)capacity - 1) length = (size_t)capacity - 1;
  memcpy(text, source, length);
  text[length] = 0;
  return (int32_t)length;
}
