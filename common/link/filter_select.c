/* select: which fields of its documents a client wants to see. */
#include "common/link/filter.h"

#include <string.h>

#include "common/link/db.h"

/* The first true or false below it, however deep; NULL when it has none.
 * Bounded by TREE_DEPTH_MAX, as all below. */
static const struct tree_node *
first_leaf(const struct tree_node *node)
{
	const struct tree_node *leaf = NULL;

	if (tree_is_scalar(node))
		return node;
	for (const struct tree_node *c = node->first; c != NULL && leaf == NULL;
	     c = c->next)
		leaf = first_leaf(c);
	return leaf;
}

/* All leaves say the same. */
static bool
leaves_ok(const struct tree_node *node, enum filter_select mode, struct err *e)
{
	bool yes = strcmp(node->text, "true") == 0;

	if (!tree_is_scalar(node)) {
		for (node = node->first; node != NULL; node = node->next)
			if (!leaves_ok(node, mode, e))
				return false;
		return true;
	}
	if (!yes && strcmp(node->text, "false") != 0)
		return err_field(
		    e, "select", "A field is selected by true or false.");
	if (yes != (mode == FILTER_ONLY))
		return err_field(
		    e, "select", "Select fields either by true or by false.");
	return true;
}

bool
filter_select(struct filter *f, struct err *e)
{
	const struct tree_node *root = f->select_tree.root, *leaf;
	enum filter_select mode = FILTER_ONLY;

	if (root == NULL || tree_is_scalar(root) || root->first == NULL)
		return true;
	leaf = first_leaf(root);
	if (leaf != NULL && strcmp(leaf->text, "false") == 0)
		mode = FILTER_WITHOUT;
	if (!leaves_ok(root, mode, e))
		return false;
	f->select = mode;
	return true;
}

/* Does it name its field as one to be shown, or to be left out?  A field of
 * which only parts are left out stays whole. */
static bool
counts(const struct filter *f, const struct tree_node *field)
{
	return f->select == FILTER_ONLY || tree_is_scalar(field);
}

static bool
is_named(const struct filter *f, const char *name)
{
	const struct tree_node *root = f->select_tree.root;

	for (const struct tree_node *c = root == NULL ? NULL : root->first;
	     c != NULL; c = c->next)
		if (strcmp(c->name, name) == 0 && counts(f, c))
			return true;
	return false;
}

bool
filter_shows(const struct filter *f, const char *name)
{
	if (f->select == FILTER_WHOLE || strcmp(name, "id") == 0)
		return true;
	return is_named(f, name) == (f->select == FILTER_ONLY);
}

const char *
filter_names(const struct filter *f, struct buf *names)
{
	if (f->select == FILTER_WHOLE)
		return NULL;
	if (f->select == FILTER_ONLY)
		db_array_add(names, "id");
	for (const struct tree_node *c = f->select_tree.root->first; c != NULL;
	     c = c->next)
		if (strcmp(c->name, "id") != 0 && counts(f, c))
			db_array_add(names, c->name);
	db_array_end(names);
	return names->data;
}

const char *
filter_stay(const struct filter *f)
{
	return f->select == FILTER_WITHOUT ? "false" : "true";
}
