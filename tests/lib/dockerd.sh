# SPDX-License-Identifier: Apache-2.0
# dockerd.sh — a Docker daemon of a test's own. Needs root, dockerd and curl. Source it; stop_dockerd at the end.
# shellcheck shell=bash
dockerd_pid=
stop_dockerd() {
	[ "$dockerd_pid" ] || return 0
	kill "$dockerd_pid" 2>/dev/null || true
	wait "$dockerd_pid" 2>/dev/null || true
	dockerd_pid=
	# A build with the host's network leaves a mount of it.
	umount "$dockerd_folder"/docker-exec/netns/* 2>/dev/null || true
}
# start_dockerd FOLDER: its files go there; sets DOCKER_HOST. It touches neither networks nor the machine's own daemon.
start_dockerd() {
	local folder=$1 driver i
	dockerd_folder=$folder
	for driver in overlay2 vfs; do
		dockerd --data-root "$folder/docker" --exec-root "$folder/docker-exec" --host "unix://$folder/docker.sock" \
			--pidfile "$folder/docker.pid" --iptables=false --ip6tables=false --bridge=none --storage-driver "$driver" \
			>"$folder/docker.log" 2>&1 </dev/null &
		dockerd_pid=$!
		for i in $(seq 300); do
			kill -0 "$dockerd_pid" 2>/dev/null || break
			if curl -sf --unix-socket "$folder/docker.sock" http://docker/_ping >/dev/null 2>&1; then
				export DOCKER_HOST=unix://$folder/docker.sock
				return 0
			fi
			sleep 0.1
		done
		stop_dockerd
	done
	return 1
}
