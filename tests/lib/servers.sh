# SPDX-License-Identifier: Apache-2.0
# servers.sh — real servers for tests, on loopback and free ports. Source it, or run it for one server:
#   . tests/lib/servers.sh                       start_registry, start_fake, make_ca, free_port, stop_servers
#   bash tests/lib/servers.sh KIND FOLDER [ARGS]  starts one, prints "HOST:PORT", stops it when stdin closes
# Kinds: registry, registry-auth, registry-tls, registry-tls-auth, fake (then a script and its arguments); the kind "ca"
# only makes certificates.
# Whoever sources it calls stop_servers at the end (trap stop_servers EXIT). Everything is written below FOLDER.

SERVER_USER=builder
SERVER_PASSWORD=correct-horse-battery
SERVER_PIDS=()

free_port()
{
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# make_ca FOLDER: ca.pem, and server.pem and server.key for localhost and 127.0.0.1 signed by it.
make_ca()
{
	local dir=$1

	[ -e "$dir/server.pem" ] && return 0
	mkdir -p "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		-subj "/CN=test CA" -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null &&
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
		-keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null &&
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$dir/server.ext" &&
	openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
		-CAcreateserial -days 30 -extfile "$dir/server.ext" -out "$dir/server.pem" 2>/dev/null
}

# wait_for_port PORT PID: until somebody listens there, 10 s at most; fails at once when the process is gone.
wait_for_port()
{
	local i

	for i in $(seq 200); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# start_registry FOLDER [tls] [auth]: Debian's docker-registry; sets SERVER_ADDR (127.0.0.1:PORT).
start_registry()
{
	local dir=$1 tls= auth= port word try
	shift

	for word; do
		case $word in
		tls) tls=1 ;;
		auth) auth=1 ;;
		esac
	done
	mkdir -p "$dir"
	# Somebody may take the port between asking for it and using it.
	for try in 1 2 3; do
		port=$(free_port)
		{
			printf 'version: 0.1\nlog: {level: warn}\n'
			printf 'storage: {filesystem: {rootdirectory: "%s/data"}, delete: {enabled: true}}\n' "$dir"
			printf 'http:\n  addr: 127.0.0.1:%s\n  secret: test\n' "$port"
			if [ "$tls" ]; then
				make_ca "$dir"
				printf '  tls: {certificate: "%s/server.pem", key: "%s/server.key"}\n' "$dir" "$dir"
			fi
			if [ "$auth" ]; then
				htpasswd -Bbn "$SERVER_USER" "$SERVER_PASSWORD" >"$dir/htpasswd"
				printf 'auth: {htpasswd: {realm: test, path: "%s/htpasswd"}}\n' "$dir"
			fi
		} >"$dir/config.yml"
		docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 </dev/null &
		SERVER_PIDS+=($!)
		SERVER_ADDR=127.0.0.1:$port
		wait_for_port "$port" $! && return 0
	done
	cat "$dir/log" >&2
	return 1
}

# start_fake FOLDER SCRIPT [ARGS]: a python server of ours; it gets a file name in which to write its port.
start_fake()
{
	local dir=$1 i
	shift

	mkdir -p "$dir"
	rm -f "$dir/port"
	python3 "$1" "$dir/port" "${@:2}" >"$dir/log" 2>&1 </dev/null &
	SERVER_PIDS+=($!)
	for i in $(seq 200); do
		if [ -s "$dir/port" ]; then
			SERVER_ADDR=127.0.0.1:$(cat "$dir/port")
			return 0
		fi
		kill -0 $! 2>/dev/null || break
		sleep 0.05
	done
	cat "$dir/log" >&2
	return 1
}

stop_servers()
{
	local pid

	for pid in "${SERVER_PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	SERVER_PIDS=()
	return 0
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	trap stop_servers EXIT
	trap 'exit 143' TERM INT
	kind=$1 dir=$2
	shift 2
	case $kind in
	ca) make_ca "$dir"; exit ;;
	registry) start_registry "$dir" ;;
	registry-auth) start_registry "$dir" auth ;;
	registry-tls) start_registry "$dir" tls ;;
	registry-tls-auth) start_registry "$dir" tls auth ;;
	fake) start_fake "$dir" "$@" ;;
	*) echo "unknown kind of server '$kind'" >&2; exit 2 ;;
	esac || exit 1
	echo "$SERVER_ADDR"
	exec 1>&-
	cat >/dev/null
fi
