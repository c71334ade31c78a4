/*
 * Secrets, tokens, hashes: the only caller of libsodium.
 *
 * crypt_init() once before anything else.  A comparison takes the same time
 * for any wrong value: both sides are hashed with a key made at start, then
 * compared with sodium_memcmp().
 */
#ifndef AFTERWORK_LINK_CRYPT_H
#define AFTERWORK_LINK_CRYPT_H

#include "common/base/buf.h"

enum {
	CRYPT_HASH_HEX = 65,   /* 32 bytes as hex, and the NUL */
	CRYPT_ID_HEX = 33,     /* 16 bytes as hex, and the NUL */
	CRYPT_SECRET_MIN = 32, /* shortest secret that counts */
	CRYPT_TOKEN_MAX = 512, /* longest presented secret looked at */
	CRYPT_PASSWORD_MAX = 1024,
	CRYPT_PASSWORD_HASH_MAX = 128,
};

bool crypt_init(struct err *e) MUSTCHECK;

/* n bytes of CSPRNG output as 2n hex digits and a NUL. */
void crypt_random_hex(size_t n, char *ret);

/* Is presented (n bytes) one of the two configured secrets?  A configured
 * secret that is NULL or shorter than CRYPT_SECRET_MIN never matches.  Every
 * configured secret is always looked at. */
bool crypt_secret_matches(
    const char *presented, size_t n, const char *secret, const char *previous);

/* Streaming BLAKE2b-256, for files. */
struct crypt_hash {
	_Alignas(64) unsigned char state[512];
};
void crypt_hash_init(struct crypt_hash *h);
void crypt_hash_add(struct crypt_hash *h, const void *p, size_t n);
void crypt_hash_end(struct crypt_hash *h, char ret[static CRYPT_HASH_HEX]);

/* BLAKE2b-256 of n bytes, as hex: how API keys and session ids are kept. */
void crypt_hash_hex(const void *p, size_t n, char ret[static CRYPT_HASH_HEX]);

/* argon2id.  Cost: 46 MiB, one pass (about 30 ms). */
bool crypt_password_hash(const char *password,
    char ret[static CRYPT_PASSWORD_HASH_MAX], struct err *e) MUSTCHECK;
/* False for a wrong one.  hash NULL: the same time is spent, then false. */
bool crypt_password_check(const char *password, const char *hash);

/* JSON Web Tokens, HS256 only.  claims is a JSON object (text).  The token is
 * appended to ret. */
void crypt_jwt_sign(
    const char *key, const char *claims, size_t n, struct buf *ret);
/* True: the signature and algorithm hold, and the claims' JSON is appended to
 * ret.  The caller checks exp and the rest. */
bool crypt_jwt_open(
    const char *key, const char *token, size_t n, struct buf *ret) MUSTCHECK;

/* HMAC-SHA256 of n bytes under a key of any length, appended as base64. */
void crypt_hmac_base64(
    const void *key, size_t nkey, const void *p, size_t n, struct buf *ret);
/* Append the bytes that a base64 text stands for; false: it is none. */
bool crypt_unbase64(const char *text, struct buf *ret) MUSTCHECK;

void crypt_wipe(void *p, size_t n);

#endif
