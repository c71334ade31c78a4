/*
 * makeThumbnails {"mediaId": n}: the smaller forms of a picture, beside it in
 * the store and in the document's "sizes".
 *
 * Once more does nothing while all of them are there.  Output {"mediaId",
 * "made"}, and "skipped" with why when there was nothing to be done: a picture
 * that has been deleted, or a file that is none.
 *
 * Bytes are durable before a row names them, as with uploads; what no row comes
 * to name is swept.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/link/conf.h"
#include "common/link/crypt.h"
#include "common/link/db.h"
#include "common/link/js.h"
#include "common/runner/handler.h"
#include "common/site/media_type.h"
#include "common/site/size.h"
#include "functions/tasks/makeThumbnails/vips.h"

enum { FILE_MAX = 64 * 1024 * 1024 }; /* bytes of one that is made */

/* Those of Payload's example of an upload collection.  height 0: as it comes;
 * else as much of the middle as fills both. */
static const struct size {
	const char *name;
	int width, height;
} sizes[] = {
	{ "thumbnail", 400, 300 },
	{ "card", 768, 1024 },
	{ "tablet", 1024, 0 },
};

struct work {
	struct handler *h;
	int64_t media_id;
	struct store store;
	struct db *db;
	struct size_source source;
	const struct media_type *type;
	int fd; /* the picture */
	struct vips_size is;
	struct store_file files[LEN(sizes)];
	struct json_object *list; /* what is to be recorded */
	int64_t made;
};

static void
work_release(struct work *w)
{
	for (size_t i = 0; i < LEN(sizes); i++)
		store_file_drop(&w->files[i]);
	js_free(&w->list);
	size_source_release(&w->source);
	db_free(w->db);
	fd_close(&w->fd);
	store_close(&w->store);
}

static bool
done(struct work *w, const char *skipped)
{
	w->h->output = js_new_object();
	js_set_int(w->h->output, "mediaId", w->media_id);
	js_set_int(w->h->output, "made", w->made);
	if (skipped != NULL)
		js_set_text(w->h->output, "skipped", skipped);
	return true;
}

/* --- before --------------------------------------------------------------- */

static bool
open_all(struct work *w, struct err *e)
{
	const char *url = conf_text("DATABASE_URL_MAKETHUMBNAILS", NULL);
	const char *store = conf_text("MEDIA_STORE", NULL);
	struct rlimit most = { FILE_MAX, FILE_MAX };

	if (url == NULL)
		return handler_misset(w->h, e,
		    "DATABASE_URL_MAKETHUMBNAILS or DATABASE_URL must be set");
	/* A relative one is the runner's, and this is not its folder. */
	if (store == NULL || strncmp(store, "file:/", 6) != 0)
		return handler_misset(
		    w->h, e, "MEDIA_STORE must be set, as file:/dir");
	(void)setrlimit(RLIMIT_FSIZE, &most);
	w->db = db_new(url, conf_pooled(), "makeThumbnails");
	return crypt_init(e) && store_open(&w->store, store, e);
}

static bool
is_picture(const struct media_type *t)
{
	return t != NULL && strncmp(t->mime, "image/", 6) == 0;
}

static bool
is_size(const char *key, struct json_object *v UNUSED, void *ctx)
{
	size_t *n = ctx;

	for (size_t i = 0; i < LEN(sizes); i++)
		*n += strcmp(sizes[i].name, key) == 0;
	return true;
}

/* Is each size recorded, and its file there? */
static bool
is_there(struct work *w)
{
	const char *text = w->source.keys;
	AUTO_JS *keys = NULL;
	size_t n = 0;
	struct err e;

	if (!js_parse_object(text, strlen(text), &keys, &e))
		return false;
	if (!js_each(keys, is_size, &n) || n != LEN(sizes))
		return false;
	for (size_t i = 0; i < LEN(sizes); i++) {
		const char *key = js_text_of(js_get(keys, sizes[i].name));
		AUTO_FD fd = -1;

		if (key != NULL && !store_read(&w->store, key, &fd, &e))
			return false;
	}
	return true;
}

/* Before anything is decoded; an upload was checked alike, but a row can come
 * by other ways. */
static bool
check_size(const struct vips_size *s, struct err *e)
{
	if (s->width <= PICTURE_SIDE_MAX && s->height <= PICTURE_SIDE_MAX &&
	    s->width * s->height <= PICTURE_PIXELS_MAX)
		return true;
	return err_fail(e, ERR_TOO_LARGE,
	    "a picture of %lld x %lld pixels is too large", (long long)s->width,
	    (long long)s->height);
}

/* --- one size ------------------------------------------------------------- */

/* A picture that is no larger is not made larger. */
static bool
is_larger(const struct vips_size *is, const struct size *s)
{
	return is->width > s->width ||
	       (s->height != 0 && is->height > s->height);
}

/* photo.jpg becomes photo-400x300.jpg. */
static void
set_name(struct json_object *o, const struct work *w, int width, int height)
{
	const char *name = w->source.filename;
	const char *dot = strrchr(name, '.');
	AUTO_BUF text = BUF_INIT;

	if (dot == NULL || dot == name)
		dot = name + strlen(name);
	buf_add(&text, name, (size_t)(dot - name));
	buf_addf(&text, "-%dx%d%s", width, height, dot);
	js_set_text(o, "filename", text.data);
}

/* What was written, as the file itself has it. */
static bool
describe(struct json_object *o, struct work *w, const struct store_file *f,
    struct err *e)
{
	AUTO_FD fd = -1;
	struct stat st;
	struct picture is;

	if (!store_read(&w->store, f->key, &fd, e))
		return false;
	if (fstat(fd, &st) != 0)
		return err_errno(e, ERR_UNAVAILABLE, "could not read a file");
	if (!picture_look(w->type->picture, store_read_at, &fd, &is, e))
		return false;
	js_set_text(o, "key", f->key);
	js_set_text(o, "mimeType", w->type->mime);
	js_set_int(o, "filesize", st.st_size);
	js_set_int(o, "width", is.width);
	js_set_int(o, "height", is.height);
	set_name(o, w, (int)is.width, (int)is.height);
	return true;
}

static bool
make(struct work *w, size_t i, struct err *e)
{
	struct json_object *o = js_new_object();
	struct store_file *f = &w->files[i];
	char extension[16];

	js_set_text(o, "name", sizes[i].name);
	js_add(w->list, o);
	if (!is_larger(&w->is, &sizes[i]))
		return true;
	(void)snprintf(
	    extension, sizeof(extension), ".%s", w->type->extensions[0]);
	w->made++;
	return store_begin(&w->store, f, e) &&
	       vips_shrink(w->fd, f->fd, extension, sizes[i].width,
		   sizes[i].height, e) &&
	       store_keep(f, e) && describe(o, w, f, e);
}

/* --- all of them ---------------------------------------------------------- */

/* Files that rows named before. */
static void
remove_unused(struct work *w, struct json_object *unused)
{
	struct err e;

	for (size_t i = 0; i < js_len(unused); i++)
		if (!store_remove(&w->store, js_text_of(js_at(unused, i)), &e))
			(void)fprintf(stderr, "left to the sweep: %s\n", e.msg);
}

static bool
record(struct work *w, struct err *e)
{
	AUTO_JS *unused = NULL;
	bool recorded;

	if (!size_record(w->db, w->media_id, w->source.key, w->list, &recorded,
		&unused, e)) {
		/* A row may name them. */
		for (size_t i = 0; i < LEN(sizes) && e->sqlstate[0] == '\0';
		     i++)
			store_file_leave(&w->files[i]);
		return false;
	}
	if (!recorded) {
		w->made = 0;
		return done(w, "deleted");
	}
	for (size_t i = 0; i < LEN(sizes); i++)
		store_file_leave(&w->files[i]);
	remove_unused(w, unused);
	return done(w, NULL);
}

static bool
work(struct work *w, struct err *e)
{
	if (!size_source(w->db, w->media_id, &w->source, e))
		return false;
	if (w->source.rows == NULL)
		return done(w, "deleted");
	w->type = media_type_of_mime(w->source.mime);
	if (!is_picture(w->type))
		return done(w, "not a picture");
	if (is_there(w))
		return done(w, "there");
	if (!store_read(&w->store, w->source.key, &w->fd, e)) {
		/* Perhaps it is just being deleted: the row goes first. */
		e->code = ERR_UNAVAILABLE;
		return false;
	}
	if (!vips_look(w->fd, &w->is, e) || !check_size(&w->is, e))
		return false;
	w->list = js_new_array();
	for (size_t i = 0; i < LEN(sizes); i++)
		if (!make(w, i, e))
			return false;
	return record(w, e);
}

static bool
handle(struct handler *h, struct err *e)
{
	CLEANUP(work_release)
	struct work w = {
		.h = h, .fd = -1, .store = { .dir = -1, .tmp = -1, .own = -1 }
	};

	for (size_t i = 0; i < LEN(sizes); i++)
		w.files[i] = (struct store_file)STORE_FILE_INIT;
	if (!js_int(h->input, "mediaId", 0, 1, INT64_MAX, &w.media_id, e) ||
	    !open_all(&w, e))
		return false;
	if (work(&w, e))
		return true;
	return e->code == ERR_NOT_FOUND ? handler_misset(h, e, "%s", e->msg)
					: false;
}

int
main(void)
{
	return handler_main("makeThumbnails", handle);
}
