#include "common/parse/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const OPS[WHERE_OPS] = {
	[WHERE_EQUALS] = "equals",
	[WHERE_NOT_EQUALS] = "not_equals",
	[WHERE_IN] = "in",
	[WHERE_NOT_IN] = "not_in",
	[WHERE_ALL] = "all",
	[WHERE_EXISTS] = "exists",
	[WHERE_GREATER_THAN] = "greater_than",
	[WHERE_GREATER_THAN_EQUAL] = "greater_than_equal",
	[WHERE_LESS_THAN] = "less_than",
	[WHERE_LESS_THAN_EQUAL] = "less_than_equal",
	[WHERE_LIKE] = "like",
	[WHERE_NOT_LIKE] = "not_like",
	[WHERE_CONTAINS] = "contains",
	[WHERE_WITHIN] = "within",
	[WHERE_INTERSECTS] = "intersects",
	[WHERE_NEAR] = "near",
};

const char *
where_op_name(enum where_op op)
{
	return OPS[op];
}

static bool
op_of(const char *name, enum where_op *ret)
{
	for (int i = 0; i < WHERE_OPS; i++)
		if (strcmp(OPS[i], name) == 0) {
			*ret = (enum where_op)i;
			return true;
		}
	return false;
}

static bool
word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

bool
where_path_ok(const char *path)
{
	size_t word = 0, n = 0;

	for (; path[n] != '\0' && n < ERR_FIELD_MAX; n++) {
		if (path[n] == '.' && word == 0)
			return false;
		if (path[n] != '.' && !word_byte(path[n]))
			return false;
		word = path[n] == '.' ? 0 : word + 1;
	}
	return word > 0 && n < ERR_FIELD_MAX;
}

/* ---- the walk ---- */

bool
where_unknown(const char *path, struct err *e)
{
	(void)err_field(
	    e, path, "The following path cannot be queried: %s", path);
	e->code = ERR_QUERY;
	return false;
}

static bool
unknown(struct err *e, const char *field, const char *op)
{
	char path[2 * ERR_FIELD_MAX];

	(void)snprintf(
	    path, sizeof(path), "%s%s%s", field, *op == '\0' ? "" : ".", op);
	return where_unknown(path, e);
}

static bool
shapeless(struct err *e, const char *what, const char *shape)
{
	return err_field(e, "where", "\"%s\" must be %s.", what, shape);
}

static struct where_node *
append(struct where *w, struct where_node *parent, enum where_kind kind)
{
	struct where_node *node = &w->nodes[w->n++];

	node->kind = kind;
	if (parent == NULL)
		return node;
	if (parent->last == NULL)
		parent->first = node;
	else
		parent->last->next = node;
	parent->last = node;
	return node;
}

/* How many values an operator's list has is a bound of its own. */
static bool
values_ok(const char *field, const struct tree_node *value, struct err *e)
{
	size_t n = 0;

	for (const struct tree_node *c = value->first; c != NULL; c = c->next)
		if (!tree_is_scalar(c))
			return err_field(
			    e, field, "A list holds plain values only.");
		else if (++n > WHERE_VALUES_MAX)
			return err_field(e, field,
			    "A list has at most %d values.", WHERE_VALUES_MAX);
	if (!tree_is_scalar(value) && !tree_is_list(value))
		return err_field(e, field, "This is no value.");
	return true;
}

static bool
walk_tests(struct where *w, struct where_node *parent,
    const struct tree_node *field, struct err *e)
{
	struct where_node *node;
	enum where_op op;

	if (field->kind != TREE_OBJECT)
		return err_field(e, field->name,
		    "A field takes operators, such as "
		    "where[%s][equals]=value.",
		    field->name);
	for (const struct tree_node *c = field->first; c != NULL; c = c->next) {
		if (!op_of(c->name, &op))
			return unknown(e, field->name, c->name);
		if (!values_ok(field->name, c, e))
			return false;
		if (++w->ntests > WHERE_TESTS_MAX)
			return err_field(e, "where",
			    "There are more than %d conditions.",
			    WHERE_TESTS_MAX);
		node = append(w, parent, WHERE_TEST);
		node->field = field->name;
		node->op = op;
		node->value = c;
	}
	return true;
}

static bool
is_word(const char *name, const char *lower, const char *upper)
{
	return strcmp(name, lower) == 0 || strcmp(name, upper) == 0;
}

/* Bounded by WHERE_DEPTH_MAX. */
static bool
walk_object(struct where *w, struct where_node *parent,
    const struct tree_node *object, int depth, struct err *e)
{
	if (depth > WHERE_DEPTH_MAX)
		return err_field(e, "where",
		    "Conditions are more than %d deep.", WHERE_DEPTH_MAX);
	if (object->kind != TREE_OBJECT)
		return shapeless(
		    e, "where", "an object of fields, \"and\" and \"or\"");
	for (const struct tree_node *c = object->first; c != NULL;
	     c = c->next) {
		bool any = is_word(c->name, "or", "OR");
		struct where_node *node;

		if (!any && !is_word(c->name, "and", "AND")) {
			if (!where_path_ok(c->name))
				return unknown(e, c->name, "");
			if (!walk_tests(w, parent, c, e))
				return false;
			continue;
		}
		if (tree_is_scalar(c) ? *c->text != '\0'
				      : c->first != NULL && !tree_is_list(c))
			return shapeless(e, c->name, "a list");
		node = append(w, parent, any ? WHERE_OR : WHERE_AND);
		for (const struct tree_node *m = c->first; m != NULL;
		     m = m->next)
			if (!walk_object(
				w, append(w, node, WHERE_AND), m, depth + 1, e))
				return false;
	}
	return true;
}

/* What says nothing is as if it were not there.  A branch of "or" that held
 * without a condition would choose every document.  Bounded by
 * WHERE_DEPTH_MAX. */
static void
drop_empty(struct where_node *group)
{
	struct where_node **at = &group->first;

	group->last = NULL;
	while (*at != NULL) {
		drop_empty(*at);
		if ((*at)->kind != WHERE_TEST && (*at)->first == NULL) {
			*at = (*at)->next;
			continue;
		}
		group->last = *at;
		at = &(*at)->next;
	}
}

/* Of a tree with n values no more than 2 n + 1 nodes are made. */
static size_t
count_values(const struct tree_node *node)
{
	size_t n = 0;

	for (; node != NULL; node = node->next)
		n += 1 + count_values(node->first);
	return n;
}

bool
where_parse(const struct tree_node *root, struct where *ret, struct err *e)
{
	struct where w = { 0 };

	if (root == NULL || (root->kind == TREE_TEXT && *root->text == '\0')) {
		*ret = w;
		return true;
	}
	w.nodes = calloc(2 * count_values(root) + 1, sizeof(*w.nodes));
	if (w.nodes == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	if (!walk_object(&w, append(&w, NULL, WHERE_AND), root, 1, e)) {
		where_release(&w);
		return false;
	}
	drop_empty(&w.nodes[0]);
	*ret = w;
	return true;
}

void
where_release(struct where *w)
{
	free(w->nodes);
	*w = (struct where){ 0 };
}
