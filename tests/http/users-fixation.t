#!/bin/bash
# users-fixation.t: who logs in gets a session of his own, whatever token his
# browser shows: nobody can lay one down for him beforehand.
. tests/lib.sh
. tests/people.sh
stack_shared
as nobody

# login EMAIL PASSWORD [CURL OPTION…]: as a page of ours does it.
login() {
	post /api/users/login "$(jq -cn --arg email "$1" --arg password "$2" '{$email, $password}')" \
		-H 'Sec-Fetch-Site: same-origin' "${@:3}"
	token=$(jqr .token)
}
# who TOKEN: whose it is.
who() {
	get /api/users/me -H "Cookie: payload-token=$1"
	jqr '.user.email // "nobody"'
}
sid() {
	local claims
	claims=$(cut -d. -f2 <<<"$1" | tr '_-' '/+')
	base64 -d 2>/dev/null <<<"$claims==" | jq -r .sid
}

person editor
attacker=$email
login "$attacker" "$password"
planted=$token
is "$(who "$planted")" "$attacker" '(the attacker has a session)'
person editor
victim=$email

# A session of the attacker's, a word of his choice, tokens that are none.
for cookie in "$planted" chosen "${planted%.*}." "x.y.${planted##*.}"; do
	login "$victim" "$password" -H "Cookie: payload-token=$cookie"
	is "$status $(jqr .user.email)" "200 $victim" "logged in with another's token: ${cookie:0:20}"
	isnt "$token" "$cookie" '  it is a new one'
	isnt "$(sid "$token")" "$(sid "$planted")" '  of a new session'
	is "$(header set-cookie | sed 's/;.*//')" "payload-token=$token" '  which the browser keeps instead'
	is "$(who "$token")" "$victim" '  and is his'
	isnt "$(who "$cookie")" "$victim" '  the old one is not'
done
is "$(who "$planted")" "$attacker" "the attacker's is what it was"

# By other ways in than the cookie.
mine=$token
login "$victim" "$password" -H "Authorization: JWT $planted"
isnt "$(sid "$token")" "$(sid "$planted")" 'nor is one of a header taken over'
for way in "?token=chosen" "?sid=$(sid "$planted")"; do
	post "/api/users/login$way" "$(jq -cn --arg email "$victim" --arg password "$password" --arg sid "$(sid "$planted")" \
		'{$email, $password, $sid, token: "chosen", id: 1}')"
	is "$status $(jqr .user.email)" "200 $victim" "logged in with $way"
	unlike "$(jqr .token)" chosen '  which chooses no token'
	isnt "$(sid "$(jqr .token)")" "$(sid "$planted")" '  and no session'
done

# Once more is another one; the end of one is not the end of the other's.
login "$victim" "$password" -H "Cookie: payload-token=$mine"
isnt "$(sid "$token")" "$(sid "$mine")" 'a login while logged in: a new session, too'
post /api/users/logout '{}' -H "Cookie: payload-token=$token" -H 'Sec-Fetch-Site: same-origin'
status_is 200 'logged out'
is "$(who "$token") $(who "$planted")" "nobody $attacker" 'of that session only'
done_testing
