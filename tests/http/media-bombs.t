#!/bin/bash
# media-bombs.t: small files that say to be huge pictures are refused by what
# they say, before anything decodes them.
. tests/lib.sh
stack_shared
png='\x89PNG\r\n\x1a\n\0\0\0\rIHDR'
riff='RIFF\0\0\0\0WEBP'

# make NAME TEXT: $work/NAME of printf's escapes.
make() {
	# shellcheck disable=SC2059
	printf "$2" >"$work/$1"
}

# more NAME COUNT TEXT: the text so often behind it.
more() {
	local i
	for ((i = 0; i < $2; i++)); do
		# shellcheck disable=SC2059
		printf "$3"
	done >>"$work/$1"
}

refused() {
	upload "$work/$1"
	status_is 400 "$1: refused"
	body_is '.errors[0].data.errors[0].path' file '  as the file'
	body_like '.errors[0].data.errors[0].message' "$2" '  with the reason'
}

before=$(sql 'SELECT count(*) FROM site.media')
large='has [0-9]+ x [0-9]+ pixels. At most 30000 a side are taken, and 100 megapixels'
make 64k.png "$png"'\0\1\0\0\0\1\0\0\x08\2\0\0\0abcd\0\0\0\1IDATxabcd'
refused 64k.png "$large"
# In 32 bits that is one pixel, in 64 it would be fewer than none.
make 4g.png "$png"'\xff\xff\xff\xff\xff\xff\xff\xff\x08\2\0\0\0abcd\0\0\0\1IDATxabcd'
refused 4g.png "has 4294967295 x 4294967295 pixels"
make long.png "$png"'\0\0\x75\x31\0\0\0\1\x08\2\0\0\0abcd\0\0\0\1IDATxabcd'
refused long.png 'has 30001 x 1 pixels'
make moves.png "$png"'\0\0\0\1\0\0\0\1\x08\2\0\0\0abcd\0\0\0\x08acTL\x7f\xff\xff\xff\0\0\0\0abcd\0\0\0\1IDATxabcd'
refused moves.png 'too many frames: at most 1000'
make none.png "$png"'\0\0\0\0\0\0\0\1\x08\2\0\0\0abcd'
refused none.png 'does not say how large'

jfif='\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0'
make 65535.jpg "$jfif"'\xff\xc2\0\x11\x08\xff\xff\xff\xff\3\1\x22\0\2\x11\1\3\x11\1'
refused 65535.jpg "$large"
make far.jpg "$jfif"
for i in 1 2 3; do
	{
		printf '\xff\xe2\xff\xff'
		head -c 65533 /dev/zero
	} >>"$work/far.jpg"
done
more far.jpg 1 '\xff\xc0\0\x11\x08\xff\xff\xff\xff\3\1\x22\0\2\x11\1\3\x11\1'
refused far.jpg "$large"
make none.jpg "$jfif"'\xff\xd9'
refused none.jpg 'does not say how large'

make screen.gif 'GIF89a\xff\xff\xff\xff\0\0\0;'
refused screen.gif "$large"
make frame.gif 'GIF89a\1\0\1\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\1x\0;'
refused frame.gif "$large"
make moves.gif 'GIF89a\1\0\1\0\0\0\0'
more moves.gif 1001 ',\0\0\0\0\1\0\1\0\0\2\1x\0'
refused moves.gif 'too many frames'
make all.gif 'GIF89a\xe8\x03\xe8\x03\0\0\0'
more all.gif 1000 ',\0\0\0\0\xe9\x03\xe8\x03\0\2\1x\0'
refused all.gif '1000 megapixels in all'

make canvas.webp "$riff"'VP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff'
refused canvas.webp 'has 16777216 x 16777216 pixels'
make stream.webp "$riff"'VP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f'
refused stream.webp 'has 16383 x 16383 pixels'

ftyp='\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf'
make 4g.avif "$ftyp"'\0\0\0\x30meta\0\0\0\0\0\0\0\x24iprp\0\0\0\x1cipco\0\0\0\x14ispe\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff'
refused 4g.avif 'has 4294967295 x 4294967295 pixels'
make back.avif "$ftyp"'\0\0\0\1free\xff\xff\xff\xff\xff\xff\xff\xf0'
refused back.avif 'does not say how large'

sql_is 'SELECT count(*) FROM site.media' "$before" 'none of them became a row'
is "$(find "$STATE/media/tmp" -type f | wc -l)" 0 'and none is left in tmp'

# At the very limit, by a file whose data would be far more than itself.
make edge.png "$png"'\0\0\x27\x10\0\0\x27\x10\x08\2\0\0\0abcd\0\0\0\1IDATxabcd'
upload "$work/edge.png"
status_is 201 '10000 x 10000 pixels are taken'
body_is '.doc | [.width, .height] | @csv' 10000,10000 'as what they are'
done_testing
