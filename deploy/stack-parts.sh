# shellcheck shell=bash disable=SC2154
# The parts of the private stack and how each is set up.
# Part of deploy/stack.

# Names the socket's file only; nothing listens on TCP.
pg_port=5499
# shellcheck disable=SC2034
pg_socket_tail=/pg/.s.PGSQL.$pg_port
# The pooler's, in the same folder.
pool_port=5498

# --- PostgreSQL --------------------------------------------------------------

find_postgresql() {
	local dir
	for dir in /usr/lib/postgresql/{15,16,17,18}/bin; do
		[ -x "$dir/postgres" ] && pg_bin=$dir && return
	done
	die 'PostgreSQL 15 is not installed: run deploy/packages.sh build'
}

direct_url() {
	echo "postgresql://$1@/afterwork?host=$home/pg&port=$pg_port"
}

# What a login uses: the way through the pooler where there is one.
url() {
	if [ "$POOLED" = 1 ]; then
		echo "postgresql://$1@/afterwork?host=$home/pg&port=$pool_port"
	else
		direct_url "$1"
	fi
}

# psql as the superuser, without a person's settings.
pg_admin() {
	"${as_user[@]}" env -i PATH=/usr/bin:/bin LANG=C.UTF-8 \
		"$pg_bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$home/pg" \
		-p "$pg_port" -U postgres -d postgres -c "$1" \
		</dev/null 2>>"$home/log/postgresql.log"
}

# Made aside and moved into place, so that half a cluster never counts as one.
make_cluster() {
	local made=$home/pg/new
	check_space 131072 'a new database needs 128 MiB'
	rm -rf "$made" "$home/env"
	if [ -n "$SEED" ]; then
		copy_seed "$made"
	else
		(cd / && "${as_user[@]}" env -i PATH=/usr/bin:/bin LANG=C.UTF-8 \
			"$pg_bin/initdb" -D "$made" -U postgres --auth=peer \
			-E UTF8 --locale=C.UTF-8 --no-instructions) \
			>>"$home/log/initdb.log" 2>&1 </dev/null
	fi || die "cannot create the database: $(last_line initdb)"
	"${as_user[@]}" mv "$made" "$home/pg/data" ||
		die "cannot create $home/pg/data"
}

# The database, and the login that it knows, of a stack that is stopped.
copy_seed() {
	cp -a "$SEED/pg/data" "$1" && rm -f "$1/postmaster.pid" &&
		(umask 077 && grep -E '^(ADMIN_|API_KEY=)' "$SEED/env" \
			>"$home/env") 2>>"$home/log/initdb.log"
}

# Sized for a host of 1 GB that also runs everything else.
pg_settings() {
	cat <<-END
	listen_addresses = ''
	port = $pg_port
	unix_socket_directories = '$home/pg'
	hba_file = '$home/conf/pg_hba.conf'
	ident_file = '$home/conf/pg_ident.conf'
	max_connections = ${MAX_CONNECTIONS:-60}
	shared_buffers = 64MB
	# Loaded once, not by each runner's new session.
	shared_preload_libraries = 'plpgsql'
	effective_cache_size = 256MB
	work_mem = 4MB
	maintenance_work_mem = 32MB
	autovacuum_max_workers = 2
	max_worker_processes = 4
	min_wal_size = 32MB
	max_wal_size = 256MB
	checkpoint_timeout = 15min
	wal_compression = on
	jit = off
	client_connection_check_interval = 1s
	timezone = 'UTC'
	log_timezone = 'UTC'
	log_line_prefix = '%m [%p] %u '
	log_min_messages = warning
	log_min_error_statement = panic
	END
}

# A login for each function: who the operating system says you are decides
# which of them you may take.  root and the person who started the stack own
# the database; the servers' user takes any.
pg_ident() {
	local role
	for role in postgres afterwork afterwork_thumbnails \
		"${functions_known[@]/#/afterwork_}"; do
		echo "afterwork $user $role"
	done
	[ "$user" = root ] || echo "afterwork root afterwork"
	[ "$user" = "$me" ] || [ "$me" = root ] ||
		echo "afterwork $me afterwork"
}

configure_postgresql() {
	pg_settings >"$home/conf/postgresql.conf" &&
		pg_ident >"$home/conf/pg_ident.conf" &&
		echo 'local all all peer map=afterwork' \
			>"$home/conf/pg_hba.conf" ||
		die "cannot write to $home/conf"
}

start_postgresql() {
	local i
	find_postgresql
	[ -d "$home/pg/data" ] || make_cluster
	configure_postgresql
	launch postgresql TZ=UTC -- "$pg_bin/postgres" -D "$home/pg/data" \
		--config-file="$home/conf/postgresql.conf"
	# Recovery after a crash may take its time.
	for ((i = 0; i < 1200; i++)); do
		pg_admin 'SELECT 1' >/dev/null 2>&1 && break
		running postgresql ||
			die "PostgreSQL does not start: $(last_line postgresql)"
		sleep 0.05
	done
	running postgresql && make_database ||
		die "PostgreSQL is not ready: $(last_line postgresql)"
}

make_database() {
	[ "$(pg_admin "SELECT count(*) FROM pg_database
		WHERE datname = 'afterwork'")" = 1 ] && return
	pg_admin 'CREATE ROLE afterwork LOGIN CREATEROLE IN ROLE pg_read_all_stats' &&
		pg_admin 'CREATE DATABASE afterwork OWNER afterwork' &&
		pg_admin 'REVOKE TEMPORARY ON DATABASE afterwork FROM PUBLIC'
}

# --- PgBouncer ---------------------------------------------------------------

# Whoever may enter pg/ may take any login, as pg_ident has it.  options is what
# psql sends for PGOPTIONS; the functions send none through a pooler.  Small
# times, so that a database that was away is found again at once.
pgbouncer_ini() {
	cat <<-END
	[databases]
	* = host=$home/pg port=$pg_port
	[pgbouncer]
	listen_port = $pool_port
	unix_socket_dir = $home/pg
	unix_socket_mode = 0700
	auth_type = trust
	auth_file = $home/conf/pgbouncer.users
	admin_users = afterwork
	pool_mode = transaction
	default_pool_size = ${POOL_SIZE:-2}
	max_client_conn = 500
	ignore_startup_parameters = extra_float_digits, options
	server_login_retry = 1
	log_connections = 0
	log_disconnections = 0
	END
}

pgbouncer_users() {
	local role
	for role in afterwork afterwork_thumbnails \
		"${functions_known[@]/#/afterwork_}"; do
		printf '"%s" ""\n' "$role"
	done
}

start_pgbouncer() {
	local i bin=/usr/sbin/pgbouncer socket=$home/pg/.s.PGSQL.$pool_port
	[ -x "$bin" ] ||
		die 'PgBouncer is not installed: run deploy/packages.sh pooled'
	[[ ${POOL_SIZE:-2} =~ ^[1-9][0-9]{0,2}$ ]] ||
		die "POOL_SIZE is not a number of connections: $POOL_SIZE"
	pgbouncer_ini >"$home/conf/pgbouncer.ini" &&
		pgbouncer_users >"$home/conf/pgbouncer.users" ||
		die "cannot write to $home/conf"
	rm -f "$socket"
	launch pgbouncer -- "$bin" "$home/conf/pgbouncer.ini"
	for ((i = 0; i < 250; i++)); do
		[ -S "$socket" ] && running pgbouncer && return
		running pgbouncer || break
		sleep 0.02
	done
	die "PgBouncer does not start: $(last_line pgbouncer)"
}

# --- the command, secrets, the admin -----------------------------------------

afterwork() {
	"${as_user[@]}" env -i PATH=/usr/bin:/bin LANG=C.UTF-8 \
		DATABASE_URL="$(url afterwork)" TASKS_DIR="$tasks_dir" \
		DATABASE_POOLED="$POOLED" RUNTIME_DIRECTORY="$home/runtime" \
		MAX_DURATION="$max_duration" "$command" "$@" </dev/null
}

migrate() {
	afterwork migrate >>"$home/log/migrate.log" 2>&1 ||
		die "migrate failed: $(last_line migrate)"
}

random_hex() {
	od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'
}

# What an earlier start wrote, in variables of the same names with old_ before.
read_env() {
	local line
	[ -e "$home/env" ] || return 0
	while read -r line; do
		case $line in
		[A-Z]*=*) eval "old_$line" ;;
		esac
	done <"$home/env"
}

# The caller's CRON_SECRET, the earlier one, or a new one.  An empty one from
# the caller means that there is none.
write_secrets() {
	local old_CRON_SECRET='' file=$home/secret/cron
	read_env
	if [ -n "${CRON_SECRET_FILE-}" ]; then
		cron_secret=$(cat "$CRON_SECRET_FILE") ||
			die "cannot read CRON_SECRET_FILE"
	else
		cron_secret=${CRON_SECRET-${old_CRON_SECRET:-$(random_hex 32)}}
	fi
	rm -f "$file"
	[ -n "$cron_secret" ] || return 0
	(umask 077 && printf '%s\n' "$cron_secret" >"$file" &&
		chown "$user" "$file" && chmod 0400 "$file") ||
		die "cannot write $file"
}

make_admin() {
	local old_API_KEY='' old_ADMIN_PASSWORD='' old_ADMIN_EMAIL='' said
	local file=$home/secret/password
	read_env
	email=${old_ADMIN_EMAIL:-admin@example.com}
	password=${old_ADMIN_PASSWORD:-$(random_hex 12)}
	api_key=$old_API_KEY
	if [ -z "$api_key" ]; then
		(umask 077 && printf '%s\n' "$password" >"$file" &&
			chown "$user" "$file") || die "cannot write $file"
		said=$(afterwork user add "$email" --role admin --api-key \
			--or-update --password-file "$file" \
			2>"$home/log/user.log") ||
			die "cannot make the admin: $(last_line user)"
		rm -f "$file"
		api_key=$(sed -n 's/^API key: *//p' <<<"$said")
		[ -n "$api_key" ] || die 'the admin got no API key'
	fi
	write_env
}

# NAME VALUE as a line of shell, quoted where it must be.
assignment() {
	if [[ $2 =~ ^[A-Za-z0-9:/@._-]*$ ]]; then
		printf '%s=%s\n' "$1" "$2"
	else
		printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
	fi
}

# The command goes the same way as the functions; who wants a session of his own
# has the other address.
write_env_pooled() {
	assignment DATABASE_POOLED 1
	assignment DATABASE_DIRECT_URL "$(direct_url afterwork)"
	echo 'export DATABASE_POOLED DATABASE_DIRECT_URL'
}

write_env() {
	(
		umask 077
		{
			assignment SERVER_URL "http://127.0.0.1:$PORT"
			assignment ADMIN_EMAIL "$email"
			assignment ADMIN_PASSWORD "$password"
			assignment API_KEY "$api_key"
			assignment CRON_SECRET "$cron_secret"
			assignment DATABASE_URL "$(url afterwork)"
			# For the command and libafterwork, which wake runners.
			assignment DATABASE_URL_RUN "$(url afterwork_run)"
			assignment RUNTIME_DIRECTORY "$home/runtime"
			echo 'export SERVER_URL ADMIN_EMAIL ADMIN_PASSWORD' \
				'API_KEY CRON_SECRET DATABASE_URL' \
				'DATABASE_URL_RUN RUNTIME_DIRECTORY'
			[ "$POOLED" != 1 ] || write_env_pooled
		} >"$home/env.new" && mv "$home/env.new" "$home/env"
	) || die "cannot write $home/env"
}

# --- functions ---------------------------------------------------------------

# The product's settings that a caller may give (each also as NAME_FILE).
passed_on=(DATABASE_POOLED CRON_SECRET_PREVIOUS RUNNER_SLOTS RUNNER_LINGER
	RUN_LIMIT MAX_UPLOAD_BYTES TOKEN_SECRET RETENTION MAX_REQUESTS
	IDLE_EXIT SMTP_URL SMTP_FROM SMTP_STARTTLS SMTP_CA WEBHOOK_SECRET
	HTTP_ALLOW_PRIVATE S3_ENDPOINT S3_REGION
	S3_ACCESS_KEY S3_SECRET_KEY CORS_ORIGINS LOG_LEVEL SERVER_URL
	ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS)

# What a function's environment holds, in $vars.  No DATABASE_URL: each has
# its own login, and after() needs the runner's.
function_vars() {
	local f name link
	vars=("FCGI_CHILDREN=$PROCESSES" "MEDIA_STORE=file:$home/media"
		"RUNTIME_DIRECTORY=$home/runtime" "TASKS_DIR=$tasks_dir"
		"MAX_DURATION=$max_duration")
	[ "$POOLED" != 1 ] || vars+=("DATABASE_POOLED=1")
	# An upload waits for the disk: more of them keep the processor busy.
	[ "$1" = upload ] && vars[0]=FCGI_CHILDREN=$((PROCESSES * 2))
	link=$(url LOGIN)
	for f in "${functions_known[@]}"; do
		vars+=("DATABASE_URL_${f^^}=${link/LOGIN/afterwork_$f}")
	done
	vars+=("DATABASE_URL_MAKETHUMBNAILS=$(url afterwork_thumbnails)")
	case $1 in
	run | status | media)
		[ -e "$home/secret/cron" ] &&
			vars+=("CRON_SECRET_FILE=$home/secret/cron")
		;;
	esac
	for name in "${passed_on[@]}" "${passed_on[@]/%/_FILE}" \
		"${!AFTERWORK_TEST_@}"; do
		[ -n "${!name-}" ] && vars+=("$name=${!name}")
	done
}

# multiwatch brings back a function that dies, for ever, unless it died eleven
# times in a row within a fifth of a second: then it cannot start, and trying on
# would only burn time.  The processes that serve are the function's own
# children and end cleanly, so they don't count.
start_function() {
	local vars i how
	[ -x "$functions/$1" ] || die "there is no function $functions/$1"
	function_vars "$1"
	how=(/usr/bin/multiwatch -f 1 -r 10 -t 200 -- "$functions/$1")
	[ "$CGI" != on ] || how=(/usr/sbin/fcgiwrap -c "$PROCESSES" -f
		-p "$functions/$1")
	rm -f "$home/run/$1.sock"
	launch "$1" "${vars[@]}" -- spawn-fcgi -n -s "$home/run/$1.sock" \
		-M 0660 -b 1024 -- "${how[@]}"
	for ((i = 0; i < 250; i++)); do
		[ -S "$home/run/$1.sock" ] && return
		running "$1" || break
		sleep 0.02
	done
	die "$1 does not start: $(last_line "$1")"
}

# --- nginx -------------------------------------------------------------------

# CORS_ORIGINS as lines of nginx's map.  What is no origin is the functions' to
# refuse.
origin_lines() {
	local origin origins any=''
	IFS=$', \t\r\n' read -r -d '' -a origins <<<"${CORS_ORIGINS-}"
	for origin in "${origins[@]}"; do
		[[ ${origin,,} =~ ^https?://[][a-z0-9._:-]+$ ]] &&
			printf '\t"%s" "%s";\n' "$origin" "$origin"
	done | sort -uf
	[[ " ${origins[*]} " != *' * '* ]] || any='*'
	printf '\tdefault "%s";\n' "$any"
}

# Put them into the map of afterwork-upstreams.conf.
configure_origins() {
	local file=$home/conf/afterwork-upstreams.conf
	lines=$(origin_lines) awk '
	/^map \$http_origin / { print; print ENVIRON["lines"]; inside = 1; next }
	/^}/ { inside = 0 }
	!inside' "$file" >"$file.new" && mv "$file.new" "$file"
}

# The files that a person includes, with the private stack's paths.
configure_nginx() {
	local file max_bytes=${MAX_UPLOAD_BYTES:-52428800}
	[[ $max_bytes =~ ^[0-9]{1,15}$ ]] ||
		die "MAX_UPLOAD_BYTES is not a number: $max_bytes"
	cp /etc/nginx/mime.types /etc/nginx/fastcgi_params "$home/conf/" ||
		die 'nginx is not installed: run deploy/packages.sh build'
	for file in "$top"/deploy/nginx/*.conf; do
		sed -e "s|unix:/run/afterwork/|unix:$home/run/|" \
			-e "s|/var/lib/afterwork/media|$home/media|" \
			-e "s|/usr/local/share/afterwork/admin/|$admin/|" \
			-e "s|/usr/local/share/afterwork/|${admin%/*}/|" \
			-e "s|51264k|$((max_bytes + 65536))|" \
			-e "s|330s|$((max_duration + 30))s|" \
			"$file" >"$home/conf/${file##*/}" ||
			die "cannot write to $home/conf"
	done
	# Everything here runs as one user.
	sed -i 's|^\(\t\)# \("~^afterwork_upload \)|\1\2|' \
		"$home/conf/afterwork-upstreams.conf"
	configure_origins || die "cannot write to $home/conf"
	[ "$CGI" != on ] || sed -i -e 's|^# \(fastcgi_param SCRIPT_\)|\1|' \
		-e "s|/usr/local/lib/afterwork/functions/|$functions/|" \
		"$home/conf/afterwork-request.conf"
	sed -e "s|@STATE@|$home|" -e "s|@PORT@|$PORT|" \
		"$top/deploy/nginx/private.conf.in" >"$home/conf/nginx.conf" ||
		die "cannot write to $home/conf"
}

start_nginx() {
	local i log=$home/log/nginx.log
	configure_nginx
	touch "$log" "$home/log/access.log" &&
		chown "$user" "$log" "$home/log/access.log" ||
		die "cannot write to $home/log"
	launch nginx -- /usr/sbin/nginx -p "$home/nginx/" -c "$home/conf/nginx.conf" \
		-e "$log"
	for ((i = 0; i < 250; i++)); do
		port_open "$PORT" && running nginx && return
		running nginx || break
		sleep 0.02
	done
	die "nginx does not start: $(last_line nginx)"
}

# --- pinger ------------------------------------------------------------------

start_pinger() {
	local vars=()
	[ -e "$home/secret/cron" ] &&
		vars+=("CRON_SECRET_FILE=$home/secret/cron")
	launch pinger "${vars[@]}" -- "$command" cron --serve \
		--config "$vercel" --url "http://127.0.0.1:$PORT"
}
