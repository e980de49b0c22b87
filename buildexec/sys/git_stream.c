/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_stream.c — ssh by the program of that name, and git:// by a socket: both become a pair of
 * descriptors that are written and read at the same time, so that neither side waits for the other
 * with full pipes. Spec: gitprotocol-pack(5) "Transports"; ssh(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_conn.h"

enum {
	CONNECT_MS = 10000,
	NEXT_ADDRESS_MS = 250,
	MAX_ADDRESSES = 8,
	STALL_MS = 30000,
	READ_BYTES = 64 << 10,
	LAST_WORDS_MS = 2000,
	N_FDS = 3,
};

void git_stream_close(struct git_stream *stream)
{
	fd_close(&stream->fd);
	fd_close(&stream->err_fd);
	proc_release(&stream->proc);
	buf_release(&stream->talk);
}

static int64_t connect_timeout(const struct git_wire *wire)
{
	return wire->options.connect_timeout_ms ? wire->options.connect_timeout_ms : CONNECT_MS;
}

/* One word for the remote shell. */
static const char *quote(struct arena *arena, const char *text)
{
	AUTO_BUF out = BUF_INIT(64 << 10);

	buf_byte(&out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '!')
			buf_printf(&out, "'\\%c'", *text);
		else
			buf_byte(&out, *text);
	}
	buf_byte(&out, '\'');
	return buf_copy(&out, arena);
}

static void add_option(struct arena *arena, struct strings *argv, const char *name,
		       const char *value)
{
	if (!value)
		return;
	vec_push(arena, argv, "-o");
	vec_push(arena, argv, arena_printf(arena, "%s=%s", name, value));
}

static const char *const *ssh_argv(const struct git_conn *conn, struct arena *arena)
{
	const struct git_url *url = &conn->wire->url;
	const struct git_auth *auth = &conn->wire->options.auth;
	const char *user = url->user ? url->user : auth->user;
	struct strings argv = { 0 };

	for (const char *const *word = auth->ssh_argv; word && *word; word++)
		vec_push(arena, &argv, *word);
	if (!argv.n)
		vec_push(arena, &argv, "ssh");
	add_option(arena, &argv, "BatchMode", "yes");
	add_option(arena, &argv, "StrictHostKeyChecking",
		   auth->accepts_new_hosts ? "accept-new" : "yes");
	add_option(arena, &argv, "UserKnownHostsFile", auth->known_hosts_file);
	add_option(arena, &argv, "IdentityFile", auth->ssh_key_file);
	add_option(arena, &argv, "IdentitiesOnly", auth->ssh_key_file ? "yes" : NULL);
	add_option(arena, &argv, "SendEnv", conn->asks_v2 ? "GIT_PROTOCOL" : NULL);
	add_option(
		arena, &argv, "ConnectTimeout",
		arena_printf(arena, "%lld", (long long)(connect_timeout(conn->wire) + 999) / 1000));
	if (url->port)
		add_option(arena, &argv, "Port", arena_printf(arena, "%d", url->port));
	if (user)
		add_option(arena, &argv, "User", user);
	vec_push(arena, &argv, "-T");
	vec_push(arena, &argv, "--");
	vec_push(arena, &argv, url->host);
	vec_push(arena, &argv,
		 arena_printf(arena, "%s %s", git_service_name(conn->service),
			      quote(arena, url->path)));
	vec_push(arena, &argv, NULL);
	return argv.v;
}

/* ssh needs its agent's socket and a home; GIT_PROTOCOL asks the far side for version 2. */
static const char *const *ssh_env(const struct git_conn *conn, struct arena *arena)
{
	static const char *const names[] = { "PATH", "HOME",   "USER",         "LOGNAME",
					     "LANG", "TMPDIR", "SSH_AUTH_SOCK" };
	struct strings env = { 0 };

	for (size_t i = 0; i < COUNTOF(names); i++) {
		const char *value = proc_getenv(names[i]);

		if (value)
			vec_push(arena, &env, arena_printf(arena, "%s=%s", names[i], value));
	}
	if (conn->asks_v2)
		vec_push(arena, &env, "GIT_PROTOCOL=version=2");
	vec_push(arena, &env, NULL);
	return env.v;
}

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

bool git_stream_open_ssh(struct git_conn *conn, struct err *err)
{
	struct git_stream *stream = &conn->stream;
	struct arena *arena = arena_new();
	/* a socket pair, not pipes: writing to a program that is gone must not raise SIGPIPE */
	int talk[2], pair[2];
	AUTO_FD child = -1, child_err = -1;
	bool done;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		arena_free(arena);
		return err_sys(err, errno, "cannot make a pair of sockets");
	}
	stream->fd = pair[0];
	child = pair[1];
	done = pipe2(talk, O_CLOEXEC) == 0 || err_sys(err, errno, "cannot make a pipe");
	if (done) {
		stream->err_fd = talk[0];
		child_err = talk[1];
	}
	if (done)
		done = proc_start(&(struct proc_spec){ .argv = ssh_argv(conn, arena),
						       .env = ssh_env(conn, arena),
						       .in_fd = child,
						       .out_fd = child,
						       .err_fd = child_err,
						       .is_own_group = true },
				  &stream->proc, err);
	if (done) {
		set_nonblocking(stream->fd);
		set_nonblocking(stream->err_fd);
	}
	arena_free(arena);
	return done;
}

/* Begins to connect; true unless that is impossible at once, errno says why. */
static bool begin_connect(const struct addrinfo *address, int *out)
{
	*out = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*out < 0)
		return false;
	if (!connect(*out, address->ai_addr, address->ai_addrlen) || errno == EINPROGRESS)
		return true;
	fd_close(out);
	return false;
}

/* The one that is connected, or -1; those that failed are closed, and errno says why. */
static int take_connected(struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int sys = 0;
		socklen_t size = sizeof(sys);

		if (fds[i].fd < 0 || !fds[i].revents)
			continue;
		if (!getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &sys, &size) && !sys)
			return (int)i;
		fd_close(&fds[i].fd);
		errno = sys;
	}
	return -1;
}

static bool is_any_open(const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			return true;
	return false;
}

/*
 * RFC 8305: the addresses a little after each other, and the first that answers is it, so that one that leads nowhere costs
 * no more than that little.
 */
static bool connect_first(const struct addrinfo *list, int64_t timeout_ms, int *out)
{
	struct pollfd fds[MAX_ADDRESSES];
	int64_t end_ms = clock_mono_ms() + timeout_ms;
	size_t n = 0;
	int taken = -1, why = ETIMEDOUT;

	while (taken < 0) {
		const bool has_more = list && n < COUNTOF(fds);
		int64_t left_ms = end_ms - clock_mono_ms();

		if (left_ms <= 0 || (!has_more && !is_any_open(fds, n)))
			break;
		if (has_more) {
			fds[n] = (struct pollfd){ .events = POLLOUT };
			if (!begin_connect(list, &fds[n].fd))
				why = errno;
			list = list->ai_next;
			n++;
		}
		if (!is_any_open(fds, n))
			continue;
		if (list && n < COUNTOF(fds) && left_ms > NEXT_ADDRESS_MS)
			left_ms = NEXT_ADDRESS_MS;
		if (poll(fds, n, (int)left_ms) <= 0)
			continue;
		taken = take_connected(fds, n);
		if (taken < 0)
			why = errno;
	}
	if (taken >= 0) {
		*out = fds[taken].fd;
		fds[taken].fd = -1;
	}
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i].fd);
	errno = why;
	return taken >= 0;
}

static bool connect_host(const struct git_conn *conn, int *out, struct err *err)
{
	const struct git_url *url = &conn->wire->url;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	char port[16];
	int rc, one = 1;

	snprintf(port, sizeof(port), "%d", url->port ? url->port : 9418);
	rc = getaddrinfo(url->host, port, &hints, &list);
	if (rc)
		return err_set(err, ERR_TRANSIENT, "cannot find host '%s': %s", url->host,
			       gai_strerror(rc));
	if (!connect_first(list, connect_timeout(conn->wire), out))
		err_set(err, ERR_TRANSIENT, "cannot connect to '%s': %s", url->host,
			strerror(errno));
	freeaddrinfo(list);
	if (*out < 0)
		return false;
	/* a request that waits for the acknowledgement of the one before costs 40 ms each time */
	setsockopt(*out, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return true;
}

bool git_stream_open_tcp(struct git_conn *conn, struct err *err)
{
	struct git_stream *stream = &conn->stream;
	const struct git_url *url = &conn->wire->url;
	AUTO_BUF line = BUF_INIT(GIT_PKT_DATA_MAX);
	AUTO_BUF packet = BUF_INIT(GIT_PKT_MAX);

	buf_printf(&line, "%s %s", git_service_name(conn->service), url->path);
	buf_byte(&line, '\0');
	buf_printf(&line, url->port ? "host=%s:%d" : "host=%s", url->host, url->port);
	buf_byte(&line, '\0');
	if (conn->asks_v2)
		buf_add(&line, "\0version=2", 11);
	if (conn->asks_v2)
		buf_byte(&line, '\0');
	git_pkt_add(&packet, line.data, line.len);
	if (!connect_host(conn, &stream->fd, err))
		return false;
	if (send(stream->fd, packet.data, packet.len, MSG_NOSIGNAL) != (ssize_t)packet.len)
		return err_set(err, ERR_TRANSIENT, "cannot write to the server: %s",
			       strerror(errno));
	return true;
}

static const struct {
	const char *words;
	enum err_kind kind;
} ssh_words[] = {
	{ "Permission denied", ERR_DENIED },
	{ "Host key verification failed", ERR_DENIED },
	{ "REMOTE HOST IDENTIFICATION HAS CHANGED", ERR_DENIED },
	{ "No such identity", ERR_DENIED },
	{ "Could not resolve", ERR_TRANSIENT },
	{ "Connection refused", ERR_TRANSIENT },
	{ "timed out", ERR_TRANSIENT },
	{ "Connection reset", ERR_TRANSIENT },
	{ "No route to host", ERR_TRANSIENT },
	{ "does not appear to be a git repository", ERR_ABSENT },
	{ "not found", ERR_ABSENT },
	{ "No such file", ERR_ABSENT },
	{ "not our ref", ERR_ABSENT },
};

static void read_talk(struct git_stream *stream)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(stream->err_fd, bytes, sizeof(bytes))) > 0)
		buf_add(&stream->talk, bytes, (size_t)n);
	if (!n)
		fd_close(&stream->err_fd);
}

/* The server hung up: what it said on stderr tells why. */
static bool closed(struct git_stream *stream, struct err *err)
{
	struct pollfd wait = { .fd = stream->err_fd, .events = POLLIN };
	int64_t end = clock_mono_ms() + LAST_WORDS_MS;
	enum err_kind kind = ERR_TRANSIENT;
	const char *talk;

	while (stream->err_fd >= 0 && clock_mono_ms() < end)
		if (poll(&wait, 1, 100) > 0)
			read_talk(stream);
	talk = buf_text(&stream->talk);
	for (size_t i = 0; i < COUNTOF(ssh_words); i++)
		if (strstr(talk, ssh_words[i].words)) {
			kind = ssh_words[i].kind;
			break;
		}
	if (!*talk)
		return err_set(err, kind, "the server closes the connection without a word");
	return err_set(err, kind, "the server closes the connection: %s", talk);
}

static bool read_some(struct git_stream *stream, struct git_pkt_reader *reader, struct err *err)
{
	char bytes[READ_BYTES];
	ssize_t n = read(stream->fd, bytes, sizeof(bytes));

	if (n > 0)
		return git_pkt_feed(reader, bytes, (size_t)n, err);
	/* Reset: an ssh that ended before it read all that we wrote; it has said why. */
	if (!n || errno == ECONNRESET)
		return closed(stream, err);
	if (errno == EAGAIN || errno == EINTR)
		return true;
	return err_set(err, ERR_TRANSIENT, "cannot read from the server: %s", strerror(errno));
}

/* A server that refuses stops reading first and explains itself afterwards: a broken pipe is not
 * the end. */
static bool write_some(struct git_stream *stream, struct git_request *left, struct err *err)
{
	const char **bytes = left->n_head ? &left->head : &left->pack;
	size_t *n = left->n_head ? &left->n_head : &left->n_pack;
	ssize_t done = send(stream->fd, *bytes, *n, MSG_NOSIGNAL);

	if (done >= 0) {
		*bytes += done;
		*n -= (size_t)done;
		return true;
	}
	if (errno == EAGAIN || errno == EINTR)
		return true;
	if (errno == EPIPE || errno == ECONNRESET) {
		left->n_head = left->n_pack = 0;
		return true;
	}
	return err_set(err, ERR_TRANSIENT, "cannot write to the server: %s", strerror(errno));
}

static bool wait_ready(struct git_conn *conn, struct pollfd *fds, struct err *err)
{
	int64_t stall = conn->wire->options.stall_timeout_ms;
	int64_t left = conn->stream.end_ms - clock_mono_ms();
	int rc;

	stall = stall ? stall : STALL_MS;
	if (left <= 0)
		return err_set(err, ERR_TRANSIENT, "the server takes longer than %lld s",
			       (long long)conn->timeout_ms / 1000);
	rc = poll(fds, N_FDS, (int)(left < stall ? left : stall));
	if (rc < 0 && errno != EINTR)
		return err_sys(err, errno, "cannot wait for the server");
	if (!rc && left >= stall)
		return err_set(err, ERR_TRANSIENT, "the server has not sent a byte for %lld s",
			       (long long)stall / 1000);
	return true;
}

bool git_stream_ask(struct git_conn *conn, const struct git_request *request,
		    struct git_pkt_reader *reader, struct err *err)
{
	struct git_stream *stream = &conn->stream;
	struct git_request left = *request;

	while (left.n_head || left.n_pack || !reader->is_stopped) {
		struct pollfd fds[N_FDS] = {
			{ .fd = stream->fd, .events = POLLIN },
			{ .fd = left.n_head || left.n_pack ? stream->fd : -1, .events = POLLOUT },
			{ .fd = stream->err_fd, .events = POLLIN },
		};

		if (!wait_ready(conn, fds, err))
			return false;
		if (fds[2].revents)
			read_talk(stream);
		if (fds[0].revents & ~POLLOUT && !read_some(stream, reader, err))
			return false;
		if (fds[1].revents && (left.n_head || left.n_pack) &&
		    !write_some(stream, &left, err))
			return false;
		if (reader->is_stopped)
			break; /* the answer is whole: what is unsent is not wanted */
	}
	return true;
}
