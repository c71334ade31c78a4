#include "common/link/net_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/base/num.h"

enum { ALL_BITS = 128, V4_BITS = 32 };

/* All that is not public, in IPv4. */
static const char NOT_PUBLIC_4[] =
    "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,"
    "172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,"
    "198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,224.0.0.0/4,240.0.0.0/4";

/* In IPv6 public addresses are all of one range, but for these of it: among
 * them Teredo (2001::) and 6to4 (2002::), which carry an IPv4 address. */
static const char PUBLIC_6[] = "2000::/3";
static const char NOT_PUBLIC_6[] =
    "2001::/23,2001:db8::/32,2002::/16,3fff::/20";

static void
set_v4(uint8_t ret[static 16], const void *four)
{
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, four, 4);
}

static bool
parse_address(const char *text, uint8_t ret[static 16], int *ret_bits)
{
	uint8_t four[4];

	*ret_bits = ALL_BITS;
	if (inet_pton(AF_INET6, text, ret) == 1)
		return true;
	*ret_bits = V4_BITS;
	if (inet_pton(AF_INET, text, four) != 1)
		return false;
	set_v4(ret, four);
	return true;
}

/* One of the list, n bytes. */
static bool
parse_range(const char *p, size_t n, struct net_range *ret)
{
	char text[INET6_ADDRSTRLEN + 4];
	int64_t bits;
	char *slash;
	int most;

	if (n >= sizeof(text))
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!parse_address(text, ret->prefix, &most))
		return false;
	bits = most;
	if (slash != NULL && !num_parse_text(slash + 1, 0, most, &bits))
		return false;
	ret->bits = (int)bits + ALL_BITS - most;
	return true;
}

bool
net_ranges_parse(const char *text, struct net_ranges *ret, struct err *e)
{
	struct net_ranges r = { .n = 0 };
	const char *p = text == NULL ? "" : text;

	while (*p != '\0') {
		size_t n = strcspn(p, ", ");

		if (n > 0 &&
		    (r.n == NET_RANGES_MAX || !parse_range(p, n, &r.v[r.n++])))
			return err_fail(e, ERR_INVALID,
			    "ranges of addresses are written as "
			    "10.1.0.0/16,fd00::/8, at most %d",
			    NET_RANGES_MAX);
		p += n;
		p += strspn(p, ", ");
	}
	*ret = r;
	return true;
}

static bool
in_range(const uint8_t a[static 16], const struct net_range *r)
{
	size_t whole = (size_t)r->bits / 8;
	int rest = r->bits % 8;

	return memcmp(a, r->prefix, whole) == 0 &&
	       (rest == 0 || (a[whole] ^ r->prefix[whole]) >> (8 - rest) == 0);
}

static bool
in_ranges(const uint8_t a[static 16], const struct net_ranges *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (in_range(a, &r->v[i]))
			return true;
	return false;
}

static bool
in_list(const uint8_t a[static 16], const char *list)
{
	struct net_ranges r;
	struct err e;

	/* The lists are ours. */
	if (!net_ranges_parse(list, &r, &e))
		abort();
	return in_ranges(a, &r);
}

bool
net_address_allowed(const struct sockaddr *a, const struct net_ranges *r)
{
	uint8_t bytes[16];

	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)a;

		set_v4(bytes, &in->sin_addr);
		return !in_list(bytes, NOT_PUBLIC_4) || in_ranges(bytes, r);
	}
	if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)a;

		memcpy(bytes, &in->sin6_addr, sizeof(bytes));
		return !IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) &&
		       ((in_list(bytes, PUBLIC_6) &&
			    !in_list(bytes, NOT_PUBLIC_6)) ||
			   in_ranges(bytes, r));
	}
	return false;
}
