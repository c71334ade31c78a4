/* Secrets, hashes, passwords, tokens. */
#include "common/link/crypt.h"

#include "common/base/clock.h"
#include "tests/unit/tap.h"

static const char SECRET[] = "0123456789abcdef0123456789abcdef";
static const char OLD[] = "fedcba9876543210fedcba9876543210!";

static void
test_random(void)
{
	char a[2 * 100 + 1], b[2 * 100 + 1];

	crypt_random_hex(100, a);
	crypt_random_hex(100, b);
	is_int((int64_t)strlen(a), 200, "two digits a byte");
	is_int((int64_t)strspn(a, "0123456789abcdef"), 200, "hex digits");
	ok(strcmp(a, b) != 0, "never twice the same");
	crypt_random_hex(0, a);
	is_text(a, "", "none");
}

static const struct {
	const char *presented, *secret, *previous;
	bool want;
	const char *what;
} secrets[] = {
	{ SECRET, SECRET, NULL, true, "the secret" },
	{ SECRET, SECRET, OLD, true, "the secret beside the old" },
	{ OLD, SECRET, OLD, true, "the old one" },
	{ OLD, SECRET, NULL, false, "the old one, forgotten" },
	{ "", SECRET, NULL, false, "nothing" },
	{ "", NULL, NULL, false, "nothing against none" },
	{ "", "", "", false, "nothing against empty" },
	{ "undefined", NULL, NULL, false, "no secret set" },
	{ "short", "short", "short", false, "a short secret never matches" },
	{ "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcde",
	    NULL, false, "31 characters are short" },
	{ "0123456789abcdef0123456789abcde", SECRET, NULL, false,
	    "one character less" },
	{ "0123456789abcdef0123456789abcdefx", SECRET, NULL, false,
	    "one more" },
	{ "0123456789abcdef0123456789abcdeF", SECRET, NULL, false,
	    "another case" },
	{ OLD, NULL, OLD, true, "only the old one set" },
};

static void
test_secrets(void)
{
	char large[CRYPT_TOKEN_MAX + 2];

	for (size_t i = 0; i < LEN(secrets); i++)
		is_int(crypt_secret_matches(secrets[i].presented,
			   strlen(secrets[i].presented), secrets[i].secret,
			   secrets[i].previous),
		    secrets[i].want, "%s", secrets[i].what);
	ok(!crypt_secret_matches(
	       "0123456789abcdef0123456789abcdef\0", 33, SECRET, NULL),
	    "a NUL byte behind counts");

	memset(large, 'a', sizeof(large));
	large[CRYPT_TOKEN_MAX] = '\0';
	ok(crypt_secret_matches(large, CRYPT_TOKEN_MAX, large, NULL),
	    "the longest that counts");
	large[CRYPT_TOKEN_MAX] = 'a';
	large[CRYPT_TOKEN_MAX + 1] = '\0';
	ok(!crypt_secret_matches(large, CRYPT_TOKEN_MAX + 1, large, NULL),
	    "one longer is cut, and so never matches");
	large[CRYPT_TOKEN_MAX] = '\0';
	ok(!crypt_secret_matches(large, CRYPT_TOKEN_MAX + 1, large, NULL),
	    "nor does it match what it is cut to");
}

static const struct {
	const char *text, *hash;
} hashes[] = {
	{ "", "0e5751c026e543b2e8ab2eb06099daa1"
	      "d1e5df47778f7787faab45cdf12fe3a8" },
	{ "abc", "bddd813c634239723171ef3fee98579b"
		 "94964e3bb1cb3e427262c8c068d52319" },
};

static void
test_hashes(void)
{
	char hex[CRYPT_HASH_HEX], again[CRYPT_HASH_HEX];
	static char block[100000];
	struct crypt_hash h;

	for (size_t i = 0; i < LEN(hashes); i++) {
		crypt_hash_hex(hashes[i].text, strlen(hashes[i].text), hex);
		is_text(hex, hashes[i].hash, "BLAKE2b-256 of \"%s\"",
		    hashes[i].text);
	}
	memset(block, 'b', sizeof(block));
	crypt_hash_hex(block, sizeof(block), hex);
	crypt_hash_init(&h);
	for (size_t at = 0; at < sizeof(block); at += 1000)
		crypt_hash_add(&h, block + at, 1000);
	crypt_hash_add(&h, block, 0);
	crypt_hash_end(&h, again);
	is_text(again, hex, "in parts it is the same");
}

static void
test_passwords(void)
{
	char hash[CRYPT_PASSWORD_HASH_MAX], other[CRYPT_PASSWORD_HASH_MAX];
	char large[CRYPT_PASSWORD_MAX + 2];
	int64_t known, unknown;
	struct err e;

	ok(crypt_password_hash("secret", hash, &e), "a password is hashed");
	ok(strncmp(hash, "$argon2id$v=19$m=47104,t=1,p=1$", 31) == 0,
	    "by argon2id at the promised cost: %.31s", hash);
	ok(crypt_password_hash("secret", other, &e) && strcmp(hash, other) != 0,
	    "and salted");
	ok(crypt_password_check("secret", hash), "the right one");
	ok(!crypt_password_check("Secret", hash), "a wrong one");
	ok(!crypt_password_check("", hash), "an empty one");
	ok(!crypt_password_check("secret", NULL), "an unknown user");
	ok(!crypt_password_check("secret", "garbage"), "no hash at all");

	known = clock_mono_us();
	(void)!crypt_password_check("wrong", hash);
	known = clock_mono_us() - known;
	unknown = clock_mono_us();
	(void)!crypt_password_check("wrong", NULL);
	unknown = clock_mono_us() - unknown;
	ok(unknown > known / 4, "an unknown user costs the time of a known");

	memset(large, 'p', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	ok(!crypt_password_hash(large, hash, &e) && e.code == ERR_INVALID,
	    "a password that is too long is refused");
	ok(!crypt_password_check(large, hash), "and matches nothing");
}

/* From RFC 7515, A.1: header, claims and signature of others. */
static const char RFC_TOKEN[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char RFC_KEY[] =
    "\x03\x23\x35\x4b\x2b\x0f\xa5\xbc\x83\x7e\x06\x65\x77\x7b\xa6\x8f"
    "\x5a\xb3\x28\xe6\xf0\x54\xc9\x28\xa9\x0f\x84\xb2\xd2\x50\x2e\xbf"
    "\xd3\xfb\x5a\x92\xd2\x06\x47\xef\x96\x8a\xb4\xc3\x77\x62\x3d\x22"
    "\x3d\x2e\x21\x72\x05\x2e\x4f\x08\xc0\xcd\x9a\xf5\x67\xd0\x80\xa3";

static bool
opens(const char *key, const char *token)
{
	AUTO_BUF claims = BUF_INIT;

	return crypt_jwt_open(key, token, strlen(token), &claims);
}

/* The token with one character changed must not open. */
static void
test_changed(const char *token)
{
	AUTO_BUF b = BUF_INIT;
	int opened = 0;

	buf_adds(&b, token);
	for (size_t i = 0; i < b.len; i++) {
		char was = b.data[i];

		b.data[i] = was == 'A' ? 'B' : 'A';
		opened += opens(SECRET, b.data);
		b.data[i] = was;
	}
	is_int(opened, 0, "one changed character anywhere is noticed");
	for (size_t n = 0; n < b.len; n++) {
		AUTO_BUF claims = BUF_INIT;

		opened += crypt_jwt_open(SECRET, b.data, n, &claims);
	}
	is_int(opened, 0, "so is a token cut anywhere");
	ok(opens(SECRET, b.data), "the token itself is good");
	buf_addc(&b, 'A');
	ok(!opens(SECRET, b.data), "one more character is noticed");
}

static const char *const bad_tokens[] = {
	"",
	".",
	"..",
	"...",
	"a.b.c",
	/* {"alg":"none"} without a signature */
	"eyJhbGciOiJub25lIn0.e30.",
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30",
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.",
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..",
	/* base64 of another alphabet, with padding */
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30=.AAAA",
};

static void
test_jwt(void)
{
	static const char claims[] = "{\"id\":1,\"exp\":2000000000}";
	AUTO_BUF token = BUF_INIT;
	AUTO_BUF back = BUF_INIT;

	ok(crypt_jwt_open(RFC_KEY, RFC_TOKEN, strlen(RFC_TOKEN), &back),
	    "the example of RFC 7515 opens");
	is_text(back.data,
	    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
	    "\"http://example.com/is_root\":true}",
	    "with its claims");
	ok(!opens(SECRET, RFC_TOKEN), "another key does not open it");

	buf_clear(&back);
	buf_adds(&token, "before ");
	crypt_jwt_sign(SECRET, claims, strlen(claims), &token);
	ok(strncmp(token.data, "before ey", 9) == 0, "a token is appended");
	ok(crypt_jwt_open(SECRET, token.data + 7, token.len - 7, &back),
	    "and opens");
	is_text(back.data, claims, "with the same claims");
	ok(!opens("", token.data + 7) && !opens(OLD, token.data + 7),
	    "not with another key or none");
	test_changed(token.data + 7);
	for (size_t i = 0; i < LEN(bad_tokens); i++)
		ok(!opens(SECRET, bad_tokens[i]), "bad token %zu", i);
}

/* Signed with the right key, but by another header. */
static void
test_jwt_header(void)
{
	/* {"alg":"HS512"}.{} and {"alg":"HS256","crit":["x"]}.{} with their
	 * HS256 signatures under SECRET. */
	static const char *const tokens[] = {
		"eyJhbGciOiJIUzUxMiJ9.e30."
		"laAiANKPFoTwM-DmQFPpMo5fuWR8pJ6RvfMeKobe80Q",
		"eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.e30."
		"Jx3WzBPKkiQGKNUxuiUsm4VNf7AfipfCyyyAN3QVaQA",
	};
	static const char good[] =
	    "eyJhbGciOiJIUzI1NiJ9.e30."
	    "x68P15GCa1HmSDdw4rVLsw6ZdUMyLZHfITcI3kWE3Eg";

	ok(opens(SECRET, good), "a header without typ is good");
	for (size_t i = 0; i < LEN(tokens); i++)
		ok(!opens(SECRET, tokens[i]), "signed, but header %zu", i);
}

static void
test_wipe(void)
{
	char text[] = "secret";

	crypt_wipe(text, sizeof(text));
	ok(memcmp(text, "\0\0\0\0\0\0\0", sizeof(text)) == 0, "wiped");
}

/* RFC 4231, case 2, and a key longer than a block (case 6). */
static void
test_hmac(void)
{
	static const char text[] = "what do ya want for nothing?";
	static const char larger[] =
	    "Test Using Larger Than Block-Size Key - Hash Key First";
	AUTO_BUF b = BUF_INIT;
	char key[131];

	crypt_hmac_base64("Jefe", 4, text, strlen(text), &b);
	is_text(b.data,
	    "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", "a short key");
	memset(key, 0xaa, sizeof(key));
	buf_clear(&b);
	crypt_hmac_base64(key, sizeof(key), larger, strlen(larger), &b);
	is_text(b.data,
	    "YOQxWR7gtn8Niiaqy/W3f44LxiE3KMUUBUYEDw7jf1Q=", "a long one");
	buf_clear(&b);
	ok(crypt_unbase64("aGkr/w==", &b) && b.len == 4 &&
		memcmp(b.data, "hi+\xff", 4) == 0,
	    "base64 is read");
	ok(!crypt_unbase64("a!b", &b), "and nothing else");
}

int
main(void)
{
	struct err e;

	if (!ok(crypt_init(&e), "libsodium starts") ||
	    !ok(crypt_init(&e), "and starts again"))
		return done();
	test_random();
	test_secrets();
	test_hashes();
	test_passwords();
	test_jwt();
	test_jwt_header();
	test_wipe();
	test_hmac();
	return done();
}
