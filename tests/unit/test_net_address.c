/* Which addresses may be called. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/link/net_address.h"
#include "tests/unit/tap.h"

static bool
allowed(const char *text, const char *ranges)
{
	struct sockaddr_in six_or_four[4] = { { 0 } };
	struct sockaddr *a = (void *)six_or_four;
	struct sockaddr_in6 *six = (void *)six_or_four;
	struct net_ranges r;
	struct err e = { 0 };

	if (!net_ranges_parse(ranges, &r, &e))
		return false;
	if (inet_pton(AF_INET, text, &six_or_four[0].sin_addr) == 1)
		a->sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
		a->sa_family = AF_INET6;
	return net_address_allowed(a, &r);
}

static void
public_ones(void)
{
	static const char *const list[] = { "1.1.1.1", "9.255.255.255",
		"11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.1", "169.253.1.1", "169.255.1.1", "172.15.255.255",
		"172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2606:4700::1111", "2a00:1450:4001::1", "2001:200::1",
		"2001:db7::1", "2003::1", "3ffe::1" };

	for (size_t i = 0; i < LEN(list); i++)
		ok(allowed(list[i], NULL), "%s may be called", list[i]);
}

static void
others(void)
{
	static const char *const list[] = { "0.0.0.0", "0.1.2.3", "10.0.0.1",
		"10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
		"127.255.255.255", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
		"192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
		"203.0.113.9", "224.0.0.1", "239.1.2.3", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:1.1.1.1",
		"::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::101:101",
		"100::1", "2001::1", "2001:1ff::1", "2001:db8::1",
		"2002:7f00:1::1", "3fff:1::1", "4000::1", "fc00::1", "fd12::1",
		"fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1" };

	for (size_t i = 0; i < LEN(list); i++)
		ok(!allowed(list[i], NULL), "%s may not", list[i]);
}

static void
ranges(void)
{
	ok(allowed("10.1.2.3", "10.1.0.0/16"), "in a range");
	ok(!allowed("10.2.2.3", "10.1.0.0/16"), "beside it");
	ok(allowed("127.0.0.1", "::1,127.0.0.1"), "an address by itself");
	ok(!allowed("127.0.0.2", "::1, 127.0.0.1"), "and no other");
	ok(allowed("172.23.1.1", "172.20.0.0/14"), "bits within a byte");
	ok(!allowed("172.24.1.1", "172.20.0.0/14"), "the next");
	ok(allowed("fd00::7", "fd00::/8"), "IPv6");
	ok(allowed("10.9.9.9", "0.0.0.0/0"), "all of IPv4");
	ok(!allowed("::1", "0.0.0.0/0"), "is not all of IPv6");
	ok(allowed("::1", "::/0"), "that is this");
	ok(!allowed("::ffff:127.0.0.1", "127.0.0.1,::/0"),
	    "an IPv4 address in disguise stays out");
	ok(allowed("8.8.8.8", "10.0.0.0/8"), "public ones need no range");
}

static void
malformed(void)
{
	static const char *const list[] = { "1", "10.0.0.0/33", "::/129",
		"10.0.0.0/", "10.0.0.0/-1", "localhost", "10.0.0.1;::1",
		"10.0.0/8", "/8", "10.0.0.0/8/8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999/128" };
	struct net_ranges r = { .n = 7 };
	struct err e = { 0 };

	for (size_t i = 0; i < LEN(list); i++)
		ok(!net_ranges_parse(list[i], &r, &e) &&
			e.code == ERR_INVALID && r.n == 7,
		    "no range: %s", list[i]);
	ok(net_ranges_parse("", &r, &e) && r.n == 0, "none is fine");
}

int
main(void)
{
	public_ones();
	others();
	ranges();
	malformed();
	return done();
}
