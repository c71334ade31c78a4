#include "common/site/media_docs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/link/db.h"

enum { VERSION_MAX = 16 };

struct kept {
	int64_t id; /* 0: nothing is here */
	int64_t until_ms;
	char version[VERSION_MAX];
	size_t n;
	char text[]; /* n bytes and a NUL */
};

static struct {
	struct kept *place[MEDIA_DOCS_KEPT];
	char *server_url; /* that they were made with */
} cache;

static const struct kept *
find(int64_t id, int64_t now_ms)
{
	const struct kept *k = cache.place[id % MEDIA_DOCS_KEPT];

	return k != NULL && k->id == id && k->until_ms > now_ms ? k : NULL;
}

static void
drop_all(void)
{
	for (size_t i = 0; i < MEDIA_DOCS_KEPT; i++) {
		free(cache.place[i]);
		cache.place[i] = NULL;
	}
	free(cache.server_url);
	cache.server_url = NULL;
}

static bool
made_with(const char *server_url)
{
	return cache.server_url != NULL &&
	       strcmp(cache.server_url, server_url) == 0;
}

/* Rows come by id; a document that has not changed is null. */
static const char SQL_MEDIA_DOCS[] =
    "SELECT m.id, m.xmin, CASE WHEN m.xmin IS DISTINCT FROM k.version"
    " THEN site.media_doc(m, $3::text)::text END "
    "FROM unnest($1::bigint[], $2::xid[]) AS k(id, version) "
    "JOIN site.media m ON m.id = k.id "
    "ORDER BY m.id";

static void
fill(struct media_doc docs[], const struct db_rows *rows, int64_t now_ms)
{
	size_t at = 0;

	for (int i = 0; i < db_nrows(rows); i++, at++) {
		const struct kept *k;

		while (docs[at].id != db_int(rows, i, 0))
			at++;
		docs[at].text = db_text(rows, i, 2);
		docs[at].n = db_text_len(rows, i, 2);
		if (!db_null(rows, i, 2))
			continue;
		k = find(docs[at].id, now_ms);
		docs[at].text = k->text;
		docs[at].n = k->n;
	}
}

bool
media_docs(struct db *db, struct media_doc docs[], size_t n,
    const char *server_url, struct db_rows **ret_rows, struct err *e)
{
	AUTO_BUF ids = BUF_INIT;
	AUTO_BUF versions = BUF_INIT;
	int64_t now_ms = clock_mono_ms();
	bool usable = made_with(server_url);

	for (size_t i = 0; i < n; i++) {
		const struct kept *k = usable ? find(docs[i].id, now_ms) : NULL;

		db_array_add_int(&ids, docs[i].id);
		db_array_add(&versions, k == NULL ? NULL : k->version);
	}
	db_array_end(&ids);
	db_array_end(&versions);
	if (!buf_ok(&ids, e) || !buf_ok(&versions, e) ||
	    !db_query(db, "media_docs", SQL_MEDIA_DOCS, 3,
		(const char *const[]){ ids.data, versions.data, server_url },
		ret_rows, e))
		return false;
	fill(docs, *ret_rows, now_ms);
	return true;
}

/* A document that cannot be kept is made again the next time. */
static void
keep(int64_t id, const char *version, const char *text, size_t n)
{
	struct kept **place = &cache.place[id % MEDIA_DOCS_KEPT];
	struct kept *k;

	if (n > MEDIA_DOC_BYTES || strlen(version) >= VERSION_MAX)
		return;
	k = malloc(sizeof(*k) + n + 1);
	if (k == NULL)
		return;
	k->id = id;
	k->until_ms = clock_mono_ms() + MEDIA_DOC_KEPT_MS;
	memcpy(k->version, version, strlen(version) + 1);
	k->n = n;
	memcpy(k->text, text, n + 1);
	free(*place);
	*place = k;
}

void
media_docs_keep(const struct db_rows *rows, const char *server_url)
{
	if (!made_with(server_url)) {
		drop_all();
		cache.server_url = strdup(server_url);
		if (cache.server_url == NULL)
			return;
	}
	for (int i = 0; i < db_nrows(rows); i++)
		if (!db_null(rows, i, 2))
			keep(db_int(rows, i, 0), db_text(rows, i, 1),
			    db_text(rows, i, 2), db_text_len(rows, i, 2));
}
