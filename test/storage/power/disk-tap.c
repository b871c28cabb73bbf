// Preloaded into a process of Node: writes down everything that reaches the files below one directory, in order, so that
// a test can cut the power at any point of it. It can also do to the process what disks do: hang, or be where it dies.
//
// QUORATE_TAP_DIR   what is watched, an absolute path
// QUORATE_TAP_LOG   where it is written down; a file whose name ends in "acks" is taken for what was promised
// QUORATE_TAP_STALL while this file is there, a sync does not return
// QUORATE_TAP_KILL  "3": instead of the third sync of a file the process dies
//
// A record: type (1 byte), length of path (2), offset or size (8), length of data (4), path, data; little-endian.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 'C', WRITE = 'W', TRUNCATE = 'T', SYNC = 'S', UNLINK = 'U', MKDIR = 'M' };
enum { MAX_FDS = 1024, MAX_PATH = 1024 };

static char *paths[MAX_FDS];
// Held from before something is done until it is written down, and by whoever kills the process: what was done before
// it died is written down, and nothing is half.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char *watched;
static long syncs_until_death;

#define REAL(result, name, ...)                                                                                        \
  static result (*real_##name)(__VA_ARGS__);                                                                           \
  if (real_##name == NULL) real_##name = dlsym(RTLD_NEXT, #name)

static int is_watched(const char *path) {
  size_t length = watched == NULL ? 0 : strlen(watched);
  if (length == 0 || strncmp(path, watched, length) != 0) return 0;
  size_t whole = strlen(path);
  // The index of the write-ahead log is made anew after a crash: what is in it does not count.
  return whole < MAX_PATH && !(whole > 4 && strcmp(path + whole - 4, "-shm") == 0);
}

static void record(char type, const char *path, uint64_t at, const void *data, uint32_t length) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  uint16_t path_length = (uint16_t)strlen(path);
  unsigned char head[15];
  head[0] = (unsigned char)type;
  memcpy(head + 1, &path_length, 2);
  memcpy(head + 3, &at, 8);
  memcpy(head + 11, &length, 4);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)path, path_length}, {(void *)data, length}};
  // A short one would garble all that follows.
  if (real_writev(log_fd, parts, 3) != (ssize_t)(sizeof head + path_length + length)) abort();
}

__attribute__((constructor)) static void start(void) {
  REAL(int, open, const char *, int, ...);
  const char *file = getenv("QUORATE_TAP_LOG");
  const char *kill_at = getenv("QUORATE_TAP_KILL");
  syncs_until_death = kill_at == NULL ? 0 : atol(kill_at);
  if (file == NULL) return;
  log_fd = real_open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  watched = getenv("QUORATE_TAP_DIR");
}

static const char *path_of(int fd) { return fd >= 0 && fd < MAX_FDS ? paths[fd] : NULL; }

/** Called with the mutex. */
static void opened(int fd, const char *path, int is_new) {
  if (fd < 0 || fd >= MAX_FDS) return;
  free(paths[fd]);
  paths[fd] = is_watched(path) ? strdup(path) : NULL;
  if (is_new && paths[fd] != NULL) record(CREATE, path, 0, NULL, 0);
}

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    REAL(int, name, const char *, int, ...);                                                                           \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;                                                   \
    va_end(rest);                                                                                                      \
    struct stat before;                                                                                                \
    pthread_mutex_lock(&mutex);                                                                                        \
    int is_new = (flags & O_CREAT) != 0 && is_watched(path) && stat(path, &before) != 0;                              \
    int fd = real_##name(path, flags, mode);                                                                           \
    opened(fd, path, is_new);                                                                                          \
    pthread_mutex_unlock(&mutex);                                                                                      \
    return fd;                                                                                                         \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  REAL(int, close, int);
  if (path_of(fd) != NULL) {
    pthread_mutex_lock(&mutex);
    free(paths[fd]);
    paths[fd] = NULL;
    pthread_mutex_unlock(&mutex);
  }
  return real_close(fd);
}

/** Called with the mutex. */
static ssize_t written(int fd, const void *data, ssize_t count, off_t at) {
  if (count > 0) record(WRITE, path_of(fd), (uint64_t)at, data, (uint32_t)count);
  return count;
}

ssize_t write(int fd, const void *data, size_t count) {
  REAL(ssize_t, write, int, const void *, size_t);
  if (path_of(fd) == NULL) return real_write(fd, data, count);
  pthread_mutex_lock(&mutex);
  off_t at = lseek(fd, 0, SEEK_CUR);
  ssize_t result = written(fd, data, real_write(fd, data, count), at);
  pthread_mutex_unlock(&mutex);
  return result;
}

#define PWRITE(name, offset_type)                                                                                      \
  ssize_t name(int fd, const void *data, size_t count, offset_type at) {                                               \
    REAL(ssize_t, name, int, const void *, size_t, offset_type);                                                       \
    if (path_of(fd) == NULL) return real_##name(fd, data, count, at);                                                  \
    pthread_mutex_lock(&mutex);                                                                                        \
    ssize_t result = written(fd, data, real_##name(fd, data, count, at), at);                                          \
    pthread_mutex_unlock(&mutex);                                                                                      \
    return result;                                                                                                     \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define FTRUNCATE(name, offset_type)                                                                                   \
  int name(int fd, offset_type size) {                                                                                 \
    REAL(int, name, int, offset_type);                                                                                 \
    if (path_of(fd) == NULL) return real_##name(fd, size);                                                             \
    pthread_mutex_lock(&mutex);                                                                                        \
    int result = real_##name(fd, size);                                                                                \
    if (result == 0) record(TRUNCATE, path_of(fd), (uint64_t)size, NULL, 0);                                           \
    pthread_mutex_unlock(&mutex);                                                                                      \
    return result;                                                                                                     \
  }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

/** A process that kills itself does so between two things: the last record is whole. */
int kill(pid_t pid, int signal) {
  REAL(int, kill, pid_t, int);
  if (pid != getpid() || signal != SIGKILL) return real_kill(pid, signal);
  pthread_mutex_lock(&mutex);
  return real_kill(pid, signal);
}

/** What is synced is simulated by the test: asking the machine's own disk would only take time. */
static int synced(int fd, int (*really)(int)) {
  const char *path = path_of(fd);
  if (path == NULL) return really(fd);
  struct stat found;
  const char *stall = getenv("QUORATE_TAP_STALL");
  while (stall != NULL && stat(stall, &found) == 0) usleep(10000);
  if (syncs_until_death > 0 && --syncs_until_death == 0) kill(getpid(), SIGKILL);
  pthread_mutex_lock(&mutex);
  record(SYNC, path, 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return 0;
}

int fsync(int fd) {
  REAL(int, fsync, int);
  return synced(fd, real_fsync);
}

int fdatasync(int fd) {
  REAL(int, fdatasync, int);
  return synced(fd, real_fdatasync);
}

int unlink(const char *path) {
  REAL(int, unlink, const char *);
  if (!is_watched(path)) return real_unlink(path);
  pthread_mutex_lock(&mutex);
  int result = real_unlink(path);
  if (result == 0) record(UNLINK, path, 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return result;
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  if (!is_watched(path)) return real_mkdir(path, mode);
  pthread_mutex_lock(&mutex);
  int result = real_mkdir(path, mode);
  if (result == 0) record(MKDIR, path, 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return result;
}
