/* The media store on a real folder: what is there after each step, and after
 * each step that fails. */
#include "common/site/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/link/crypt.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/afterwork-store.XXXXXX";

static const struct {
	const char *text;
	bool key;
} keys[] = {
	{ "ab/0123456789abcdef0123456789abcdef", true },
	{ "00/00000000000000000000000000000000", true },
	{ "", false },
	{ "ab", false },
	{ "ab/", false },
	{ "AB/0123456789abcdef0123456789abcdef", false },
	{ "ab/0123456789abcdef0123456789abcde", false },
	{ "ab/0123456789abcdef0123456789abcdef0", false },
	{ "ab/0123456789abcdef0123456789abcde/", false },
	{ "../0123456789abcdef0123456789abcdef", false },
	{ "ab/../ab/6789abcdef0123456789abcdef", false },
	{ "abc0123456789abcdef0123456789abcdef", false },
};

static void
test_keys(void)
{
	for (size_t i = 0; i < LEN(keys); i++)
		ok(store_is_key(keys[i].text) == keys[i].key, "%s key: \"%s\"",
		    keys[i].key ? "a" : "no", keys[i].text);
}

static const char *
path_of(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

/* Files below the folder, two levels deep. */
static int
files_in(const char *path, int depth)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	int n = 0;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		char below[512];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    below, sizeof(below), "%s/%s", path, entry->d_name);
		if (entry->d_type != DT_DIR)
			n++;
		else if (depth > 0)
			n += files_in(below, depth - 1);
	}
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static void
test_settings(void)
{
	static const char *const wrong[] = { "", "file:", "s3://bucket/x",
		"/srv/media", "FILE:/srv" };
	struct store s;
	struct err e;

	for (size_t i = 0; i < LEN(wrong); i++) {
		e = (struct err){ .code = ERR_NONE };
		ok(!store_open(&s, wrong[i], &e) && e.code == ERR_INVALID &&
			strstr(e.msg, "MEDIA_STORE must be file:/dir") != NULL,
		    "refused: \"%s\"", wrong[i]);
	}
}

static void
test_life(struct store *s)
{
	AUTO_STORE_FILE f = STORE_FILE_INIT;
	struct stat st;
	struct err e;

	ok(store_begin(s, &f, &e) && store_write(&f, "hello", 5, &e) &&
		store_write(&f, " there", 6, &e),
	    "a file is begun and written");
	is_int(files_in(path_of("tmp"), 0), 1, "it is in tmp");
	ok(store_is_key(f.key), "its key is one: %s", f.key);
	ok(store_keep(&f, &e), "it is kept");
	is_int(files_in(path_of("tmp"), 0), 0, "tmp is empty");
	ok(stat(path_of(f.key), &st) == 0 && st.st_size == 11,
	    "the bytes are under the key");
	is_int(st.st_mode & 07777, 0640, "mode of a file");
	ok(stat(path_of("tmp"), &st) == 0, "there is a folder tmp");
	is_int(st.st_mode & 07777, 0750, "mode of a folder");
	store_file_leave(&f);
	store_file_drop(&f);
	is_int(files_in(top, 1), 1, "a file that was left stays");
	ok(store_remove(s, f.key, &e), "its row's end removes it");
	is_int(files_in(top, 1), 0, "nothing is left");
	ok(store_remove(s, f.key, &e), "once more is fine");
	ok(store_remove(s, "zz/x", &e) == false && e.code == ERR_BUG,
	    "what is no key is never a path");
}

static void
test_drops(struct store *s)
{
	struct store_file f = STORE_FILE_INIT;
	struct err e;

	store_file_drop(&f);
	ok(store_begin(s, &f, &e) && files_in(top, 1) == 1, "begun");
	store_file_drop(&f);
	is_int(files_in(top, 1), 0, "dropped while written");
	ok(store_begin(s, &f, &e) && store_write(&f, "x", 1, &e) &&
		store_keep(&f, &e) && files_in(top, 1) == 1,
	    "kept");
	store_file_drop(&f);
	is_int(files_in(top, 1), 0, "dropped after it was kept");
	store_file_drop(&f);
	ok(store_begin(s, &f, &e) && unlink(path_of("tmp/none")) != 0 &&
		unlinkat(s->tmp, f.key + 3, 0) == 0 && !store_keep(&f, &e) &&
		e.code == ERR_BUG && strchr(e.msg, '/') == NULL,
	    "a rename that fails is an error without a path: %s", e.msg);
	store_file_drop(&f);
}

/* A symbolic link in the place of a folder is not followed. */
static void
test_links(struct store *s)
{
	char at[256];
	struct err e;

	(void)snprintf(at, sizeof(at), "%s", path_of("fe"));
	if (!ok(symlink("/tmp", at) == 0, "a link is planted"))
		return;
	ok(!store_remove(s, "fe/0123456789abcdef0123456789abcdef", &e),
	    "and not followed");
	(void)unlink(at);
}

/* The file may not grow further: what a full disk does, by another errno. */
static void
test_write_fails(struct store *s)
{
	struct rlimit was, none;
	struct store_file f = STORE_FILE_INIT;
	struct err e;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (!ok(full != -1 && store_begin(s, &f, &e), "a file to write"))
		return;
	(void)dup3(full, f.fd, O_CLOEXEC);
	(void)close(full);
	ok(!store_write(&f, "x", 1, &e) && e.code == ERR_NO_SPACE,
	    "a full disk is said so: %s", e.msg);
	store_file_drop(&f);
	is_int(files_in(top, 1), 0, "and nothing is left");

	(void)getrlimit(RLIMIT_NOFILE, &was);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = was.rlim_max };
	(void)setrlimit(RLIMIT_NOFILE, &none);
	ok(!store_begin(s, &f, &e) && e.code == ERR_UNAVAILABLE,
	    "no descriptor left: try again later");
	(void)setrlimit(RLIMIT_NOFILE, &was);
}

int
main(void)
{
	struct store s;
	struct err e;
	char setting[64];
	char *made = mkdtemp(top);

	if (made == NULL || !crypt_init(&e))
		return 1;
	(void)snprintf(setting, sizeof(setting), "file:%s", top);
	test_keys();
	test_settings();
	if (ok(store_open(&s, setting, &e), "the store opens")) {
		test_life(&s);
		test_drops(&s);
		test_links(&s);
		test_write_fails(&s);
		(void)rmdir(path_of(s.own_name));
		store_close(&s);
	}
	(void)rmdir(path_of("tmp"));
	ok(rmdir(top) == 0, "the folder holds nothing else");
	return done();
}
