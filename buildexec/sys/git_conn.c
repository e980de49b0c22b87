/* SPDX-License-Identifier: Apache-2.0 */
/* git_conn.c — chooses the way by the URL's scheme. */
#include "buildexec/sys/git_conn.h"

#include <stdlib.h>

#include "buildexec/sys/clock.h"
#include "model/base/limits.h"

static const char *const service_names[] = {
	[GIT_UPLOAD_PACK] = "git-upload-pack",
	[GIT_RECEIVE_PACK] = "git-receive-pack",
};
_Static_assert(COUNTOF(service_names) == GIT_SERVICES, "every service has a name");

const char *git_service_name(enum git_service service)
{
	return service_names[service];
}

bool git_wire_is_http(const struct git_wire *wire)
{
	return wire->url.scheme == GIT_SCHEME_HTTP || wire->url.scheme == GIT_SCHEME_HTTPS;
}

bool git_conn_open(struct git_wire *wire, enum git_service service, int64_t timeout_ms,
		   struct git_conn *out, struct err *err)
{
	if (wire->options.total_timeout_ms)
		timeout_ms = wire->options.total_timeout_ms;
	*out = (struct git_conn){ .wire = wire,
				  .service = service,
				  .asks_v2 = service == GIT_UPLOAD_PACK && !wire->options.only_v0,
				  .timeout_ms = timeout_ms,
				  .stream = { .fd = -1,
					      .err_fd = -1,
					      .proc = { .pid = 0, .pidfd = -1 },
					      .talk = BUF_INIT(LIMIT_GIT_MESSAGE),
					      .end_ms = clock_mono_ms() + timeout_ms } };
	switch (wire->url.scheme) {
	case GIT_SCHEME_HTTP:
	case GIT_SCHEME_HTTPS:
		return true;
	case GIT_SCHEME_SSH:
		return git_stream_open_ssh(out, err);
	case GIT_SCHEME_GIT:
		return git_stream_open_tcp(out, err);
	case GIT_SCHEME_LOCAL:
	case GIT_SCHEMES:
		break;
	}
	BUG("a local repository has no server");
}

void git_conn_close(struct git_conn *conn)
{
	if (conn->wire)
		git_stream_close(&conn->stream);
	*conn = (struct git_conn){ 0 };
}

bool git_conn_advert(struct git_conn *conn, struct git_advert *advert, struct err *err)
{
	struct git_pkt_reader *reader = mem_realloc(NULL, sizeof(*reader));
	bool done;

	git_pkt_reader_init(reader, git_advert_pkt, advert);
	advert->reader = reader;
	done = git_wire_is_http(conn->wire)
		       ? git_http_advert(conn, reader, err)
		       : git_stream_ask(conn, &(struct git_request){ 0 }, reader, err);
	if (done && !advert->is_done)
		done = err_set(err, ERR_TRANSIENT, "the server's list of refs ends too early");
	free(reader);
	advert->reader = NULL;
	return done;
}

bool git_conn_ask(struct git_conn *conn, const struct git_request *request,
		  struct git_pkt_reader *reader, struct err *err)
{
	if (!(git_wire_is_http(conn->wire) ? git_http_ask(conn, request, reader, err)
					   : git_stream_ask(conn, request, reader, err)))
		return false;
	return reader->is_stopped ||
	       err_set(err, ERR_TRANSIENT, "the server's answer ends too early");
}
