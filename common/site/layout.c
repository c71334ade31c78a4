#include "common/site/layout.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/link/crypt.h"
#include "common/link/js.h"

enum {
	BLOCK_ID_BYTES = 12, /* of a new id, before hex */
	BLOCK_ID_MAX = 64,   /* characters of an id that a client sent */
};

static const int64_t ID_MAX = INT64_C(9007199254740991);

/* Where in the layout we are: "layout.2.columns.0".  One that is too long is
 * cut behind a whole character, as err.field is. */
struct path {
	char text[ERR_FIELD_MAX];
};

static struct path
path_key(const struct path *at, const char *key)
{
	struct path p = *at;
	size_t n = strlen(p.text);

	(void)snprintf(p.text + n, sizeof(p.text) - n, ".%s", key);
	buf_utf8_trim(p.text);
	return p;
}

static struct path
path_index(const struct path *at, size_t i)
{
	char key[24];

	(void)snprintf(key, sizeof(key), "%zu", i);
	return path_key(at, key);
}

static bool
is_gallery(struct json_object *block)
{
	const char *type = js_text_of(js_get(block, "blockType"));

	return type != NULL && strcmp(type, "gallery") == 0;
}

/* ---- apart ---- */

struct split {
	struct json_object *galleries; /* array of what was taken out */
	struct json_object *seen;      /* keys: block ids of galleries */
	struct err *e;
};

/* An id for a block without one; an id of a client's must be a text. */
static bool
block_id(struct json_object *block, const struct path *at, struct err *e)
{
	struct json_object *id = js_get(block, "id");
	const char *text = js_text_of(id);
	char fresh[2 * BLOCK_ID_BYTES + 1];

	if (id == NULL) {
		crypt_random_hex(BLOCK_ID_BYTES, fresh);
		js_set_text(block, "id", fresh);
		return true;
	}
	if (!is_gallery(block) ||
	    (text != NULL && text[0] != '\0' && strlen(text) <= BLOCK_ID_MAX))
		return true;
	return err_field(e, path_key(at, "id").text,
	    "A block's id is a text of 1 to %d characters.", BLOCK_ID_MAX);
}

/* An id, or a document that has one. */
static bool
image_id(struct json_object *image, const struct path *at, int64_t *ret,
    struct err *e)
{
	struct json_object *id =
	    js_is_object(image) ? js_get(image, "id") : image;

	if (!js_is_int(id) || js_int_of(id) < 1 || js_int_of(id) > ID_MAX)
		return err_field(
		    e, at->text, "An image is the id of a media document.");
	*ret = js_int_of(id);
	return true;
}

/* Copy the ids of images to ids; none may be there twice. */
static bool
images_take(struct json_object *images, const struct path *at,
    struct json_object *ids, struct err *e)
{
	AUTO_JS *seen = js_new_object();

	for (size_t i = 0; i < js_len(images); i++) {
		struct path here = path_index(at, i);
		char key[24];
		int64_t id = 0;

		if (!image_id(js_at(images, i), &here, &id, e))
			return false;
		(void)snprintf(key, sizeof(key), "%lld", (long long)id);
		if (js_get(seen, key) != NULL)
			return err_field(e, here.text,
			    "Media %s is in this gallery twice.", key);
		js_set_bool(seen, key, true);
		js_add(ids, js_new_int(id));
	}
	return true;
}

/* What the gallery block says, checked, into row. */
static bool
gallery_read(struct json_object *block, const struct path *at,
    struct json_object *row, struct err *e)
{
	struct json_object *sync = js_get(block, "autoSyncMedia");
	struct json_object *images = js_get(block, "images");
	struct json_object *as_of = js_get(block, "imagesAsOf");
	struct json_object *ids;
	struct path here = path_key(at, "images");

	if (sync != NULL && !js_is_bool(sync))
		return err_field(e, path_key(at, "autoSyncMedia").text,
		    "This field must be true or false.");
	if (as_of != NULL && !js_is_text(as_of))
		return err_field(e, path_key(at, "imagesAsOf").text,
		    "This is not a value that a page was read with.");
	js_set(row, "auto", sync == NULL ? NULL : js_ref(sync));
	js_set(row, "asOf", as_of == NULL ? NULL : js_ref(as_of));
	if (images == NULL)
		return true;
	if (!js_is_array(images))
		return err_field(e, here.text, "This field must be a list.");
	ids = js_new_array();
	js_set(row, "images", ids);
	return images_take(images, &here, ids, e);
}

static bool
gallery_take(struct split *s, struct json_object *block, const struct path *at)
{
	const char *id = js_text_of(js_get(block, "id"));
	struct json_object *row;

	if (js_get(s->seen, id) != NULL)
		return err_field(s->e, path_key(at, "id").text,
		    "Another gallery of this page has the same id.");
	js_set_bool(s->seen, id, true);
	row = js_new_object();
	js_add(s->galleries, row);
	js_set_text(row, "block", id);
	js_set_text(row, "path", at->text);
	if (!gallery_read(block, at, row, s->e))
		return false;
	js_del(block, "autoSyncMedia");
	js_del(block, "images");
	js_del(block, "imagesAsOf");
	return true;
}

static bool split_value(
    struct split *s, struct json_object *v, const struct path *at);

struct split_key {
	struct split *split;
	const struct path *at;
	bool ok;
};

static bool
split_member(const char *key, struct json_object *v, void *ctx)
{
	struct split_key *k = ctx;
	struct path here = path_key(k->at, key);

	k->ok = split_value(k->split, v, &here);
	return k->ok;
}

/* Recursion is bounded by JS_DEPTH_MAX, which the parser enforced. */
static bool
split_value(struct split *s, struct json_object *v, const struct path *at)
{
	struct split_key k = { .split = s, .at = at, .ok = true };

	if (js_is_array(v)) {
		for (size_t i = 0; i < js_len(v); i++) {
			struct path here = path_index(at, i);

			if (!split_value(s, js_at(v, i), &here))
				return false;
		}
		return true;
	}
	if (!js_is_object(v))
		return true;
	if (js_is_text(js_get(v, "blockType")) && !block_id(v, at, s->e))
		return false;
	if (is_gallery(v) && !gallery_take(s, v, at))
		return false;
	js_each(v, split_member, &k);
	return k.ok;
}

/* The outermost must be blocks. */
static bool
check_blocks(struct json_object *layout, struct err *e)
{
	static const struct path root = { "layout" };

	if (!js_is_array(layout))
		return err_field(e, root.text, "This field must be a list.");
	for (size_t i = 0; i < js_len(layout); i++) {
		struct path here = path_index(&root, i);

		if (!js_is_object(js_at(layout, i)))
			return err_field(
			    e, here.text, "A block must be an object.");
		if (!js_is_text(js_get(js_at(layout, i), "blockType")))
			return err_field(e, path_key(&here, "blockType").text,
			    "A block must have a blockType.");
	}
	return true;
}

bool
layout_split(struct json_object *layout, struct json_object **ret_galleries,
    struct err *e)
{
	static const struct path root = { "layout" };
	AUTO_JS *galleries = js_new_array();
	AUTO_JS *seen = js_new_object();
	struct split s = { .galleries = galleries, .seen = seen, .e = e };

	if (!check_blocks(layout, e) || !split_value(&s, layout, &root))
		return false;
	*ret_galleries = js_ref(galleries);
	return true;
}

/* ---- together ---- */

struct join {
	struct json_object *galleries;
	const char *as_of;
};

static void
gallery_put(const struct join *j, struct json_object *block)
{
	const char *id = js_text_of(js_get(block, "id"));
	struct json_object *row = id == NULL ? NULL : js_get(j->galleries, id);
	struct json_object *images = js_get(row, "images");

	js_set_bool(
	    block, "autoSyncMedia", js_bool_of(js_get(row, "autoSyncMedia")));
	js_set(
	    block, "images", images == NULL ? js_new_array() : js_ref(images));
	js_set_text(block, "imagesAsOf", j->as_of);
}

static bool join_member(const char *key, struct json_object *v, void *ctx);

static void
join_value(struct join *j, struct json_object *v)
{
	if (js_is_array(v))
		for (size_t i = 0; i < js_len(v); i++)
			join_value(j, js_at(v, i));
	if (!js_is_object(v))
		return;
	/* Before the gallery gets its images: those are no blocks. */
	js_each(v, join_member, j);
	if (is_gallery(v))
		gallery_put(j, v);
}

static bool
join_member(const char *key UNUSED, struct json_object *v, void *ctx)
{
	join_value(ctx, v);
	return true;
}

void
layout_join(struct json_object *layout, struct json_object *galleries,
    const char *as_of)
{
	struct join j = { .galleries = galleries, .as_of = as_of };

	join_value(&j, layout);
}
