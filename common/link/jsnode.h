/*
 * JSON that a person wrote (task.json, vercel.json): getters whose errors say
 * line and path, so that the file can be mended at once.
 *
 * Every failure is ERR_INVALID with the path in err.field and a message like
 * "line 7: retries.backoff.type must be a text".
 */
#ifndef AFTERWORK_LINK_JSNODE_H
#define AFTERWORK_LINK_JSNODE_H

#include "common/base/err.h"

struct json_object;

enum { JSNODE_PATH_MAX = ERR_FIELD_MAX };

/* An object of the file, or one that is absent (o is NULL: every key has its
 * default).  Text and values are borrowed from the caller's. */
struct jsnode {
	const char *p; /* the whole text, for the lines */
	size_t n;
	struct json_object *o;
	char path[JSNODE_PATH_MAX]; /* of o; "" at the top */
};

/* Parse n bytes whose top is an object.  *ret_source is given to the caller
 * and owns what *ret and its children borrow. */
bool jsnode_parse(const char *p, size_t n, struct json_object **ret_source,
    struct jsnode *ret, struct err *e) MUSTCHECK;

/* The line of key; of a key that is missing, that of the object around it; 0:
 * not known. */
int jsnode_line(const struct jsnode *at, const char *key);

/* Fail at key of the node ("": at the node itself).  Returns false. */
bool jsnode_bad(const struct jsnode *at, const char *key, struct err *e,
    const char *fmt, ...) PRINTF(4, 5);

/* Nothing but these keys (a list that ends with NULL) in the node. */
bool jsnode_keys(const struct jsnode *at, const char *const known[],
    struct err *e) MUSTCHECK;

/* The object under key; an absent one becomes an absent node. */
bool jsnode_child(const struct jsnode *at, const char *key, struct jsnode *ret,
    struct err *e) MUSTCHECK;
/* The list under key; NULL when absent.  Borrowed. */
bool jsnode_list(const struct jsnode *at, const char *key, size_t max,
    struct json_object **ret, struct err *e) MUSTCHECK;
/* Element i of the list under key, which must be an object. */
bool jsnode_element(const struct jsnode *at, const char *key, size_t i,
    struct jsnode *ret, struct err *e) MUSTCHECK;

/* Absent or null: otherwise.  A text has 1 to max bytes. */
bool jsnode_text(const struct jsnode *at, const char *key, size_t max,
    const char *otherwise, const char **ret, struct err *e) MUSTCHECK;
bool jsnode_int(const struct jsnode *at, const char *key, int64_t min,
    int64_t max, int64_t otherwise, int64_t *ret, struct err *e) MUSTCHECK;
bool jsnode_bool(const struct jsnode *at, const char *key, bool otherwise,
    bool *ret, struct err *e) MUSTCHECK;
/* Absent, or a number of any kind. */
bool jsnode_number(
    const struct jsnode *at, const char *key, struct err *e) MUSTCHECK;

#endif
