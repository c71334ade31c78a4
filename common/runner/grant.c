#include "common/runner/grant.h"

#include <sys/mman.h>

#include "common/base/path.h"
#include "common/link/conf.h"

static bool
add(struct grant *g, const char *name, const char *value, struct err *e)
{
	int fd = memfd_create("setting", MFD_CLOEXEC);

	if (fd < 0)
		return err_errno(
		    e, ERR_UNAVAILABLE, "could not hand over a setting");
	g->fds[g->n] = fd;
	(void)snprintf(g->vars[g->n], sizeof(g->vars[0]),
	    "%s_FILE=/proc/self/fd/%zu", name, SPAWN_FDS + g->n);
	g->n++;
	return fd_write_all(fd, value, strlen(value), e);
}

bool
grant_open(const char *names, struct grant *ret, struct err *e)
{
	const char *p = names == NULL ? "" : names;

	while (*p != '\0') {
		char name[TASK_SETTING_MAX + 1];
		size_t n = strcspn(p, " ");
		const char *value;

		if (n > TASK_SETTING_MAX || ret->n == GRANT_MAX)
			return err_fail(
			    e, ERR_BUG, "a task asks for settings like none");
		(void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
		value = conf_named(name);
		if (value != NULL && !add(ret, name, value, e))
			return false;
		p += p[n] == ' ' ? n + 1 : n;
	}
	return true;
}

void
grant_close(struct grant *g)
{
	for (size_t i = 0; i < g->n; i++)
		fd_close(&g->fds[i]);
	g->n = 0;
}
