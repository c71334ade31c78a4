#include "common/link/js_tree.h"

#include <string.h>

#include "common/link/js.h"

struct walk {
	struct tree *tree;
	struct tree_node *parent;
	int depth;
	bool ok;
	struct err *e;
};

static bool walk_value(
    const struct walk *w, const char *name, struct json_object *v);

static bool
walk_member(const char *key, struct json_object *v, void *ctx)
{
	struct walk *w = ctx;

	w->ok = walk_value(w, key, v);
	return w->ok;
}

static enum tree_kind
kind_of(struct json_object *v)
{
	if (js_is_object(v))
		return TREE_OBJECT;
	if (js_is_array(v))
		return TREE_LIST;
	if (js_is_text(v))
		return TREE_TEXT;
	if (js_is_bool(v))
		return TREE_BOOL;
	return v == NULL ? TREE_NULL : TREE_NUMBER;
}

static bool
add_scalar(const struct walk *w, enum tree_kind kind, const char *name,
    struct json_object *v, struct tree_node **ret)
{
	AUTO_BUF text = BUF_INIT;

	if (kind == TREE_TEXT)
		buf_adds(&text, js_text_of(v));
	else if (kind == TREE_BOOL || kind == TREE_NUMBER)
		js_print(v, &text);
	return buf_ok(&text, w->e) &&
	       tree_add(w->tree, w->parent, kind, name, text.data, ret, w->e);
}

/* The parser bounds the depth, too, but by a number of its own. */
static bool
walk_value(const struct walk *w, const char *name, struct json_object *v)
{
	struct walk below = {
		.tree = w->tree, .depth = w->depth + 1, .ok = true, .e = w->e
	};

	if (w->depth == TREE_DEPTH_MAX)
		return err_fail(
		    w->e, ERR_INVALID, "Objects and lists are too deep.");
	if (!add_scalar(w, kind_of(v), name, v, &below.parent))
		return false;
	if (js_is_object(v))
		js_each(v, walk_member, &below);
	else if (js_is_array(v))
		for (size_t i = 0; below.ok && i < js_len(v); i++)
			below.ok = walk_value(&below, "", js_at(v, i));
	return below.ok;
}

bool
js_tree(
    const char *name, const char *p, size_t n, struct tree *ret, struct err *e)
{
	AUTO_JS *value = NULL;
	AUTO_TREE t = { 0 };
	struct walk w = { .tree = &t, .ok = true, .e = e };

	if (!js_parse(p, n, &value, e) || !walk_value(&w, name, value)) {
		if (e->code == ERR_INVALID && e->field[0] == '\0')
			(void)snprintf(e->field, sizeof(e->field), "%s", name);
		return false;
	}
	*ret = t;
	t = (struct tree){ 0 };
	return true;
}
