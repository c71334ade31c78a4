/* Files and paths. */
#include "common/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024, DIR_MODE = 0750, SHARED_MODE = 0660 };

void
fd_close(int *fd)
{
	int saved = errno;

	/* Linux frees the descriptor even when close() says EINTR. */
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

static ssize_t
read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

static bool
read_rest(
    int fd, const char *path, size_t max_bytes, struct buf *ret, struct err *e)
{
	size_t start = ret->len;

	for (;;) {
		ssize_t got;

		if (!buf_reserve(ret, CHUNK))
			return buf_ok(ret, e);
		got = read_some(fd, ret->data + ret->len, CHUNK);
		if (got < 0)
			return err_errno(
			    e, ERR_UNAVAILABLE, "could not read \"%s\"", path);
		if (got == 0)
			return true;
		ret->len += (size_t)got;
		ret->data[ret->len] = '\0';
		if (ret->len - start > max_bytes)
			return err_fail(e, ERR_TOO_LARGE,
			    "\"%s\" is larger than %zu bytes", path, max_bytes);
	}
}

bool
path_read(const char *path, size_t max_bytes, struct buf *ret, struct err *e)
{
	size_t start = ret->len;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return err_errno(e,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
		    "could not open \"%s\"", path);
	if (read_rest(fd, path, max_bytes, ret, e))
		return true;
	if (ret->len > start) {
		ret->len = start;
		ret->data[start] = '\0';
	}
	return false;
}

bool
fd_write_all(int fd, const void *p, size_t n, struct err *e)
{
	const char *at = p;

	while (n > 0) {
		ssize_t wrote = write(fd, at, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return err_errno(e,
			    errno == ENOSPC || errno == EDQUOT
				? ERR_NO_SPACE
				: ERR_UNAVAILABLE,
			    "could not write %zu bytes", n);
		at += wrote;
		n -= (size_t)wrote;
	}
	return true;
}

static bool
make_dir(const char *path, struct err *e)
{
	struct stat st;

	if (mkdir(path, DIR_MODE) == 0)
		return true;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	return err_errno(e,
	    errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : ERR_UNAVAILABLE,
	    "could not make folder \"%s\"", path);
}

bool
path_mkdirs(const char *path, struct err *e)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return err_fail(e, ERR_UNAVAILABLE,
		    "cannot make a folder of a name of %zu bytes", n);
	memcpy(part, path, n + 1);
	for (char *slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!make_dir(part, e))
			return false;
		*slash = '/';
	}
	return part[n - 1] == '/' || make_dir(part, e);
}

static int
open_folder(const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && path_mkdirs(path, e))
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static int
make_shared(int dir, const char *name)
{
	int fd = openat(
	    dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, SHARED_MODE);
	struct stat st;

	if (fd >= 0 && geteuid() == 0 && fstat(dir, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
	if (fd >= 0)
		(void)fchmod(fd, SHARED_MODE);
	return fd;
}

bool
path_open_shared(const char *dir, const char *name, int *ret_fd, struct err *e)
{
	AUTO_FD folder = open_folder(dir, e);
	int fd = -1;

	if (folder < 0)
		return err_errno(e, ERR_UNAVAILABLE,
		    "could not open the folder \"%s\"", dir);
	fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		fd = make_shared(folder, name);
	if (fd < 0)
		return err_errno(
		    e, ERR_UNAVAILABLE, "could not open \"%s/%s\"", dir, name);
	*ret_fd = fd;
	return true;
}

char *
path_self_dir(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return NULL;
	/* The root keeps its only slash. */
	return strndup(exe, slash == exe ? 1 : (size_t)(slash - exe));
}
