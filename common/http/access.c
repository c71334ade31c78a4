#include "common/http/access.h"

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

/* The object under key, made if it is not there; borrowed. */
static struct json_object *
object_under(struct json_object *o, const char *key)
{
	if (js_get(o, key) == NULL)
		js_set(o, key, js_new_object());
	return js_get(o, key);
}

struct json_object *
access_doc(enum user_role role)
{
	struct json_object *doc = js_new_object();
	struct json_object *collections = js_new_object();

	for (enum access i = ACCESS_NONE; i < ACCESS_LINES; i++) {
		const struct line *line = line_of(i);

		/* Of users' own accounts, as Payload shows what depends on
		 * the document: they may. */
		if (line->collection == NULL || !access_allows(i, role, true))
			continue;
		js_set_bool(object_under(collections, line->collection),
		    line->operation, true);
	}
	js_set_bool(doc, "canAccessAdmin", role != ROLE_NONE);
	js_set(doc, "collections", collections);
	return doc;
}
