# shellcheck shell=bash disable=SC2034
# Accounts of a test's own:
#
#	person editor    makes an editor; sets $email, $password and $key, the
#	                 API key, so that
#	as "users API-Key $key"
#
# is that editor.

person() {
	local said
	email=$1-$$-$RANDOM@example.com
	said=$("$B/afterwork" user add "$email" --role "$1" --api-key \
		2>&1 </dev/null) || bail "no account: $said"
	password=$(sed -n 's/^password: //p' <<<"$said")
	key=$(sed -n 's/^API key: //p' <<<"$said")
}
