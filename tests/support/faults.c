/* Preloaded into a run: refuses calls of one kind on paths that contain a word, from the FAULT_FIRST-th on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int refused(const char *kind, const char *path)
{
    static int seen;
    const char *wanted = getenv("FAULT_KIND"), *part = getenv("FAULT_PATH");
    if (!wanted || !part || !path || strcmp(kind, wanted) || !strstr(path, part))
        return 0;
    const char *last = getenv("FAULT_LAST");
    seen++;
    if (seen < atoi(getenv("FAULT_FIRST")) || (last && seen > atoi(last)))
        return 0;
    const char *log = getenv("FAULT_LOG");
    int descriptor = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (descriptor >= 0) {
        dprintf(descriptor, "%s %s\n", kind, path);
        close(descriptor);
    }
    errno = atoi(getenv("FAULT_ERRNO"));
    return 1;
}

static int refused_descriptor(const char *kind, int descriptor)
{
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return refused(kind, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *data, size_t length)
{
    return refused_descriptor("write", descriptor) ? -1 : NEXT(write)(descriptor, data, length);
}

int rename(const char *from, const char *to)
{
    return refused("rename", from) || refused("rename-to", to) ? -1 : NEXT(rename)(from, to);
}

int linkat(int from, const char *source, int to, const char *target, int flags)
{
    return refused_descriptor("link", to) ? -1 : NEXT(linkat)(from, source, to, target, flags);
}

int mkdir(const char *path, mode_t mode)
{
    return refused("mkdir", path) ? -1 : NEXT(mkdir)(path, mode);
}
