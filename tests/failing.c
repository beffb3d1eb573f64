/* Loaded before the C library (LD_PRELOAD): the n-th call that opens, writes, cuts or syncs a
 * file whose path contains FAULT_PATH fails with EIO, and is noted in the file FAULT_NOTE.
 * FAULT_LASTS=1: and all later ones. Each process counts for itself. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int seen;

static int fails(const char *call, const char *path) {
    const char *part = getenv("FAULT_PATH"), *at = getenv("FAULT_AT");
    const char *note = getenv("FAULT_NOTE"), *lasts = getenv("FAULT_LASTS");
    if (!part || !at || !note || !path || !strstr(path, part)) return 0;
    int number = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST), first = atoi(at);
    if (number < first || (number > first && !(lasts && *lasts == '1'))) return 0;
    char line[5000];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    int file = NEXT(open64)(note, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file >= 0) {
        if (NEXT(write)(file, line, length) < 0) abort();
        close(file);
    }
    errno = EIO;
    return 1;
}

static int fails_on(const char *call, int file) {
    char link[40], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

#define OPENS(name)                                             \
    int name(const char *path, int flags, ...) {                \
        va_list more;                                           \
        va_start(more, flags);                                  \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
        va_end(more);                                           \
        return fails(#name, path) ? -1 : NEXT(name)(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

ssize_t write(int file, const void *data, size_t size) {
    return fails_on("write", file) ? -1 : NEXT(write)(file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    return fails_on("pwrite", file) ? -1 : NEXT(pwrite)(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return fails_on("pwrite64", file) ? -1 : NEXT(pwrite64)(file, data, size, at);
}

int ftruncate(int file, off_t size) {
    return fails_on("ftruncate", file) ? -1 : NEXT(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size) {
    return fails_on("ftruncate64", file) ? -1 : NEXT(ftruncate64)(file, size);
}

int fsync(int file) {
    return fails_on("fsync", file) ? -1 : NEXT(fsync)(file);
}

int fdatasync(int file) {
    return fails_on("fdatasync", file) ? -1 : NEXT(fdatasync)(file);
}
