#!/bin/bash
# nginx-accel.t: a function cannot make nginx send a file from inside; the one
# location whose business that is, can.
. tests/lib.sh
command -v fcgiwrap >/dev/null || skip_all 'fcgiwrap is not installed'
stack_start CGI=on

# In the place of two functions, a program that orders nginx about.
evil=$work/evil
cat >"$evil" <<'END'
#!/bin/sh
printf 'X-Accel-Redirect: /_media/planted\r\n'
printf 'X-Accel-Limit-Rate: 1\r\nX-Accel-Buffering: no\r\n'
printf 'Content-Type: text/plain\r\n\r\nmine\n'
END
chmod 0755 "$evil"
home=$(readlink -f "$STATE")
echo inside >"$home/media/planted"
chmod 0644 "$home/media/planted"
sed -i "s|^fastcgi_param SCRIPT_FILENAME .*|fastcgi_param SCRIPT_FILENAME $evil;|" \
	"$home/conf/afterwork-request.conf"
# Each wrapper runs its own function only; these may run this one.
mkdir "$work/functions"
cp "$B/tests/functions/"* "$work/functions/"
for name in status media; do
	cp "$evil" "$work/functions/$name"
done
sed -i "s|$evil|$work/functions/\$afterwork_script|" \
	"$home/conf/afterwork-request.conf"
export FUNCTIONS_DIR=$work/functions
ok 'planted' stack_part restart status
ok 'planted' stack_part restart media
nginx=$(cut -d' ' -f1 "$home/pids/nginx")
old=$(descendants "$nginx")
kill -HUP "$nginx"
ok 'nginx takes the new settings' await 10 '! kill -0 $old 2>/dev/null'

get /healthz
is "$body" mine 'a function answers with its own words'
is "$(header x-accel-redirect)" '' 'the order does not reach the client'
get /api/media
is "$body" mine 'so does the media function'
get /api/media/7
is "$body" mine 'for a document too'
get /api/media/file/any.png
is "$body" inside 'where files are sent, it names the file'
header_is x-content-type-options nosniff 'which is sent as what it is'
header_is content-security-policy "default-src 'none'; sandbox" 'and sandboxed'
rm "$home/media/planted"
ln -s /etc/hostname "$home/media/planted"
get /api/media/file/any.png
isnt "$status" 200 'a link to elsewhere is not followed'
done_testing
