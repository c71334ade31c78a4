# shellcheck shell=bash disable=SC2154
# Lists by HTTP:
#
#	ask /api/pages 'where[title][equals]=a b' sort=-id
#	refused /api/pages title 'where[title][near]=1'
#
# Each parameter is encoded behind its first "=".

ask() {
	local path=$1 one how=()
	shift
	for one; do
		how+=(--data-urlencode "$one")
	done
	get "$path" "${how[@]}" -G
}

# ids [FILTER]: of the last list, or another field of its documents.
field_of_docs() {
	jqr "[.docs[]$1] | join(\" \")"
}

# refused PATH FIELD PARAMETER…: 400 that names the field.
refused() {
	local path=$1 field=$2
	shift 2
	ask "$path" "$@"
	is "$status $(jqr '.errors[0] | .data | if type == "array" then .[0].path else .errors[0].path end')" \
		"400 $field" "refused: ${*:0:80}"
}
