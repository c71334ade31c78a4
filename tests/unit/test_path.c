/* Files and folders. */
#include "common/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static char folder[] = "/tmp/test_path.XXXXXX";

static const char *
in_folder(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static bool
put(const char *name, const char *text, size_t n)
{
	AUTO_FD fd = open(
	    in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err e;

	return fd != -1 && fd_write_all(fd, text, n, &e);
}

static void
test_read(void)
{
	static char large[100000];
	AUTO_BUF b = BUF_INIT;
	struct err e;

	memset(large, 'l', sizeof(large));
	buf_adds(&b, "before ");
	ok(put("a", "one\0two", 7) && path_read(in_folder("a"), 7, &b, &e) &&
		b.len == 14 && memcmp(b.data, "before one\0two", 15) == 0,
	    "a file's bytes are appended");
	ok(!path_read(in_folder("a"), 6, &b, &e) && e.code == ERR_TOO_LARGE &&
		b.len == 14,
	    "one byte over the limit: refused, the buffer as before");
	ok(!path_read(in_folder("none"), 6, &b, &e) && e.code == ERR_NOT_FOUND,
	    "a missing file is not found");
	ok(!path_read(folder, 6, &b, &e) && e.code == ERR_UNAVAILABLE,
	    "a folder is no file: %s", e.msg);
	buf_clear(&b);
	ok(put("l", large, sizeof(large)) &&
		path_read(in_folder("l"), sizeof(large), &b, &e) &&
		b.len == sizeof(large) && memcmp(b.data, large, b.len) == 0,
	    "a large file comes whole");
	buf_clear(&b);
	ok(put("e", "", 0) && path_read(in_folder("e"), 0, &b, &e) &&
		b.len == 0,
	    "an empty file is empty");
}

static void
test_write(void)
{
	AUTO_FD full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	AUTO_FD reading = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err e;

	ok(!fd_write_all(full, "x", 1, &e) && e.code == ERR_NO_SPACE,
	    "a full disk is told: %s", e.msg);
	ok(!fd_write_all(reading, "x", 1, &e) && e.code == ERR_UNAVAILABLE,
	    "so is a descriptor that is not for writing");
	ok(fd_write_all(reading, "x", 0, &e), "nothing to write succeeds");
}

static void
test_mkdirs(void)
{
	char cwd[PATH_MAX];
	struct stat st;
	struct err e;

	umask(022);
	ok(path_mkdirs(in_folder("d/e/f"), &e) &&
		stat(in_folder("d/e/f"), &st) == 0 && S_ISDIR(st.st_mode),
	    "a folder and its parents");
	is_int(st.st_mode & 07777, 0750, "its mode");
	ok(path_mkdirs(in_folder("d/e/f"), &e), "an existing one is fine");
	ok(path_mkdirs(in_folder("d/e/g/"), &e) &&
		stat(in_folder("d/e/g"), &st) == 0,
	    "a slash behind is fine");
	ok(path_mkdirs("/", &e), "the root exists");
	ok(put("file", "x", 1) && !path_mkdirs(in_folder("file/x"), &e) &&
		e.code == ERR_UNAVAILABLE,
	    "a file is in the way: %s", e.msg);
	ok(!path_mkdirs(in_folder("file"), &e), "and where it should be");
	ok(!path_mkdirs("", &e), "no name");
	if (getcwd(cwd, sizeof(cwd)) != NULL && chdir(folder) == 0) {
		ok(path_mkdirs("rel/ative", &e) && stat("rel/ative", &st) == 0,
		    "a relative path");
		rmdir("rel/ative");
		rmdir("rel");
		if (chdir(cwd) != 0)
			abort();
	}
}

static void
test_close(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), was = fd;

	errno = ENOSPC;
	fd_close(&fd);
	is_int(fd, -1, "a closed one is -1");
	is_int(errno, ENOSPC, "errno is kept");
	is_int(fcntl(was, F_GETFD), -1, "and it is closed");
	errno = 0;
	fd_close(&fd);
	is_int(errno, 0, "closing it again does nothing");
}

static void
test_self(const char *argv0)
{
	char *real = realpath(argv0, NULL), *dir = path_self_dir();

	*strrchr(real, '/') = '\0';
	is_text(dir, real, "the folder of this program");
	free(real);
	free(dir);
}

static void
remove_all(void)
{
	static const char *const names[] = { "a", "l", "e", "file" };
	static const char *const dirs[] = { "d/e/f", "d/e/g", "d/e", "d" };

	for (size_t i = 0; i < LEN(names); i++)
		(void)unlink(in_folder(names[i]));
	for (size_t i = 0; i < LEN(dirs); i++)
		(void)rmdir(in_folder(dirs[i]));
	(void)rmdir(folder);
}

int
main(int argc, char **argv)
{
	(void)argc;
	if (mkdtemp(folder) == NULL)
		return 1;
	test_read();
	test_write();
	test_mkdirs();
	test_close();
	test_self(argv[0]);
	remove_all();
	return done();
}
