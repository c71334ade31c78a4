/*
 * Values inside one another, as brackets in a query string say them
 * ("where[or][0][title][equals]=x") or a JSON text does: pure, no I/O.
 *
 * Bounded: TREE_NODES_MAX values, TREE_DEPTH_MAX inside one another; what is
 * beyond is ERR_INVALID.  A tree owns its texts.
 */
#ifndef AFTERWORK_PARSE_TREE_H
#define AFTERWORK_PARSE_TREE_H

#include "common/parse/query.h"

enum { TREE_NODES_MAX = 4000, TREE_DEPTH_MAX = 24 };

enum tree_kind {
	TREE_NULL,
	TREE_BOOL,   /* text is "true" or "false" */
	TREE_NUMBER, /* text is the number as JSON writes it */
	TREE_TEXT,   /* and whatever a query string says */
	TREE_LIST,
	TREE_OBJECT, /* of a query string: also a list, see tree_is_list() */
};

struct tree_node {
	enum tree_kind kind;
	char *name; /* in its object; "" at the root and in lists */
	char *text; /* "" unless it is a scalar */
	struct tree_node *first, *last; /* children, in the order sent */
	struct tree_node *next;
};

struct tree {
	struct tree_node *root; /* NULL: nothing was said */
	size_t n;
};

/*
 * What the pairs of that name, with brackets behind it or without, say.
 * "[]" adds to a list, and so does a name that is sent twice.  ERR_INVALID
 * with the name in err.field: brackets that do not close, a value that is
 * both a text and an object.  *ret is empty when there is no such pair.
 */
bool tree_query(const struct query *q, const char *name, struct tree *ret,
    struct err *e) MUSTCHECK;
void tree_release(struct tree *t);
#define AUTO_TREE CLEANUP(tree_release) struct tree

/* For builders: a child behind those of parent (NULL: the root).  Texts are
 * copied. */
bool tree_add(struct tree *t, struct tree_node *parent, enum tree_kind kind,
    const char *name, const char *text, struct tree_node **ret,
    struct err *e) MUSTCHECK;

/* A list, or an object all of whose names are decimal digits. */
bool tree_is_list(const struct tree_node *node);
bool tree_is_scalar(const struct tree_node *node);

#endif
