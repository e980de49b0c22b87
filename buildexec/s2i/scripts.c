/* SPDX-License-Identifier: Apache-2.0 */
/* scripts.c — see scripts.h. */
#include "buildexec/s2i/scripts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"

enum { SCRIPT_BYTES = 4 << 20 };

static const char *const names[] = {
	[SCRIPT_ASSEMBLE] = "assemble",
	[SCRIPT_RUN] = "run",
	[SCRIPT_SAVE_ARTIFACTS] = "save-artifacts",
	[SCRIPT_ASSEMBLE_RUNTIME] = "assemble-runtime",
};
_Static_assert(COUNTOF(names) == SCRIPT_KINDS, "a name for each script");

const char *script_name(enum script_kind kind)
{
	return names[kind];
}

const char *scripts_image_dir(const char *url)
{
	if (strncmp(url, "image://", 8) != 0)
		return NULL;
	return url[8] == '/' ? url + 8 : NULL;
}

const char *scripts_url(const struct container *container)
{
	return container_label(container, "io.openshift.s2i.scripts-url", "io.s2i.scripts-url",
			       "STI_SCRIPTS_URL");
}

/* One question: this script, at this URL. Not there is an answer; `why` then says what was tried. */
struct asking {
	struct scripts *scripts;
	enum script_kind kind;
	const struct container *image; /* for image:// */
	bool is_of_image; /* it says the URL itself: what it names outside of it is not fetched from where we are */
	struct script *out;
	struct buf *why;
};

static const char *file_for(const struct asking *asking)
{
	return path_join(asking->scripts->spec->arena, asking->scripts->dir, names[asking->kind]);
}

static bool write_script(const struct asking *asking, const void *bytes, size_t n, struct err *err)
{
	asking->out->is_found = asking->out->is_external = true;
	return fs_write_atomic(AT_FDCWD, file_for(asking), bytes, n, 0755, false, err);
}

static bool ask_image(const struct asking *asking, const char *dir, struct err *err)
{
	struct arena *arena = asking->scripts->spec->arena;
	const char *path = path_join(arena, dir, names[asking->kind]);
	struct rootfs_entry entry;

	if (!rootfs_find(&asking->image->base, path, true, arena, &entry, err))
		return false;
	if (!entry.host || !S_ISREG(entry.stat.st_mode)) {
		buf_printf(asking->why, "; the image has no '%s'", path);
		return true;
	}
	asking->out->is_found = true;
	asking->out->path = path;
	return true;
}

static bool ask_file(const struct asking *asking, const char *path, struct err *err)
{
	const struct s2i_spec *spec = asking->scripts->spec;
	const char *file = path_join(spec->arena, path, names[asking->kind]);
	struct err problem = { 0 };
	char *bytes;
	size_t n;

	if (!spec->may_read_files || asking->is_of_image) {
		buf_printf(asking->why, "; 'file://%s' is not read here", path);
		return true;
	}
	if (!fs_read_plain(file, SCRIPT_BYTES, spec->arena, &bytes, &n, &problem) || !bytes) {
		buf_printf(asking->why, "; no file '%s'", file);
		return true;
	}
	return write_script(asking, bytes, n, err);
}

static bool ask_http(const struct asking *asking, const char *url, struct err *err)
{
	const struct s2i_spec *spec = asking->scripts->spec;
	struct http_request request = { .method = "GET", .max_body = SCRIPT_BYTES };
	struct http_response response;
	struct err problem = { 0 };

	request.url = path_join(spec->arena, url, names[asking->kind]);
	if (!spec->http || asking->is_of_image) {
		buf_printf(asking->why, "; '%s' is not fetched here", request.url);
		return true;
	}
	if (!http_send(spec->http, &request, spec->arena, &response, &problem)) {
		buf_printf(asking->why, "; %s", problem.text);
		return true;
	}
	if (response.status != 200 && response.status != 201) {
		buf_printf(asking->why, "; '%s' answers %d", request.url, response.status);
		return true;
	}
	return write_script(asking, response.body, response.body_len, err);
}

static bool ask_url(const struct asking *asking, const char *url, struct err *err)
{
	const char *dir = scripts_image_dir(url);

	if (dir)
		return ask_image(asking, dir, err);
	if (strncmp(url, "file://", 7) == 0)
		return ask_file(asking, url + 7, err);
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
		return ask_http(asking, url, err);
	buf_printf(asking->why, "; '%s' is no image://, file://, http:// or https:// URL", url);
	return true;
}

/* Moved away, as a tar of the source no longer has it; a link's target is copied, and the link goes. */
static bool take_source_script(const struct asking *asking, const struct rootfs_entry *entry,
			       struct err *err)
{
	struct scripts *scripts = asking->scripts;
	struct rootfs_entry target;

	if (!rootfs_find(scripts->source, entry->path, true, scripts->spec->arena, &target, err))
		return false;
	if (!target.host || !S_ISREG(target.stat.st_mode))
		return true;
	if (!rootfs_copy(scripts->source, &target, file_for(asking), err))
		return false;
	if (unlink(entry->host) != 0 || chmod(file_for(asking), 0755) != 0)
		return err_sys(err, errno, "cannot move '%s'", entry->host);
	asking->out->is_found = asking->out->is_external = true;
	return true;
}

static bool ask_source(const struct asking *asking, struct err *err)
{
	static const char *const folders[] = { "/.s2i/bin", "/.sti/bin" };
	struct scripts *scripts = asking->scripts;
	struct rootfs_entry entry;

	for (size_t i = 0; i < COUNTOF(folders) && !asking->out->is_found; i++) {
		const char *path = path_join(scripts->spec->arena, folders[i], names[asking->kind]);

		if (!rootfs_find(scripts->source, path, false, scripts->spec->arena, &entry, err))
			return false;
		if (entry.host && !take_source_script(asking, &entry, err))
			return false;
		if (asking->out->is_found && i > 0)
			s2i_warn(scripts->spec,
				 "use .s2i/bin instead of .sti/bin, which is deprecated");
	}
	if (!asking->out->is_found)
		buf_puts(asking->why, "; the source has no '.s2i/bin' with it");
	return true;
}

static bool find_one(struct scripts *scripts, enum script_kind kind, struct buf *why,
		     struct err *err)
{
	struct asking asking = {
		.scripts = scripts,
		.kind = kind,
		.image = kind == SCRIPT_ASSEMBLE_RUNTIME ? scripts->runtime : scripts->builder,
		.out = &scripts->v[kind],
		.why = why,
	};
	const char *given = scripts->spec->scripts_url, *usual = scripts_url(asking.image);

	if (given && given[0]) {
		if (!ask_url(&asking, given, err))
			return false;
		scripts->has_url_script |= asking.out->is_found;
	}
	if (!asking.out->is_found && !ask_source(&asking, err))
		return false;
	if (asking.out->is_found)
		return true;
	if (!usual)
		buf_puts(why, "; the image has no label io.openshift.s2i.scripts-url");
	asking.is_of_image = true;
	return !usual || ask_url(&asking, usual, err);
}

static bool is_required(enum script_kind kind)
{
	return kind == SCRIPT_ASSEMBLE || kind == SCRIPT_RUN;
}

bool scripts_find(struct scripts *scripts, enum s2i_reason *reason, struct err *err)
{
	const char *given = scripts->spec->scripts_url;
	AUTO_BUF missing = BUF_INIT(64u << 10);

	*reason = S2I_INSTALL_SCRIPTS_FAILED;
	for (int i = 0; i < SCRIPT_KINDS; i++) {
		enum script_kind kind = (enum script_kind)i;
		AUTO_BUF why = BUF_INIT(16u << 10);

		if (kind == SCRIPT_ASSEMBLE_RUNTIME && !scripts->runtime)
			continue;
		if (!find_one(scripts, kind, &why, err))
			return err_prefix(err, "script '%s'", names[kind]);
		if (!scripts->v[kind].is_found && is_required(kind) && missing.len == 0)
			buf_printf(&missing, "there is no script '%s'%s", names[kind],
				   buf_text(&why));
	}
	if (given && given[0] && !scripts->has_url_script) {
		*reason = S2I_FETCH_SCRIPTS_FAILED;
		return err_set(err, ERR_INVALID, "could not download any scripts from URL %s",
			       given);
	}
	if (missing.len > 0)
		return err_set(err, ERR_INVALID, "%s", buf_text(&missing));
	*reason = S2I_COMPLETED;
	return true;
}
