/* Addresses and words in the head of a mail. */
#include "common/parse/mailtext.h"
#include "tests/unit/tap.h"

static void
taken(void)
{
	static const char *const list[][3] = {
		{ "ana@example.com", "ana@example.com", "" },
		{ "a.b+c_d@x-y.example", "a.b+c_d@x-y.example", "" },
		{ "root@localhost", "root@localhost", "" },
		{ "<ana@example.com>", "ana@example.com", "" },
		{ "Ana <ana@example.com>", "ana@example.com", "Ana" },
		{ "\"Ana, B.\" <ana@example.com>", "ana@example.com",
		    "Ana, B." },
		{ "Ana \xc5\xbd <ana@example.com>", "ana@example.com",
		    "Ana \xc5\xbd" },
		{ "a <b> <c@d>", "c@d", "a <b>" },
	};

	for (size_t i = 0; i < LEN(list); i++) {
		struct mailtext_address a;
		struct err e = { 0 };

		if (!ok(mailtext_parse(list[i][0], &a, &e), "taken: %s",
			list[i][0]))
			continue;
		is_text(a.address, list[i][1], "its address");
		is_text(a.name, list[i][2], "its name");
	}
}

static void
refused(void)
{
	static const char *const list[] = { "", "ana", "@example.com", "ana@",
		"ana@@example.com", "a b@example.com", "ana@exam ple.com",
		".ana@example.com", "ana.@example.com", "a..b@example.com",
		"ana@example..com", "ana@.com", "ana@example.com.",
		"ana@exam_ple.com", "\"a b\"@example.com", "ana@[127.0.0.1]",
		"ana@example.com\r\nRCPT TO:<b@c>", "ana@example.com\n",
		"A\r\nBcc: b@c <ana@example.com>", "A\nB <ana@example.com>",
		"A\tB <ana@example.com>", "A\x7f <ana@example.com>",
		"A\xc2\x85 <ana@example.com>", "A\xff <ana@example.com>",
		"Ana <ana@example.com> x", "Ana <ana@example.com", "a@b, c@d",
		"a@b>", "<>", "\xc5\xbd@example.com",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaa"
		"@b" };
	char text[400];

	for (size_t i = 0; i < LEN(list); i++) {
		struct mailtext_address a;
		struct err e = { 0 };

		ok(!mailtext_parse(list[i], &a, &e) && e.code == ERR_INVALID,
		    "refused: number %zu", i);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 7, " <a@b>", 7);
	{
		struct mailtext_address a;
		struct err e = { 0 };

		ok(!mailtext_parse(text, &a, &e), "refused: a long name");
	}
}

static void
words(void)
{
	static const char *const list[][2] = { { "Hello", "Hello" }, { "", "" },
		{ "a=?b", "=?UTF-8?Q?a=3D=3Fb?=" },
		{ "\xc5\xbd", "=?UTF-8?Q?=C5=BD?=" },
		{ "a b\xc5\xbd", "=?UTF-8?Q?a=20b=C5=BD?=" },
		{ "a\r\nBcc: b", "=?UTF-8?Q?a=0D=0ABcc=3A=20b?=" },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "89x",
		    "=?UTF-8?Q?01234567890123456789?=\r\n"
		    " =?UTF-8?Q?01234567890123456789?=\r\n"
		    " =?UTF-8?Q?01234567890123456789?=\r\n"
		    " =?UTF-8?Q?x?=" } };
	struct mailtext_address a = { "a@b", "A \"B\" \\" };
	AUTO_BUF b = BUF_INIT;

	for (size_t i = 0; i < LEN(list); i++) {
		buf_clear(&b);
		mailtext_add(&b, list[i][0]);
		is_text(b.data, list[i][1], "a line of %zu bytes",
		    strlen(list[i][0]));
	}
	buf_clear(&b);
	mailtext_add_address(&b, &a);
	is_text(b.data, "\"A \\\"B\\\" \\\\\"\r\n <a@b>", "a name is quoted");
	buf_clear(&b);
	(void)snprintf(a.name, sizeof(a.name), "\xc4\x8c");
	mailtext_add_address(&b, &a);
	is_text(b.data, "=?UTF-8?Q?=C4=8C?=\r\n <a@b>", "or encoded");
}

int
main(void)
{
	taken();
	refused();
	words();
	return done();
}
