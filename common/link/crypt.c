/*
 * Secrets, tokens, hashes through libsodium.
 *
 * A presented secret is hashed with a key that this process made at its
 * start, over a buffer of fixed size, so that the time of a check depends
 * neither on the secret nor on how much of it was guessed.
 */
#include "common/link/crypt.h"

#include <sodium.h>

#include "common/link/js.h"

enum {
	HASH = 32,
	RANDOM_MAX = 64,
	JWT_MAX = 16 * 1024, /* longest token that is looked at */
	PASSWORD_MEMORY = 46 * 1024 * 1024,
	PASSWORD_PASSES = 1,
};

/* base64url without padding of {"alg":"HS256","typ":"JWT"} */
static const char JWT_HEADER[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

static unsigned char crypt_key[crypto_generichash_KEYBYTES];

/* Of a random password nobody knows, at the cost below: what an unknown user
 * is checked against, so that it takes the time of a known one. */
static const char DECOY[] =
    "$argon2id$v=19$m=47104,t=1,p=1$zoWg5UDun6QicLtX5/oUNw$"
    "N4EJ1T9n+OxQ9ihCXg+/pbxHufGUAwUxcjgQg+bw0w0";

_Static_assert(CRYPT_HASH_HEX == 2 * HASH + 1, "hex of a hash");
_Static_assert(
    CRYPT_PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "a password hash fits");
_Static_assert(
    sizeof(struct crypt_hash) >= sizeof(crypto_generichash_state) &&
	_Alignof(struct crypt_hash) >= _Alignof(crypto_generichash_state),
    "the state fits");

bool
crypt_init(struct err *e)
{
	/* 1: was ready before.  The key is made once; forks share it. */
	int was = sodium_init();

	if (was < 0)
		return err_fail(
		    e, ERR_UNAVAILABLE, "could not start libsodium");
	if (was == 0)
		randombytes_buf(crypt_key, sizeof(crypt_key));
	return true;
}

void
crypt_random_hex(size_t n, char *ret)
{
	unsigned char bytes[RANDOM_MAX];

	while (n > 0) {
		size_t some = n < sizeof(bytes) ? n : sizeof(bytes);

		randombytes_buf(bytes, some);
		sodium_bin2hex(ret, 2 * some + 1, bytes, some);
		ret += 2 * some;
		n -= some;
	}
	*ret = '\0';
	sodium_memzero(bytes, sizeof(bytes));
}

/* --- secrets --- */

/* Always the same number of bytes goes into the hash: text, zeros, length. */
static void
secret_hash(const char *p, size_t n, unsigned char ret[static HASH])
{
	struct {
		unsigned char text[CRYPT_TOKEN_MAX];
		uint64_t n;
	} padded = { .n = n };

	memcpy(padded.text, p, n < CRYPT_TOKEN_MAX ? n : CRYPT_TOKEN_MAX);
	(void)crypto_generichash(ret, HASH, (const unsigned char *)&padded,
	    sizeof(padded), crypt_key, sizeof(crypt_key));
	sodium_memzero(&padded, sizeof(padded));
}

/* 1 when the presented hash is that of the configured secret. */
static unsigned
secret_equals(const unsigned char presented[static HASH], const char *secret)
{
	unsigned char own[HASH];
	size_t n = secret == NULL ? 0 : strlen(secret);
	unsigned counts = n >= CRYPT_SECRET_MIN && n <= CRYPT_TOKEN_MAX;
	unsigned equal;

	secret_hash(secret == NULL ? "" : secret, n, own);
	equal = sodium_memcmp(presented, own, HASH) == 0;
	sodium_memzero(own, sizeof(own));
	return equal & counts;
}

bool
crypt_secret_matches(
    const char *presented, size_t n, const char *secret, const char *previous)
{
	unsigned char hash[HASH];
	unsigned match;

	secret_hash(presented, n, hash);
	match = secret_equals(hash, secret);
	match |= secret_equals(hash, previous);
	return match != 0;
}

/* --- hashes --- */

static crypto_generichash_state *
hash_state(struct crypt_hash *h)
{
	return (crypto_generichash_state *)(void *)h->state;
}

void
crypt_hash_init(struct crypt_hash *h)
{
	(void)crypto_generichash_init(hash_state(h), NULL, 0, HASH);
}

void
crypt_hash_add(struct crypt_hash *h, const void *p, size_t n)
{
	(void)crypto_generichash_update(hash_state(h), p, n);
}

void
crypt_hash_end(struct crypt_hash *h, char ret[static CRYPT_HASH_HEX])
{
	unsigned char hash[HASH];

	(void)crypto_generichash_final(hash_state(h), hash, sizeof(hash));
	sodium_bin2hex(ret, CRYPT_HASH_HEX, hash, sizeof(hash));
}

void
crypt_hash_hex(const void *p, size_t n, char ret[static CRYPT_HASH_HEX])
{
	struct crypt_hash h;

	crypt_hash_init(&h);
	crypt_hash_add(&h, p, n);
	crypt_hash_end(&h, ret);
}

bool
crypt_password_hash(const char *password,
    char ret[static CRYPT_PASSWORD_HASH_MAX], struct err *e)
{
	char hash[crypto_pwhash_STRBYTES];
	size_t n = strlen(password);

	if (n > CRYPT_PASSWORD_MAX)
		return err_field(e, "password",
		    "The password must have at most %d bytes.",
		    CRYPT_PASSWORD_MAX);
	if (crypto_pwhash_str(
		hash, password, n, PASSWORD_PASSES, PASSWORD_MEMORY) != 0)
		return err_fail(e, ERR_UNAVAILABLE,
		    "could not hash a password: out of memory");
	memcpy(ret, hash, sizeof(hash));
	return true;
}

bool
crypt_password_check(const char *password, const char *hash)
{
	size_t n = strlen(password);
	bool match;

	if (n > CRYPT_PASSWORD_MAX)
		return false;
	match = crypto_pwhash_str_verify(
		    hash == NULL ? DECOY : hash, password, n) == 0;
	return match && hash != NULL;
}

/* --- message authentication, base64 --- */

static void
hmac(const void *key, size_t nkey, const void *p, size_t n,
    unsigned char ret[static HASH])
{
	crypto_auth_hmacsha256_state state;

	/* The streaming form takes a key of any length, as RFC 2104 has it. */
	(void)crypto_auth_hmacsha256_init(&state, key, nkey);
	(void)crypto_auth_hmacsha256_update(&state, p, n);
	(void)crypto_auth_hmacsha256_final(&state, ret);
	sodium_memzero(&state, sizeof(state));
}

static void
add_base64(struct buf *b, const void *p, size_t n, int variant)
{
	size_t room = sodium_base64_encoded_len(n, variant);

	if (!buf_reserve(b, room))
		return;
	sodium_bin2base64(b->data + b->len, room, p, n, variant);
	b->len += room - 1;
}

/* Append the bytes that the text stands for; false when it is malformed. */
static bool
add_unbase64(struct buf *b, const char *p, size_t n, int variant)
{
	size_t got;

	if (!buf_reserve(b, n) ||
	    sodium_base642bin((unsigned char *)b->data + b->len, n, p, n, NULL,
		&got, NULL, variant) != 0)
		return false;
	b->len += got;
	b->data[b->len] = '\0';
	return true;
}

void
crypt_hmac_base64(
    const void *key, size_t nkey, const void *p, size_t n, struct buf *ret)
{
	unsigned char mac[HASH];

	hmac(key, nkey, p, n, mac);
	add_base64(ret, mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
}

bool
crypt_unbase64(const char *text, struct buf *ret)
{
	return add_unbase64(
	    ret, text, strlen(text), sodium_base64_VARIANT_ORIGINAL);
}

/* --- JSON Web Tokens --- */

enum { JWT_BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

static void
jwt_mac(
    const char *key, const char *p, size_t n, unsigned char ret[static HASH])
{
	hmac(key, strlen(key), p, n, ret);
}

void
crypt_jwt_sign(const char *key, const char *claims, size_t n, struct buf *ret)
{
	unsigned char mac[HASH];
	size_t start = ret->len;

	buf_adds(ret, JWT_HEADER);
	buf_addc(ret, '.');
	add_base64(ret, claims, n, JWT_BASE64);
	if (ret->broken)
		return;
	jwt_mac(key, ret->data + start, ret->len - start, mac);
	buf_addc(ret, '.');
	add_base64(ret, mac, sizeof(mac), JWT_BASE64);
}

/* The header is an object whose alg is HS256, whoever wrote it. */
static bool
jwt_header_holds(const char *p, size_t n)
{
	AUTO_BUF json = BUF_INIT;
	AUTO_JS *header = NULL;
	const char *alg;
	struct err e;

	return add_unbase64(&json, p, n, JWT_BASE64) &&
	       js_parse_object(json.data, json.len, &header, &e) &&
	       js_text(header, "alg", "", &alg, &e) &&
	       strcmp(alg, "HS256") == 0 && js_get(header, "crit") == NULL;
}

bool
crypt_jwt_open(const char *key, const char *token, size_t n, struct buf *ret)
{
	unsigned char want[HASH];
	AUTO_BUF mac = BUF_INIT;
	AUTO_BUF claims = BUF_INIT;
	const char *dot1 = n > JWT_MAX ? NULL : memchr(token, '.', n);
	const char *dot2 = dot1 == NULL ? NULL
					: memchr(dot1 + 1, '.',
					      n - (size_t)(dot1 + 1 - token));

	if (dot2 == NULL || key == NULL || key[0] == '\0')
		return false;
	jwt_mac(key, token, (size_t)(dot2 - token), want);
	if (!add_unbase64(
		&mac, dot2 + 1, n - (size_t)(dot2 + 1 - token), JWT_BASE64) ||
	    mac.len != HASH || sodium_memcmp(mac.data, want, HASH) != 0)
		return false;
	if (!jwt_header_holds(token, (size_t)(dot1 - token)) ||
	    !add_unbase64(
		&claims, dot1 + 1, (size_t)(dot2 - dot1 - 1), JWT_BASE64))
		return false;
	buf_add(ret, claims.data, claims.len);
	return !ret->broken;
}

void
crypt_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}
