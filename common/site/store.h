/*
 * The media store: a folder that holds the bytes of media.
 *
 *	DIR/tmp/<32 hex>	a file that is being written
 *	DIR/<2 hex>/<32 hex>	a file that a row names, or named, or may name
 *
 * The name on disk is ours and random; a client's file name never gets here.
 * A key is "<2 hex>/<32 hex>".  Each process picks one of the 256 folders for
 * itself when it stores its first file: one descriptor to keep open, one
 * folder to flush, and still an even spread.
 *
 * Durable before named: begin, write, keep (flush the file, rename it, flush
 * the folder), and only then the row.  A file that is kept but that no row
 * came to name (a crash in between) is removed by the sweep once it is old.
 * Ages are told by the host's clock, which also stamped the files.
 *
 * Errors: ERR_NO_SPACE for a full disk or quota, ERR_UNAVAILABLE for want of
 * memory or descriptors, ERR_BUG for a store that is broken (rights, I/O).
 */
#ifndef AFTERWORK_SITE_STORE_H
#define AFTERWORK_SITE_STORE_H

#include "common/base/err.h"

struct db;

enum { STORE_KEY_MAX = 36 }; /* bytes of a key and its NUL */

struct store {
	int dir; /* the store's folder */
	int tmp; /* DIR/tmp */
	int own; /* this process's folder, or -1 */
	char own_name[3];
};

/* setting: MEDIA_STORE, "file:/dir".  Makes the folder when it is missing.
 * Also sets the umask to 027: files are 0640, folders 0750, so that the web
 * server's group can read them. */
bool store_open(struct store *s, const char *setting, struct err *e) MUSTCHECK;
void store_close(struct store *s);

/* A file on its way in.  AUTO_STORE_FILE removes it, whatever state it is in,
 * unless store_file_leave() was called. */
struct store_file {
	struct store *store; /* borrowed; NULL: nothing on disk */
	int fd;              /* while written; -1 else */
	bool kept;           /* renamed to its key */
	int64_t written;     /* bytes so far */
	char key[STORE_KEY_MAX];
};
#define STORE_FILE_INIT  \
	{                \
		.fd = -1 \
	}
#define AUTO_STORE_FILE CLEANUP(store_file_drop) struct store_file

bool store_begin(
    struct store *s, struct store_file *f, struct err *e) MUSTCHECK;
bool store_write(
    struct store_file *f, const void *p, size_t n, struct err *e) MUSTCHECK;
/* Make it durable under f->key. */
bool store_keep(struct store_file *f, struct err *e) MUSTCHECK;
/* Remove it.  Fine to call in any state, and again. */
void store_file_drop(struct store_file *f);
/* A row names it, or may: it stays. */
void store_file_leave(struct store_file *f);

/* Is the text a key?  Pure. */
bool store_is_key(const char *text);

/* Open it for reading.  ERR_NOT_FOUND: it is not there. */
bool store_read(
    struct store *s, const char *key, int *ret_fd, struct err *e) MUSTCHECK;

/* Bytes of an open file: a picture_read (parse/picture.h); fd is an int's
 * address. */
bool store_read_at(void *fd, int64_t at, void *p, size_t n, size_t *ret_n,
    struct err *e) MUSTCHECK;

/* Remove the file of a row that is gone; one that is missing is fine. */
bool store_remove(struct store *s, const char *key, struct err *e) MUSTCHECK;

/*
 * Remove what is older than min_age_ms and that no row names, temporary files
 * too.  min_age_ms must be far above the longest upload: a younger file's row
 * may be on its way.  *ret_kept counts the files that stay.
 */
bool store_sweep(struct store *s, struct db *db, int64_t min_age_ms,
    int64_t *ret_removed, int64_t *ret_kept, struct err *e) MUSTCHECK;

#endif
