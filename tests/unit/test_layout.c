/* Layouts: taken apart, put together, and every way to be refused. */
#include "common/site/layout.h"

#include "common/link/crypt.h"
#include "common/link/js.h"
#include "tests/unit/tap.h"

static struct json_object *
parse(const char *text)
{
	struct json_object *v = NULL;
	struct err e;

	if (!js_parse(text, strlen(text), &v, &e)) {
		printf("Bail out!  %s: %s\n", text, e.msg);
		exit(1);
	}
	return v;
}

static const struct {
	const char *what, *layout, *stored, *galleries;
} splits[] = {
	{ "empty", "[]", "[]", "[]" },
	{ "other blocks stay as they were sent",
	    "[{\"blockType\":\"t\",\"id\":\"a\",\"x\":[1,{\"y\":null}]}]",
	    "[{\"blockType\":\"t\",\"id\":\"a\",\"x\":[1,{\"y\":null}]}]",
	    "[]" },
	{ "images of another block are its own",
	    "[{\"blockType\":\"t\",\"id\":\"a\",\"images\":[\"x\"],"
	    "\"autoSyncMedia\":7}]",
	    "[{\"blockType\":\"t\",\"id\":\"a\",\"images\":[\"x\"],"
	    "\"autoSyncMedia\":7}]",
	    "[]" },
	{ "a gallery gives up what are rows, and keeps the rest",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\",\"autoSyncMedia\":true,"
	    "\"images\":[3,1],\"imagesAsOf\":\"1:1:\",\"caption\":\"c\"}]",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\",\"caption\":\"c\"}]",
	    "[{\"block\":\"g\",\"path\":\"layout.0\",\"auto\":true,"
	    "\"asOf\":\"1:1:\",\"images\":[3,1]}]" },
	{ "documents stand for their ids",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\","
	    "\"images\":[{\"id\":5,\"alt\":\"x\"},6]}]",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\"}]",
	    "[{\"block\":\"g\",\"path\":\"layout.0\",\"auto\":null,"
	    "\"asOf\":null,\"images\":[5,6]}]" },
	{ "what a gallery does not say, and null, is left as it is",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\",\"images\":null}]",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\"}]",
	    "[{\"block\":\"g\",\"path\":\"layout.0\",\"auto\":null,"
	    "\"asOf\":null}]" },
	{ "galleries at any depth",
	    "[{\"blockType\":\"c\",\"id\":\"a\",\"columns\":[{\"in\":{"
	    "\"blockType\":\"gallery\",\"id\":\"g\",\"images\":[]}},"
	    "[[{\"blockType\":\"gallery\",\"id\":\"h\"}]]]}]",
	    "[{\"blockType\":\"c\",\"id\":\"a\",\"columns\":[{\"in\":{"
	    "\"blockType\":\"gallery\",\"id\":\"g\"}},"
	    "[[{\"blockType\":\"gallery\",\"id\":\"h\"}]]]}]",
	    "[{\"block\":\"g\",\"path\":\"layout.0.columns.0.in\","
	    "\"auto\":null,\"asOf\":null,\"images\":[]},"
	    "{\"block\":\"h\",\"path\":\"layout.0.columns.1.0.0\","
	    "\"auto\":null,\"asOf\":null}]" },
	{ "a gallery within a gallery",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\",\"more\":["
	    "{\"blockType\":\"gallery\",\"id\":\"h\"}]}]",
	    "[{\"blockType\":\"gallery\",\"id\":\"g\",\"more\":["
	    "{\"blockType\":\"gallery\",\"id\":\"h\"}]}]",
	    "[{\"block\":\"g\",\"path\":\"layout.0\",\"auto\":null,"
	    "\"asOf\":null},{\"block\":\"h\",\"path\":\"layout.0.more.0\","
	    "\"auto\":null,\"asOf\":null}]" },
};

#define GALLERY(rest) "[{\"blockType\":\"gallery\",\"id\":\"g\"," rest "}]"

static const struct {
	const char *layout, *field;
} refused[] = {
	{ "{}", "layout" },
	{ "\"x\"", "layout" },
	{ "[1]", "layout.0" },
	{ "[[]]", "layout.0" },
	{ "[{}]", "layout.0.blockType" },
	{ "[{\"blockType\":\"t\"},{\"blockType\":1}]", "layout.1.blockType" },
	{ "[{\"blockType\":\"gallery\",\"id\":7}]", "layout.0.id" },
	{ "[{\"blockType\":\"gallery\",\"id\":\"\"}]", "layout.0.id" },
	{ GALLERY("\"autoSyncMedia\":\"true\""), "layout.0.autoSyncMedia" },
	{ GALLERY("\"autoSyncMedia\":1"), "layout.0.autoSyncMedia" },
	{ GALLERY("\"imagesAsOf\":1"), "layout.0.imagesAsOf" },
	{ GALLERY("\"images\":{}"), "layout.0.images" },
	{ GALLERY("\"images\":7"), "layout.0.images" },
	{ GALLERY("\"images\":[1,\"2\"]"), "layout.0.images.1" },
	{ GALLERY("\"images\":[1,null]"), "layout.0.images.1" },
	{ GALLERY("\"images\":[0]"), "layout.0.images.0" },
	{ GALLERY("\"images\":[-1]"), "layout.0.images.0" },
	{ GALLERY("\"images\":[1.5]"), "layout.0.images.0" },
	{ GALLERY("\"images\":[9007199254740992]"), "layout.0.images.0" },
	{ GALLERY("\"images\":[{\"alt\":\"\"}]"), "layout.0.images.0" },
	{ GALLERY("\"images\":[4,5,6,5]"), "layout.0.images.3" },
	{ GALLERY("\"images\":[4,{\"id\":4}]"), "layout.0.images.1" },
	{ "[{\"blockType\":\"t\",\"in\":[{\"blockType\":\"gallery\","
	  "\"images\":[1,1]}]}]",
	    "layout.0.in.0.images.1" },
	{ "[{\"blockType\":\"gallery\",\"id\":\"g\"},{\"blockType\":\"t\","
	  "\"in\":{\"blockType\":\"gallery\",\"id\":\"g\"}}]",
	    "layout.1.in.id" },
};

static void
test_splits(void)
{
	for (size_t i = 0; i < LEN(splits); i++) {
		AUTO_JS *layout = parse(splits[i].layout);
		AUTO_JS *galleries = NULL;
		AUTO_BUF stored = BUF_INIT;
		AUTO_BUF taken = BUF_INIT;
		struct err e = { .code = ERR_NONE };

		if (!ok(layout_split(layout, &galleries, &e), "split: %s",
			splits[i].what))
			diag("%s: %s", e.field, e.msg);
		js_print(layout, &stored);
		js_print(galleries, &taken);
		is_text(stored.data, splits[i].stored, "stored: %s",
		    splits[i].what);
		is_text(taken.data, splits[i].galleries, "galleries: %s",
		    splits[i].what);
	}
}

static void
test_refused(void)
{
	for (size_t i = 0; i < LEN(refused); i++) {
		AUTO_JS *layout = parse(refused[i].layout);
		struct json_object *galleries = NULL;
		struct err e = { .code = ERR_NONE };
		bool taken = layout_split(layout, &galleries, &e);

		ok(!taken && e.code == ERR_INVALID && galleries == NULL,
		    "refused: %s", refused[i].layout);
		is_text(
		    e.field, refused[i].field, "field: %s", refused[i].layout);
	}
}

static void
test_ids(void)
{
	AUTO_JS *layout = parse("[{\"blockType\":\"t\"},"
				"{\"blockType\":\"gallery\",\"in\":["
				"{\"blockType\":\"t\",\"id\":7},{}]}]");
	AUTO_JS *galleries = NULL;
	struct json_object *second = js_at(layout, 1);
	const char *first_id, *second_id;
	struct err e;

	if (!ok(layout_split(layout, &galleries, &e), "ids are given"))
		return;
	first_id = js_text_of(js_get(js_at(layout, 0), "id"));
	second_id = js_text_of(js_get(second, "id"));
	ok(first_id != NULL && strlen(first_id) == 24 &&
		strspn(first_id, "0123456789abcdef") == 24,
	    "a new id has 24 hex digits");
	ok(second_id != NULL && first_id != NULL &&
		strcmp(first_id, second_id) != 0,
	    "each block has its own");
	is_text(js_text_of(js_get(js_at(galleries, 0), "block")), second_id,
	    "the gallery's row has the new id");
	is_int(js_int_of(js_get(js_at(js_get(second, "in"), 0), "id")), 7,
	    "an id of any kind stays in other blocks");
	ok(js_get(js_at(js_get(second, "in"), 1), "id") == NULL,
	    "what is no block gets none");
}

static void
test_join(void)
{
	AUTO_JS *layout =
	    parse("[{\"blockType\":\"c\",\"id\":\"a\",\"in\":["
		  "{\"blockType\":\"gallery\",\"id\":\"g\",\"x\":1}]},"
		  "{\"blockType\":\"gallery\",\"id\":\"h\"}]");
	AUTO_JS *galleries =
	    parse("{\"g\":{\"autoSyncMedia\":true,\"images\":[2,"
		  "{\"id\":1,\"blockType\":\"gallery\"}]}}");
	AUTO_BUF text = BUF_INIT;

	layout_join(layout, galleries, "5:5:");
	js_print(layout, &text);
	is_text(text.data,
	    "[{\"blockType\":\"c\",\"id\":\"a\",\"in\":[{\"blockType\":"
	    "\"gallery\",\"id\":\"g\",\"x\":1,\"autoSyncMedia\":true,"
	    "\"images\":[2,{\"id\":1,\"blockType\":\"gallery\"}],"
	    "\"imagesAsOf\":\"5:5:\"}]},{\"blockType\":\"gallery\","
	    "\"id\":\"h\",\"autoSyncMedia\":false,\"images\":[],"
	    "\"imagesAsOf\":\"5:5:\"}]",
	    "galleries are put back, and their images are not looked into");
}

/* As deep as the parser lets through: no path and no stack runs over. */
static void
test_depth(void)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_JS *layout = NULL;
	AUTO_JS *galleries = NULL;
	struct err e;
	int deep = (JS_DEPTH_MAX - 4) / 2;

	for (int i = 0; i < deep; i++)
		buf_adds(&text, "[{\"blockType\":\"t\",\"id\":\"a\",\"column"
				"s\":");
	buf_adds(&text, "[{\"blockType\":\"gallery\",\"images\":[1,1]}]");
	for (int i = 0; i < deep; i++)
		buf_adds(&text, "}]");
	layout = parse(text.data);
	ok(!layout_split(layout, &galleries, &e), "refused at the depth cap");
	is_int(
	    (int64_t)strlen(e.field), ERR_FIELD_MAX - 1, "a long path is cut");
}

int
main(void)
{
	struct err e;

	if (!crypt_init(&e))
		return 1;
	test_splits();
	test_refused();
	test_ids();
	test_join();
	test_depth();
	return done();
}
