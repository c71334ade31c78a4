/*
 * JSON: the only caller of json-c's parser and printer.
 *
 * Others hold the pointer and use these.  Input is strict: UTF-8 checked,
 * one value, all bytes used, at most JS_DEPTH_MAX deep, no \u0000 anywhere
 * (PostgreSQL text cannot hold it), no duplicate-key surprises (last wins),
 * no whole number beyond 64 bits nor one that an exponent makes so (1e30),
 * which PostgreSQL would write out in full.
 */
#ifndef AFTERWORK_LINK_JS_H
#define AFTERWORK_LINK_JS_H

#include "common/base/buf.h"

struct json_object;

enum { JS_DEPTH_MAX = 32 };

void js_free(struct json_object **v); /* drops one reference; NULL fine */
#define AUTO_JS CLEANUP(js_free) struct json_object

/* Parse n bytes; *ret is given.  ERR_INVALID "Invalid JSON" (+ why). */
bool js_parse(
    const char *p, size_t n, struct json_object **ret, struct err *e) MUSTCHECK;
/* The same, but the value must be an object. */
bool js_parse_object(
    const char *p, size_t n, struct json_object **ret, struct err *e) MUSTCHECK;

/* Append the value as compact JSON; NULL is null. */
void js_print(struct json_object *v, struct buf *ret);

/*
 * Typed getters on an object.  An absent or null key: *ret = otherwise, true.
 * A value of another type: ERR_INVALID with the key in err.field.  Texts are
 * borrowed from the object.
 */
bool js_text(struct json_object *o, const char *key, const char *otherwise,
    const char **ret, struct err *e) MUSTCHECK;
bool js_int(struct json_object *o, const char *key, int64_t otherwise,
    int64_t min, int64_t max, int64_t *ret, struct err *e) MUSTCHECK;
bool js_bool(struct json_object *o, const char *key, bool otherwise, bool *ret,
    struct err *e) MUSTCHECK;
/* Is the key there, be its value null? */
bool js_has(struct json_object *o, const char *key);
/* Value under key, borrowed, or NULL (absent or null). */
struct json_object *js_get(struct json_object *o, const char *key);
bool js_is_object(struct json_object *v);
bool js_is_array(struct json_object *v);
bool js_is_text(struct json_object *v);
bool js_is_int(struct json_object *v);
bool js_is_number(struct json_object *v); /* whole or not */
bool js_is_bool(struct json_object *v);
const char *js_text_of(struct json_object *v); /* NULL when no text */
int64_t js_int_of(struct json_object *v);
bool js_bool_of(struct json_object *v);
double js_number_of(struct json_object *v); /* whole or not */
size_t js_len(struct json_object *array);
struct json_object *js_at(struct json_object *array, size_t i); /* borrowed */

/* Builders.  New values are given; js_set and js_add take the value (NULL
 * value = null).  Memory that runs out aborts: json-c cannot say it. */
struct json_object *js_new_object(void) MUSTCHECK;
struct json_object *js_new_array(void) MUSTCHECK;
void js_set(struct json_object *o, const char *key, struct json_object *v);
void js_set_text(struct json_object *o, const char *key, const char *v);
void js_set_int(struct json_object *o, const char *key, int64_t v);
void js_set_bool(struct json_object *o, const char *key, bool v);
/* Microseconds as a number of seconds: 1500000 is printed 1.5. */
void js_set_seconds(struct json_object *o, const char *key, int64_t us);
void js_del(struct json_object *o, const char *key);
void js_add(struct json_object *array, struct json_object *v);
struct json_object *js_new_text(const char *v) MUSTCHECK;
struct json_object *js_new_int(int64_t v) MUSTCHECK;
/* Text that is JSON already, printed as it is; its memory is taken.  To
 * everything else the value is a boolean.  NULL when text is broken. */
struct json_object *js_new_raw(struct buf *text) MUSTCHECK;
/* Another reference to v, given. */
struct json_object *js_ref(struct json_object *v) MUSTCHECK;

/* Call fn for each key of the object in order; stops when it says false. */
bool js_each(struct json_object *o,
    bool (*fn)(const char *key, struct json_object *v, void *ctx), void *ctx);

#endif
