#include "common/site/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/path.h"
#include "common/link/crypt.h"
#include "common/link/db.h"

enum {
	NAME_BYTES = (CRYPT_ID_HEX - 1) / 2,
	NAME_LEN = CRYPT_ID_HEX - 1,
	FOLDER_LEN = 2,
	SWEEP_BATCH = 500,             /* keys asked about in one statement */
	EARLY_BYTES = 8 * 1024 * 1024, /* on their way to the disk at a time */
};

static const char PREFIX[] = "file:";

/* What errno means for the caller; the message never names a path. */
static bool
store_fail(struct err *e, const char *what)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
		return err_fail(
		    e, ERR_NO_SPACE, "There is no room left to store files.");
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
		return err_errno(e, ERR_UNAVAILABLE, "media store: %s", what);
	default:
		return err_errno(e, ERR_BUG, "media store: %s", what);
	}
}

static int
folder_open(int at, const char *name)
{
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Make the folder unless it is there, and open it.  The parent is flushed in
 * both cases: whoever made the folder may not have come so far. */
static bool
folder_make(int at, const char *name, int *ret_fd, struct err *e)
{
	int fd;

	if (mkdirat(at, name, 0750) != 0 && errno != EEXIST)
		return store_fail(e, "cannot make a folder");
	if (fsync(at) != 0)
		return store_fail(e, "cannot flush the folder");
	fd = folder_open(at, name);
	if (fd == -1)
		return store_fail(e, "cannot open a folder");
	*ret_fd = fd;
	return true;
}

bool
store_open(struct store *s, const char *setting, struct err *e)
{
	AUTO_FD dir = -1;
	const char *path;
	int tmp;

	if (strncmp(setting, PREFIX, sizeof(PREFIX) - 1) != 0 ||
	    setting[sizeof(PREFIX) - 1] == '\0')
		return err_fail(e, ERR_INVALID,
		    "MEDIA_STORE must be file:/dir, not \"%s\"", setting);
	path = setting + sizeof(PREFIX) - 1;
	(void)umask(027);
	if (!path_mkdirs(path, e))
		return false;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return err_errno(
		    e, ERR_INVALID, "MEDIA_STORE: cannot open \"%s\"", path);
	if (!folder_make(dir, "tmp", &tmp, e))
		return false;
	*s = (struct store){ .dir = dir, .tmp = tmp, .own = -1 };
	dir = -1;
	return true;
}

void
store_close(struct store *s)
{
	fd_close(&s->own);
	fd_close(&s->tmp);
	fd_close(&s->dir);
}

/* ---- a file on its way in ---- */

bool
store_begin(struct store *s, struct store_file *f, struct err *e)
{
	char name[CRYPT_ID_HEX];
	int fd;

	if (s->own == -1) {
		crypt_random_hex(FOLDER_LEN / 2, s->own_name);
		if (!folder_make(s->dir, s->own_name, &s->own, e))
			return false;
	}
	crypt_random_hex(NAME_BYTES, name);
	fd = openat(s->tmp, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd == -1)
		return store_fail(e, "cannot make a file");
	*f = (struct store_file){ .store = s, .fd = fd };
	(void)snprintf(f->key, sizeof(f->key), "%s/%s", s->own_name, name);
	return true;
}

/* A large file goes to the disk while the rest of it comes in, so that little
 * is left for fsync() to wait for.  It is a hint: what fails shows there. */
static void
write_early(struct store_file *f, size_t n)
{
	int64_t before = f->written / EARLY_BYTES * EARLY_BYTES;

	f->written += (int64_t)n;
	if (f->written - before >= EARLY_BYTES)
		(void)sync_file_range(
		    f->fd, before, f->written - before, SYNC_FILE_RANGE_WRITE);
}

bool
store_write(struct store_file *f, const void *p, size_t n, struct err *e)
{
	const char *at = p;
	size_t left = n;

	while (left > 0) {
		ssize_t done = write(f->fd, at, left);

		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return store_fail(e, "cannot write a file");
		at += done;
		left -= (size_t)done;
	}
	write_early(f, n);
	return true;
}

/* The file's name in tmp and in its folder. */
static const char *
name_of(const struct store_file *f)
{
	return f->key + FOLDER_LEN + 1;
}

bool
store_keep(struct store_file *f, struct err *e)
{
	struct store *s = f->store;
	int fd = f->fd;

	if (fsync(fd) != 0)
		return store_fail(e, "cannot flush a file");
	f->fd = -1;
	if (close(fd) != 0)
		return store_fail(e, "cannot close a file");
	if (renameat(s->tmp, name_of(f), s->own, name_of(f)) != 0)
		return store_fail(e, "cannot rename a file");
	f->kept = true;
	if (fsync(s->own) != 0)
		return store_fail(e, "cannot flush the folder");
	return true;
}

void
store_file_drop(struct store_file *f)
{
	struct store *s = f->store;

	fd_close(&f->fd);
	f->fd = -1;
	f->store = NULL;
	if (s != NULL)
		(void)unlinkat(f->kept ? s->own : s->tmp, name_of(f), 0);
}

void
store_file_leave(struct store_file *f)
{
	f->store = NULL;
}

/* ---- files that are there ---- */

static bool
is_hex(const char *p, size_t n)
{
	return strspn(p, "0123456789abcdef") == n;
}

bool
store_is_key(const char *text)
{
	return is_hex(text, FOLDER_LEN) && text[FOLDER_LEN] == '/' &&
	       is_hex(text + FOLDER_LEN + 1, NAME_LEN) &&
	       text[FOLDER_LEN + 1 + NAME_LEN] == '\0';
}

bool
store_read(struct store *s, const char *key, int *ret_fd, struct err *e)
{
	int fd;

	if (!store_is_key(key))
		return err_fail(e, ERR_BUG, "media store: not a key");
	fd = openat(s->dir, key, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return err_fail(e, ERR_NOT_FOUND, "Not Found");
	if (fd == -1)
		return store_fail(e, "cannot open a file");
	*ret_fd = fd;
	return true;
}

/* An offset that no file can have is behind the end of this one. */
bool
store_read_at(
    void *fd, int64_t at, void *p, size_t n, size_t *ret_n, struct err *e)
{
	size_t have = 0;

	while (have < n && at <= INT64_MAX - (int64_t)n) {
		ssize_t got = pread(*(const int *)fd, (char *)p + have,
		    n - have, at + (int64_t)have);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return store_fail(e, "cannot read a file");
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*ret_n = have;
	return true;
}

bool
store_remove(struct store *s, const char *key, struct err *e)
{
	char folder[FOLDER_LEN + 1];
	AUTO_FD fd = -1;

	if (!store_is_key(key))
		return err_fail(e, ERR_BUG, "media store: not a key");
	memcpy(folder, key, FOLDER_LEN);
	folder[FOLDER_LEN] = '\0';
	fd = folder_open(s->dir, folder);
	if (fd == -1 && errno == ENOENT)
		return true;
	if (fd == -1)
		return store_fail(e, "cannot open a folder");
	if (unlinkat(fd, key + FOLDER_LEN + 1, 0) != 0 && errno != ENOENT)
		return store_fail(e, "cannot remove a file");
	return true;
}

/* ---- the sweep ---- */

struct sweep {
	struct store *store;
	struct db *db;
	int64_t before_us; /* last changed at or before this: old */
	struct buf *keys;  /* array literal of old files, not yet asked */
	size_t nkeys;
	int64_t removed;
	int64_t kept;
};

static const char SQL_STORE_UNNAMED[] =
    "SELECT k.key "
    "FROM unnest($1::text[]) AS k(key) "
    "WHERE NOT EXISTS ("
    " SELECT FROM site.media m WHERE m.storage_key = k.key)"
    "AND NOT EXISTS ("
    " SELECT FROM site.media_size s WHERE s.storage_key = k.key)";

/* Ask which of the collected keys no row names, and remove those. */
static bool
sweep_ask(struct sweep *w, struct err *e)
{
	AUTO_ROWS *rows = NULL;
	int n;

	if (w->nkeys == 0)
		return true;
	db_array_end(w->keys);
	if (!buf_ok(w->keys, e) ||
	    !db_query(w->db, "store_unnamed", SQL_STORE_UNNAMED, 1,
		(const char *const[]){ w->keys->data }, &rows, e))
		return false;
	n = db_nrows(rows);
	for (int i = 0; i < n; i++)
		if (!store_remove(w->store, db_text(rows, i, 0), e))
			return false;
	w->removed += n;
	w->kept += (int64_t)w->nkeys - n;
	w->nkeys = 0;
	buf_clear(w->keys);
	return true;
}

/* One file of a folder; folder is "" for tmp, whose old files just go. */
static bool
sweep_file(struct sweep *w, int at, const char *folder, const char *name,
    struct err *e)
{
	char key[STORE_KEY_MAX];
	struct stat st;

	if (!is_hex(name, NAME_LEN) || name[NAME_LEN] != '\0')
		return true;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ||
		       store_fail(e, "cannot look at a file");
	if (!S_ISREG(st.st_mode))
		return true;
	if (st.st_mtim.tv_sec * 1000000LL + st.st_mtim.tv_nsec / 1000 >
	    w->before_us) {
		w->kept++;
		return true;
	}
	if (folder[0] == '\0') {
		if (unlinkat(at, name, 0) != 0 && errno != ENOENT)
			return store_fail(e, "cannot remove a file");
		w->removed++;
		return true;
	}
	(void)snprintf(key, sizeof(key), "%.2s/%.32s", folder, name);
	db_array_add(w->keys, key);
	w->nkeys++;
	return w->nkeys < SWEEP_BATCH || sweep_ask(w, e);
}

static void
dir_close(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

/* A folder that is not there has nothing to sweep. */
static bool
sweep_folder(struct sweep *w, const char *folder, struct err *e)
{
	CLEANUP(dir_close) DIR *d = NULL;
	bool tmp = strcmp(folder, "tmp") == 0;
	const struct dirent *entry;
	int fd = folder_open(w->store->dir, folder);

	if (fd == -1)
		return errno == ENOENT || store_fail(e, "cannot open a folder");
	d = fdopendir(fd);
	if (d == NULL) {
		fd_close(&fd);
		return store_fail(e, "cannot read a folder");
	}
	while (errno = 0, (entry = readdir(d)) != NULL)
		if (!sweep_file(
			w, dirfd(d), tmp ? "" : folder, entry->d_name, e))
			return false;
	return errno == 0 || store_fail(e, "cannot read a folder");
}

bool
store_sweep(struct store *s, struct db *db, int64_t min_age_ms,
    int64_t *ret_removed, int64_t *ret_kept, struct err *e)
{
	AUTO_BUF keys = BUF_INIT;
	struct sweep w = {
		.store = s,
		.db = db,
		.before_us = clock_wall_us() - min_age_ms * 1000,
		.keys = &keys,
	};
	char folder[FOLDER_LEN + 1];

	for (unsigned int i = 0; i < 256; i++) {
		(void)snprintf(folder, sizeof(folder), "%02x", i);
		if (!sweep_folder(&w, folder, e))
			return false;
	}
	if (!sweep_folder(&w, "tmp", e) || !sweep_ask(&w, e))
		return false;
	*ret_removed = w.removed;
	*ret_kept = w.kept;
	return true;
}
