#include "common/http/access.h"

#include <string.h>

#include "common/link/js.h"

enum {
	ANYONE = 1 << 0,
	ASKED = 1 << 1, /* anyone, but whoever it is is looked up */
	EDITOR = 1 << 2,
	OPERATOR = 1 << 3,
	ADMIN = 1 << 4,
	OWN = 1 << 5, /* whose account it is */
	CRON = 1 << 6,
	USERS = EDITOR | OPERATOR | ADMIN,
	STAFF = OPERATOR | ADMIN,
};

struct line {
	unsigned who;
	bool get_changes;
	/* In the document of access_doc(), or NULL. */
	const char *collection;
	const char *operation;
};

static const struct line LINES[ACCESS_LINES] = {
	[ACCESS_HEALTH] = { ANYONE },
	[ACCESS_METRICS] = { CRON },

	[ACCESS_MEDIA_READ] = { ANYONE, false, "media", "read" },
	[ACCESS_MEDIA_CREATE] = { USERS, false, "media", "create" },
	[ACCESS_MEDIA_UPDATE] = { USERS, false, "media", "update" },
	[ACCESS_MEDIA_DELETE] = { USERS, false, "media", "delete" },
	[ACCESS_MEDIA_SWEEP] = { CRON, true },

	[ACCESS_PAGES_READ] = { ANYONE, false, "pages", "read" },
	[ACCESS_PAGES_CREATE] = { USERS, false, "pages", "create" },
	[ACCESS_PAGES_UPDATE] = { USERS, false, "pages", "update" },
	[ACCESS_PAGES_DELETE] = { USERS, false, "pages", "delete" },

	[ACCESS_USERS_ENTER] = { ANYONE },
	[ACCESS_USERS_ME] = { ASKED },
	[ACCESS_USERS_REFRESH] = { USERS },
	[ACCESS_USERS_LIST] = { ADMIN },
	[ACCESS_USERS_READ] = { ADMIN | OWN, false, "users", "read" },
	[ACCESS_USERS_CREATE] = { ADMIN, false, "users", "create" },
	[ACCESS_USERS_UPDATE] = { ADMIN | OWN, false, "users", "update" },
	[ACCESS_USERS_DELETE] = { ADMIN, false, "users", "delete" },
	[ACCESS_USERS_UNLOCK] = { ADMIN, false, "users", "unlock" },

	[ACCESS_JOBS_READ] = { STAFF, false, "payload-jobs", "read" },
	[ACCESS_JOBS_CREATE] = { STAFF, false, "payload-jobs", "create" },
	[ACCESS_JOBS_DECIDE] = { STAFF },
	[ACCESS_JOBS_RUN] = { STAFF | CRON, true },
	[ACCESS_JOBS_STATS] = { STAFF | CRON },
};

/* A number that is no line lets nobody in. */
static const struct line *
line_of(enum access access)
{
	return &LINES[access < ACCESS_LINES ? access : ACCESS_NONE];
}

bool
access_is_public(enum access line)
{
	return (line_of(line)->who & ANYONE) != 0;
}

bool
access_is_optional(enum access line)
{
	return (line_of(line)->who & ASKED) != 0;
}

bool
access_takes_cron(enum access line)
{
	return (line_of(line)->who & CRON) != 0;
}

bool
access_takes_users(enum access line)
{
	return (line_of(line)->who & ~(unsigned)CRON) != 0;
}

bool
access_get_changes(enum access line)
{
	return line_of(line)->get_changes;
}

static unsigned
role_bit(enum user_role role)
{
	switch (role) {
	case ROLE_EDITOR:
		return EDITOR;
	case ROLE_OPERATOR:
		return OPERATOR;
	case ROLE_ADMIN:
		return ADMIN;
	case ROLE_NONE:
		break;
	}
	return 0;
}

bool
access_allows(enum access line, enum user_role role, bool own)
{
	unsigned is = role_bit(role);

	if (is == 0) /* an account whose role is none has no rights either */
		return (line_of(line)->who & (ANYONE | ASKED)) != 0;
	if (own)
		is |= OWN;
	return (line_of(line)->who & (is | ANYONE | ASKED)) != 0;
}

/* ---- what a caller is told ---- */

enum { CREATE = 1 << 0, READ = 1 << 1, UPDATE = 1 << 2 };
enum { WRITE = CREATE | UPDATE, WHOLE = CREATE | READ | UPDATE };

static const struct {
	const char *name;
	unsigned bit;
} OPERATIONS[] = {
	{ "create", CREATE },
	{ "read", READ },
	{ "update", UPDATE },
};

/* Fields of documents, and what of the collection's operations they take. */
static const struct group {
	const char *collection;
	unsigned takes;
	unsigned admins; /* of these: what an admin alone may */
	const char *names[16];
} GROUPS[] = {
	{ "media", WHOLE, 0,
	    { "alt", "updatedAt", "createdAt", "url", "thumbnailURL",
		"filename", "mimeType", "filesize", "width", "height", "focalX",
		"focalY", "sizes" } },
	{ "pages", WHOLE, 0,
	    { "title", "slug", "layout", "updatedAt", "createdAt" } },
	{ "users", WHOLE, 0,
	    { "email", "enableAPIKey", "updatedAt", "createdAt" } },
	{ "users", WHOLE, UPDATE, { "role" } },
	{ "users", WRITE, 0, { "apiKey" } },
	{ "payload-jobs", CREATE | READ, 0,
	    { "input", "meta", "taskSlug", "queue", "waitUntil", "priority",
		"uniqueKey", "concurrencyKey" } },
	{ "payload-jobs", READ, 0,
	    { "taskStatus", "completedAt", "totalTried", "hasError", "error",
		"log", "processing", "state", "progress", "output", "updatedAt",
		"createdAt" } },
};

/* The object under key, made if it is not there; borrowed. */
static struct json_object *
object_under(struct json_object *o, const char *key)
{
	if (js_get(o, key) == NULL)
		js_set(o, key, js_new_object());
	return js_get(o, key);
}

/* Of one's own account alone, as Payload shows what depends on the document:
 * {"permission": true, "where": {"id": {"equals": 7}}}. */
static void
set_own(struct json_object *o, const char *operation, int64_t id)
{
	struct json_object *only = object_under(o, operation);

	js_set_bool(only, "permission", true);
	js_set_int(
	    object_under(object_under(only, "where"), "id"), "equals", id);
}

static void
set_operations(struct json_object *collections, enum user_role role, int64_t id)
{
	for (enum access i = ACCESS_NONE; i < ACCESS_LINES; i++) {
		const struct line *line = line_of(i);
		struct json_object *o;

		if (line->collection == NULL || !access_allows(i, role, true))
			continue;
		o = object_under(collections, line->collection);
		if (access_allows(i, role, false))
			js_set_bool(o, line->operation, true);
		else
			set_own(o, line->operation, id);
	}
}

static unsigned
operations_of(struct json_object *o)
{
	unsigned ops = 0;

	for (size_t i = 0; i < LEN(OPERATIONS); i++)
		if (js_get(o, OPERATIONS[i].name) != NULL)
			ops |= OPERATIONS[i].bit;
	return ops;
}

/* What is whole is true, else {"read": true}. */
static void
set_field(struct json_object *fields, const char *name, unsigned ops)
{
	if (ops == WHOLE)
		js_set_bool(fields, name, true);
	else
		for (size_t i = 0; i < LEN(OPERATIONS); i++)
			if ((ops & OPERATIONS[i].bit) != 0)
				js_set_bool(object_under(fields, name),
				    OPERATIONS[i].name, true);
}

/* Of one collection, whose operations are in o. */
static void
set_fields(struct json_object *o, const char *collection, enum user_role role)
{
	struct json_object *fields = js_new_object();
	unsigned ops = operations_of(o);
	bool whole = true;

	for (size_t i = 0; i < LEN(GROUPS); i++) {
		const struct group *g = &GROUPS[i];
		unsigned takes = ops & g->takes;

		if (strcmp(g->collection, collection) != 0)
			continue;
		if (role != ROLE_ADMIN)
			takes &= ~g->admins;
		whole = whole && takes == WHOLE;
		for (size_t j = 0; j < LEN(g->names) && g->names[j] != NULL;
		     j++)
			set_field(fields, g->names[j], takes);
	}
	if (whole)
		js_set_bool(o, "fields", true);
	else
		js_set(o, "fields", js_ref(fields));
	js_free(&fields);
}

struct json_object *
access_doc(enum user_role role, int64_t id)
{
	struct json_object *doc = js_new_object();
	struct json_object *collections = js_new_object();
	const char *last = "";

	set_operations(collections, role, id);
	for (size_t i = 0; i < LEN(GROUPS); i++) {
		const char *name = GROUPS[i].collection;
		struct json_object *o = js_get(collections, name);

		if (o != NULL && strcmp(name, last) != 0)
			set_fields(o, name, role);
		last = name;
	}
	if (role != ROLE_NONE)
		js_set_bool(doc, "canAccessAdmin", true);
	js_set(doc, "collections", collections);
	return doc;
}
