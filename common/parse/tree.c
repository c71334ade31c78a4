#include "common/parse/tree.h"

#include <stdlib.h>
#include <string.h>

static struct tree_node *
node_new(enum tree_kind kind, const char *name, size_t n, const char *text)
{
	struct tree_node *node = calloc(1, sizeof(*node));

	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->name = strndup(name, n);
	node->text = strdup(text);
	if (node->name != NULL && node->text != NULL)
		return node;
	free(node->name);
	free(node->text);
	free(node);
	return NULL;
}

/* The name is the n bytes there. */
static bool
add_node(struct tree *t, struct tree_node *parent, enum tree_kind kind,
    const char *name, size_t n, const char *text, struct tree_node **ret,
    struct err *e)
{
	struct tree_node *node;

	if (t->n == TREE_NODES_MAX)
		return err_fail(e, ERR_INVALID,
		    "The query has more than %d values.", TREE_NODES_MAX);
	node = node_new(kind, name, n, text);
	if (node == NULL)
		return err_fail(e, ERR_UNAVAILABLE, "out of memory");
	if (parent == NULL)
		t->root = node;
	else if (parent->last == NULL)
		parent->first = node;
	else
		parent->last->next = node;
	if (parent != NULL)
		parent->last = node;
	t->n++;
	*ret = node;
	return true;
}

bool
tree_add(struct tree *t, struct tree_node *parent, enum tree_kind kind,
    const char *name, const char *text, struct tree_node **ret, struct err *e)
{
	return add_node(t, parent, kind, name, strlen(name), text, ret, e);
}

/* Children before their parents; recursion is bounded by TREE_DEPTH_MAX. */
static void
node_free(struct tree_node *node)
{
	while (node != NULL) {
		struct tree_node *next = node->next;

		node_free(node->first);
		free(node->name);
		free(node->text);
		free(node);
		node = next;
	}
}

void
tree_release(struct tree *t)
{
	node_free(t->root);
	*t = (struct tree){ 0 };
}

bool
tree_is_scalar(const struct tree_node *node)
{
	return node->kind != TREE_LIST && node->kind != TREE_OBJECT;
}

bool
tree_is_list(const struct tree_node *node)
{
	if (node->kind != TREE_OBJECT)
		return node->kind == TREE_LIST;
	for (const struct tree_node *c = node->first; c != NULL; c = c->next)
		if (c->name[strspn(c->name, "0123456789")] != '\0')
			return false;
	return node->first != NULL;
}

/* ---- brackets ---- */

static struct tree_node *
child_of(struct tree_node *node, const char *name, size_t n)
{
	for (struct tree_node *c = node->first; c != NULL; c = c->next)
		if (strncmp(c->name, name, n) == 0 && c->name[n] == '\0')
			return c;
	return NULL;
}

static bool
bad(const char *name, const char *why, struct err *e)
{
	return err_field(e, name, "%s", why);
}

/* The child that brackets of n bytes lead to; "[]" is always a new one. */
static bool
step(struct tree *t, struct tree_node **at, const char *key, size_t n,
    struct err *e)
{
	struct tree_node *child;

	if (*at != NULL && (*at)->kind != TREE_OBJECT)
		return bad(t->root->name,
		    "A value is sent both by itself and in brackets.", e);
	child = *at == NULL ? t->root : n == 0 ? NULL : child_of(*at, key, n);
	if (child == NULL &&
	    !add_node(t, *at, TREE_OBJECT, key, n, "", &child, e))
		return false;
	*at = child;
	return true;
}

/* A scalar for a node that steps have led to.  A second one makes a list. */
static bool
put_text(struct tree *t, struct tree_node *at, const char *text, struct err *e)
{
	struct tree_node *moved;
	char *copy;

	if (at->kind == TREE_OBJECT && at->first == NULL) {
		copy = strdup(text);
		if (copy == NULL)
			return err_fail(e, ERR_UNAVAILABLE, "out of memory");
		free(at->text);
		at->text = copy;
		at->kind = TREE_TEXT;
		return true;
	}
	if (at->kind == TREE_OBJECT && !tree_is_list(at))
		return bad(t->root->name,
		    "A value is sent both by itself and in brackets.", e);
	if (at->kind == TREE_TEXT) {
		at->kind = TREE_LIST;
		if (!add_node(t, at, TREE_TEXT, "", 0, at->text, &moved, e))
			return false;
	}
	return add_node(t, at, TREE_TEXT, "", 0, text, &moved, e);
}

/* rest is what stands behind the name: "[or][0]" or nothing. */
static bool
add_pair(struct tree *t, const char *name, const char *rest, const char *value,
    struct err *e)
{
	struct tree_node *at = NULL;
	int depth = 0;

	if (!step(t, &at, name, strlen(name), e))
		return false;
	while (*rest != '\0') {
		size_t n = strcspn(rest + 1, "[]");

		if (*rest != '[' || rest[n + 1] != ']')
			return bad(name, "Brackets do not close.", e);
		if (++depth == TREE_DEPTH_MAX)
			return bad(name, "Brackets are too deep.", e);
		if (!step(t, &at, rest + 1, n, e))
			return false;
		rest += n + 2;
	}
	return put_text(t, at, value, e);
}

bool
tree_query(
    const struct query *q, const char *name, struct tree *ret, struct err *e)
{
	AUTO_TREE t = { 0 };
	size_t n = strlen(name);

	for (size_t i = 0; i < q->npairs; i++) {
		const char *key = q->pairs[i].name;

		if (strncmp(key, name, n) != 0 ||
		    (key[n] != '[' && key[n] != '\0'))
			continue;
		if (!add_pair(&t, name, key + n, q->pairs[i].value, e))
			return false;
	}
	*ret = t;
	t = (struct tree){ 0 };
	return true;
}
