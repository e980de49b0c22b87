# SPDX-License-Identifier: Apache-2.0
# Real git servers on free ports of 127.0.0.1, for tests. Source it. Each start function takes the folder that holds the
# repositories (absolute) and a folder of its own for what the server needs, and prints the URL under which the
# repositories are found. git_servers_stop ends, by process id, what was started with that folder.
# Exit status 77: a program that the server needs is not on this machine.

git_servers_need()
{
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || {
			echo "skipped: there is no $program here" >&2
			return 77
		}
	done
}

# A port that was free a moment ago; whoever uses it tries again with another when it is taken.
git_servers_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# git_servers_wait PORT: until something listens there, five seconds at most.
git_servers_wait()
{
	local i
	for i in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		sleep 0.05
	done
	echo "nothing listens on port $1" >&2
	return 1
}

git_servers_stop()
{
	local file pid
	for file in "$1"/*.pid; do
		[ -e "$file" ] || continue
		pid=$(cat "$file")
		# with its group, when it leads one: fcgiwrap's children outlive it otherwise
		[ -n "$pid" ] && { kill -- "-$pid" 2>/dev/null || kill "$pid" 2>/dev/null; }
		rm -f "$file"
	done
	return 0
}

# git_repo_new PATH: a bare repository that every server below lets be read and written, any object by its id not.
git_repo_new()
{
	git init -q --bare -b main "$1"
	git -C "$1" config http.receivepack true
	git -C "$1" config receive.autogc false
	touch "$1/git-daemon-export-ok"
}

git_daemon_start() # ROOT RUN
{
	local port
	git_servers_need git python3 || return
	mkdir -p "$2"
	port=$(git_servers_port)
	setsid git daemon --reuseaddr --listen=127.0.0.1 --port="$port" --base-path="$1" --export-all \
		--enable=receive-pack --pid-file="$2/daemon.pid" "$1" >"$2/daemon.log" 2>&1 </dev/null &
	git_servers_wait "$port" && echo "git://127.0.0.1:$port"
}

# A CA, and a certificate of it for 127.0.0.1: ca.pem, cert.pem, key.pem in the folder.
git_servers_tls() # RUN
{
	local dir=$1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=test ca' \
		-keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=127.0.0.1' \
			-keyout "$dir/key.pem" -out "$dir/cert.csr" 2>/dev/null &&
		openssl x509 -req -in "$dir/cert.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
			-extfile <(echo 'subjectAltName=IP:127.0.0.1') -out "$dir/cert.pem" 2>/dev/null
}

# git_http_start ROOT RUN [auth] [tls] [v0]: nginx in front of git http-backend. auth: user "me", password "s3cret pass".
# tls: RUN/ca.pem is the CA. v0: the client's wish for protocol v2 is not passed on. Below /moved/ it redirects.
git_http_start()
{
	local root=$1 run=$2 scheme=http listen auth='' tls='' v0='' user='' port option
	git_servers_need git nginx fcgiwrap htpasswd openssl python3 || return
	shift 2
	mkdir -p "$run"
	for option in "$@"; do
		case $option in
		auth)
			htpasswd -bc "$run/htpasswd" me 's3cret pass' 2>/dev/null
			chmod 644 "$run/htpasswd"
			auth="auth_basic git; auth_basic_user_file $run/htpasswd;" ;;
		tls)
			git_servers_tls "$run" || return
			scheme=https
			tls="ssl_certificate $run/cert.pem; ssl_certificate_key $run/key.pem;" ;;
		v0) v0='fastcgi_param HTTP_GIT_PROTOCOL "";' ;;
		esac
	done
	port=$(git_servers_port)
	listen="127.0.0.1:$port"
	[ $scheme = https ] && listen="$listen ssl"
	[ "$(id -u)" = 0 ] && user='user root;'
	cat >"$run/nginx.conf" <<-EOF
		$user
		worker_processes 1;
		pid $run/nginx.pid;
		error_log $run/nginx.log;
		events { worker_connections 256; }
		http {
			access_log $run/access.log;
			client_body_temp_path $run/body; proxy_temp_path $run/proxy; fastcgi_temp_path $run/fastcgi;
			uwsgi_temp_path $run/uwsgi; scgi_temp_path $run/scgi;
			server {
				listen $listen;
				$tls
				client_max_body_size 100m;
				location ~ ^/moved/(.*)\$ { return 302 /\$1\$is_args\$args; }
				location / {
					$auth
					fastcgi_pass unix:$run/fcgi.sock;
					fastcgi_param SCRIPT_FILENAME $(git --exec-path)/git-http-backend;
					fastcgi_param GIT_PROJECT_ROOT $root;
					fastcgi_param GIT_HTTP_EXPORT_ALL 1;
					fastcgi_param PATH_INFO \$uri;
					fastcgi_param QUERY_STRING \$query_string;
					fastcgi_param REQUEST_METHOD \$request_method;
					fastcgi_param CONTENT_TYPE \$content_type;
					fastcgi_param CONTENT_LENGTH \$content_length;
					fastcgi_param REMOTE_USER \$remote_user;
					$v0
				}
			}
		}
	EOF
	setsid fcgiwrap -c 4 -s "unix:$run/fcgi.sock" >"$run/fcgi.log" 2>&1 </dev/null &
	echo $! >"$run/fcgiwrap.pid"
	setsid nginx -c "$run/nginx.conf" -g 'daemon off;' >"$run/nginx.out" 2>&1 </dev/null &
	git_servers_wait "$port" && echo "$scheme://127.0.0.1:$port"
}

# git_ssh_start ROOT RUN: sshd for the present user. RUN/id is the client's key, RUN/known_hosts knows the server; keys that are
# there already stay. The URL ends in ROOT, as ssh knows no other root.
git_ssh_start()
{
	local root=$1 run=$2 port sshd
	sshd=$(PATH=$PATH:/usr/sbin command -v sshd)
	git_servers_need git ssh ssh-keygen python3 "${sshd:-sshd}" || return
	mkdir -p "$run"
	[ "$(id -u)" = 0 ] && mkdir -p /run/sshd
	[ -e "$run/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$run/host_key"
	[ -e "$run/id" ] || ssh-keygen -q -t ed25519 -N '' -f "$run/id"
	cp "$run/id.pub" "$run/authorized_keys"
	port=$(git_servers_port)
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$run/host_key.pub")" >"$run/known_hosts"
	cat >"$run/sshd_config" <<-EOF
		ListenAddress 127.0.0.1
		Port $port
		HostKey $run/host_key
		PidFile $run/sshd.pid
		AuthorizedKeysFile $run/authorized_keys
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PermitRootLogin prohibit-password
		AcceptEnv GIT_PROTOCOL
		MaxStartups 100
	EOF
	"$sshd" -f "$run/sshd_config" -E "$run/sshd.log" </dev/null
	git_servers_wait "$port" && echo "ssh://$(id -un)@127.0.0.1:$port$root"
}
