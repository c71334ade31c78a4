#include "functions/tasks/makeThumbnails/vips.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/num.h"
#include "common/base/path.h"
#include "common/runner/spawn.h"

enum {
	SIDE_MAX = 1000000000,
	HEAD_MAX = 64 * 1024, /* of what vipsheader writes */
	TURNED = 5,           /* orientations from here on lie on their side */
};

static const char HEADER[] = "/usr/bin/vipsheader";
static const char THUMBNAIL[] = "/usr/bin/vipsthumbnail";

static bool
await(int pid, const char *path, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, ERR_UNAVAILABLE, "waitpid");
	if (WIFSIGNALED(status))
		return err_fail(e, ERR_UNAVAILABLE, "%s was ended by SIG%s",
		    path, sigabbrev_np(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return err_fail(e, ERR_INVALID,
		    "the picture can't be read (%s, exit status %d)", path,
		    WEXITSTATUS(status));
	return true;
}

/* argv[0] is the program. */
static bool
run(const char *const argv[], int in, int out, struct err *e)
{
	char *const envp[] = { (char *)(uintptr_t) "PATH=/usr/bin:/bin",
		(char *)(uintptr_t) "LANG=C.UTF-8",
		(char *)(uintptr_t) "VIPS_BLOCK_UNTRUSTED=1",
		(char *)(uintptr_t) "VIPS_CONCURRENCY=1",
		(char *)(uintptr_t) "VIPS_WARNING=1", NULL };
	struct spawn s = { .path = argv[0],
		.argv = (char *const *)(uintptr_t)argv,
		.folder = "/",
		.envp = envp,
		.fds = { in, out, STDERR_FILENO },
		.nfds = 3 };
	int pid, pidfd;

	if (lseek(in, 0, SEEK_SET) != 0)
		return err_errno(e, ERR_UNAVAILABLE, "a picture's beginning");
	if (!spawn_start(&s, &pid, &pidfd, e))
		return false;
	fd_close(&pidfd);
	return await(pid, argv[0], e);
}

/* The number behind "name: ". */
static int64_t
field(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	int64_t n = 0;

	if (at == NULL || (at > text && at[-1] != '\n'))
		return 0;
	at += strlen(name);
	(void)!num_parse(at, strspn(at, "0123456789"), 0, SIDE_MAX, &n);
	return n;
}

bool
vips_look(int fd, struct vips_size *ret, struct err *e)
{
	const char *const argv[] = { HEADER, "-a", "stdin", NULL };
	AUTO_FD out = memfd_create("header", MFD_CLOEXEC);
	char text[HEAD_MAX];
	ssize_t n;

	if (out < 0)
		return err_errno(e, ERR_UNAVAILABLE, "could not make a file");
	if (!run(argv, fd, out, e))
		return false;
	n = pread(out, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	ret->width = field(text, "width: ");
	ret->height = field(text, "height: ");
	if (ret->width == 0 || ret->height == 0)
		return err_fail(e, ERR_INVALID, "the picture has no size");
	if (field(text, "orientation: ") >= TURNED)
		*ret = (struct vips_size){ ret->height, ret->width };
	return true;
}

bool
vips_shrink(int fd, int out, const char *extension, int width, int height,
    struct err *e)
{
	char size[40], to[40];
	const char *argv[] = { THUMBNAIL, "stdin", "--size", size,
		"--export-profile", "srgb", "-o", to, NULL, NULL, NULL };

	if (height == 0)
		(void)snprintf(size, sizeof(size), "%dx", width);
	else
		(void)snprintf(size, sizeof(size), "%dx%d", width, height);
	(void)snprintf(to, sizeof(to), "%s[strip]", extension);
	if (height != 0) {
		argv[8] = "--smartcrop";
		argv[9] = "centre";
	}
	return run(argv, fd, out, e);
}
