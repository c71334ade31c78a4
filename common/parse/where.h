/*
 * What a `where` says: conditions on fields under "and" and "or", from a tree
 * of values.  Pure; knows no fields: which there are, and what fits them, is
 * the collection's to say (common/link/filter.h).
 *
 *	{"title": {"like": "a b"}, "or": [{"id": {"in": "1,2"}}, {...}]}
 *
 * Several members of an object must all hold, and so must several operators
 * of a field.  An object or list that says nothing is left out, as Payload does
 * it: beside other branches of an "or" it chooses nothing.
 */
#ifndef AFTERWORK_PARSE_WHERE_H
#define AFTERWORK_PARSE_WHERE_H

#include "common/parse/tree.h"

enum {
	WHERE_TESTS_MAX = 50,    /* operators in all */
	WHERE_DEPTH_MAX = 10,    /* "and" and "or" inside one another */
	WHERE_VALUES_MAX = 1000, /* in one list */
};

enum where_op {
	WHERE_EQUALS,
	WHERE_NOT_EQUALS,
	WHERE_IN,
	WHERE_NOT_IN,
	WHERE_ALL,
	WHERE_EXISTS,
	WHERE_GREATER_THAN,
	WHERE_GREATER_THAN_EQUAL,
	WHERE_LESS_THAN,
	WHERE_LESS_THAN_EQUAL,
	WHERE_LIKE,
	WHERE_NOT_LIKE,
	WHERE_CONTAINS,
	WHERE_WITHIN,
	WHERE_INTERSECTS,
	WHERE_NEAR,
	WHERE_OPS,
};

enum where_kind { WHERE_AND, WHERE_OR, WHERE_TEST };

struct where_node {
	enum where_kind kind;
	struct where_node *first, *last; /* WHERE_AND, WHERE_OR */
	struct where_node *next;
	/* WHERE_TEST; field and value are borrowed from the tree */
	const char *field;
	enum where_op op;
	const struct tree_node *value;
};

struct where {
	/* owned; the first is the root, the one group that may be empty */
	struct where_node *nodes;
	size_t n;
	size_t ntests; /* 0: everything is meant */
};

/*
 * root is borrowed for the life of *ret; NULL: everything.  ERR_QUERY with the
 * path in err.field: an operator that there is none of, or a path that no
 * field can have; ERR_INVALID: beyond the bounds, or not in this shape.
 */
bool where_parse(
    const struct tree_node *root, struct where *ret, struct err *e) MUSTCHECK;
void where_release(struct where *w);

/* "greater_than": static storage. */
const char *where_op_name(enum where_op op);

/* Fill *e with ERR_QUERY, in Payload's words.  Returns false. */
bool where_unknown(const char *path, struct err *e);

/* Is it \w+(\.\w+)*, at most ERR_FIELD_MAX - 1 bytes? */
bool where_path_ok(const char *path);

#endif
