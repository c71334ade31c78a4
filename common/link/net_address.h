/*
 * Which addresses of other hosts may be called: those of the public internet,
 * and ranges that an operator allows.
 *
 * Not public is what IANA's registries of special-purpose addresses have as
 * not globally reachable, multicast, and every form in which an IPv6 address
 * carries an IPv4 one, since that one would go unseen.
 */
#ifndef AFTERWORK_LINK_NET_ADDRESS_H
#define AFTERWORK_LINK_NET_ADDRESS_H

#include "common/base/err.h"

struct sockaddr;

enum { NET_RANGES_MAX = 32 };

struct net_range {
	uint8_t prefix[16]; /* an IPv4 one as ::ffff:a.b.c.d */
	int bits;           /* of the 128 */
};

struct net_ranges {
	struct net_range v[NET_RANGES_MAX];
	size_t n;
};

/* "10.1.0.0/16,192.168.7.9,fd00::/8": addresses, each with how many bits of it
 * count (all, if it does not say).  NULL or empty: none. */
bool net_ranges_parse(
    const char *text, struct net_ranges *ret, struct err *e) MUSTCHECK;

/* Public, or in one of the ranges.  An IPv4 address in the form of an IPv6 one
 * (::ffff:a.b.c.d) never is. */
bool net_address_allowed(const struct sockaddr *a, const struct net_ranges *r);

#endif
