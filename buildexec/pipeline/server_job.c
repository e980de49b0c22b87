/* SPDX-License-Identifier: Apache-2.0 */
/* server_job.c — see server_job.h. */
#include "buildexec/pipeline/server_job.h"

#include <string.h>

#include "buildexec/pipeline/job_xml.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/url.h"

enum {
	ENSURE_ROUNDS = 3, /* others may make and take away the same job meanwhile */
	FOLDER_MS = 2000,
	FORM_BYTES = 4 << 20,
	RETRY_BASE_MS = 250,
	RETRY_CAP_MS = 4000,
};

#define XML_TYPE "application/xml; charset=utf-8"
#define RUNS_TREE                                                                                  \
	"api/json?tree=builds[number,queueId,building,result,actions[parameters[name,value]]]"     \
	"{0,50}"

static const struct bc_request *config_of(const struct jenkins *jenkins)
{
	return jenkins->task->request->config;
}

static const char *encoded(const char *text, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(FORM_BYTES);

	url_encode(text, &out);
	return buf_copy(&out, arena);
}

/* NULL: there is no such job. */
static bool read_config(struct jenkins *jenkins, const char *path, const char **out,
			struct err *err)
{
	struct http_response answer;
	bool found;

	*out = NULL;
	if (!jenkins_get(jenkins, arena_printf(jenkins->arena, "%s/config.xml", path),
			 JENKINS_SETUP_MS, jenkins->arena, &answer, &found, err))
		return false;
	*out = found ? answer.body : NULL;
	return true;
}

/* status 400: the name is taken, or is none. */
static bool create_item(struct jenkins *jenkins, const char *parent, const char *name,
			const char *xml, int64_t patience_ms, int *status, struct err *err)
{
	struct jenkins_call call = { .method = "POST",
				     .path = arena_printf(jenkins->arena, "%screateItem?name=%s",
							  parent, encoded(name, jenkins->arena)),
				     .type = XML_TYPE,
				     .body = xml,
				     .patience_ms = patience_ms,
				     .also = 400 };
	struct http_response answer = { 0 };

	*status = 0;
	if (!jenkins_send(jenkins, &call, jenkins->arena, &answer, err))
		return false;
	*status = answer.status;
	return true;
}

enum folder { FOLDER_ABSENT, FOLDER_THERE, FOLDER_TAKEN };

static bool look_for_folder(struct jenkins *jenkins, const char *name, enum folder *out,
			    struct err *err)
{
	struct http_response answer;
	bool found, is_folder;

	*out = FOLDER_ABSENT;
	if (!jenkins_get(jenkins,
			 arena_printf(jenkins->arena, "job/%s/api/json?tree=name",
				      encoded(name, jenkins->arena)),
			 JENKINS_SETUP_MS, jenkins->arena, &answer, &found, err))
		return false;
	if (!found)
		return true;
	if (!answer_is_folder(answer.body, answer.body_len, jenkins->arena, &is_folder, err))
		return err_prefix(err, "job '%s'", name);
	*out = is_folder ? FOLDER_THERE : FOLDER_TAKEN;
	return true;
}

/* A server without the plugin cannot read a folder's config and says 500, and little more. */
static bool make_folder(struct jenkins *jenkins, const char *name, enum folder *out,
			struct err *err)
{
	struct err failed = { 0 };
	int status;

	if (!create_item(jenkins, "", name, folder_config(jenkins->arena), FOLDER_MS, &status,
			 &failed) &&
	    failed.kind != ERR_TRANSIENT) {
		*err = failed;
		return err_prefix(err, "cannot make the folder '%s'", name);
	}
	if (!look_for_folder(jenkins, name, out, err))
		return false;
	if (*out == FOLDER_THERE)
		build_log_say("Made the folder '%s'", name);
	else
		build_log_say(
			"Cannot make the folder '%s'%s%s: is the plugin \"Folders\" there? The "
			"job's "
			"name is '%s-%s' instead",
			name, failed.kind ? ": " : "", failed.text, name,
			config_of(jenkins)->config);
	return true;
}

static bool find_place(struct jenkins *jenkins, struct server_job *job, const char **parent,
		       const char **name, struct err *err)
{
	const struct bc_request *config = config_of(jenkins);
	struct arena *arena = jenkins->arena;
	const char *flat, *there = NULL;
	enum folder folder;

	*parent = "";
	*name = config->config;
	if (config->ns) {
		flat = arena_printf(arena, "%s-%s", config->ns, config->config);
		if (!look_for_folder(jenkins, config->ns, &folder, err))
			return false;
		/* A job that began without a folder stays where its runs are. */
		if (folder == FOLDER_ABSENT &&
		    !read_config(jenkins, arena_printf(arena, "job/%s", encoded(flat, arena)),
				 &there, err))
			return false;
		if (folder == FOLDER_ABSENT && !there &&
		    !make_folder(jenkins, config->ns, &folder, err))
			return false;
		if (folder == FOLDER_THERE)
			*parent = arena_printf(arena, "job/%s/", encoded(config->ns, arena));
		else
			*name = flat;
	}
	job->path = arena_printf(arena, "%sjob/%s", *parent, encoded(*name, arena));
	job->shown = **parent ? arena_printf(arena, "%s/%s", config->ns, *name) : *name;
	return true;
}

static bool update(struct jenkins *jenkins, const struct server_job *job, const char *there,
		   struct err *err)
{
	struct jenkins_call call = { .method = "POST",
				     .path = arena_printf(jenkins->arena, "%s/config.xml",
							  job->path),
				     .type = XML_TYPE,
				     .patience_ms = JENKINS_SETUP_MS };
	const char *credentials = job_credentials(there, jenkins->arena);
	struct http_response answer;

	if (!job_config(config_of(jenkins), credentials, jenkins->arena, &call.body, err) ||
	    !jenkins_send(jenkins, &call, jenkins->arena, &answer, err))
		return false;
	if (answer.status == 404)
		return err_set(err, ERR_TRANSIENT, "the job '%s' is gone", job->shown);
	build_log_say(
		"The build config has changed, or the job's parameters have: wrote the job '%s' "
		"anew; other changes that were made to it in Jenkins are gone%s",
		job->shown, credentials ? ", its credentials for git are kept" : "");
	return true;
}

static bool ensure_once(struct jenkins *jenkins, const struct server_job *job, const char *parent,
			const char *name, bool *is_done, struct err *err)
{
	const char *there, *mark, *xml;
	int status;

	*is_done = true;
	if (!job_mark(config_of(jenkins), jenkins->arena, &mark, err) ||
	    !read_config(jenkins, job->path, &there, err))
		return false;
	if (there) {
		switch (job_state(there, config_of(jenkins), mark)) {
		case JOB_CURRENT:
			build_log_say("The job '%s' is current", job->shown);
			return true;
		case JOB_CHANGED:
			return update(jenkins, job, there, err);
		case JOB_FOREIGN:
			return err_set(
				err, ERR_INVALID,
				"there is a job '%s' already that was not made for this build "
				"config: rename or delete it in Jenkins",
				job->shown);
		}
	}
	if (!job_config(config_of(jenkins), NULL, jenkins->arena, &xml, err))
		return false;
	if (!create_item(jenkins, parent, name, xml, JENKINS_SETUP_MS, &status, err))
		return err->kind == ERR_TRANSIENT
			       ? err_prefix(err,
					    "cannot make the job '%s' (is the plugin "
					    "\"Pipeline\" there?)",
					    job->shown)
			       : false;
	*is_done = status < 300;
	if (*is_done)
		build_log_say("Made the job '%s'", job->shown);
	return true;
}

bool server_job_ensure(struct jenkins *jenkins, struct server_job *out, struct err *err)
{
	const char *parent, *name;
	bool is_done = false;

	*out = (struct server_job){ 0 };
	if (!find_place(jenkins, out, &parent, &name, err))
		return false;
	for (int i = 0; i < ENSURE_ROUNDS && !is_done; i++)
		if (!ensure_once(jenkins, out, parent, name, &is_done, err))
			return false;
	return is_done || err_set(err, ERR_TRANSIENT,
				  "cannot make the job '%s': Jenkins does not take it", out->shown);
}

static bool read_runs(struct jenkins *jenkins, const struct server_job *job, struct arena *arena,
		      struct list *runs, struct err *err)
{
	struct http_response answer;
	bool found;

	*runs = (struct list){ 0 };
	if (!jenkins_get(jenkins, arena_printf(arena, "%s/" RUNS_TREE, job->path), JENKINS_SETUP_MS,
			 arena, &answer, &found, err))
		return false;
	if (!found)
		return err_set(err, ERR_TRANSIENT, "the job '%s' is gone", job->shown);
	return answer_runs(answer.body, answer.body_len, arena, runs, err) ||
	       err_prefix(err, "job '%s'", job->shown);
}

bool server_job_find(struct jenkins *jenkins, const struct server_job *job, int64_t queue_id,
		     int64_t *number, struct err *err)
{
	struct arena *arena = arena_new();
	struct list runs;
	bool is_done = read_runs(jenkins, job, arena, &runs, err);

	*number = 0;
	for (size_t i = 0; is_done && i < runs.n && !*number; i++)
		if (LIST_AT(runs, struct pipeline_run, i)->queue_id == queue_id)
			*number = LIST_AT(runs, struct pipeline_run, i)->number;
	arena_free(arena);
	return is_done;
}

static int64_t find_waiting(const struct list *items, const char *key)
{
	for (size_t i = 0; i < items->n; i++) {
		const struct queue_item *item = LIST_AT(*items, struct queue_item, i);
		const char *value = answer_parameter(item->actions, PARAMETER_KEY);

		if (value && strcmp(value, key) == 0)
			return item->id;
	}
	return 0;
}

/* A pipeline may undo what another did: a success counts only while none of ours came after it. */
static int64_t find_run(const struct list *runs, const char *key)
{
	bool is_newest = true;

	for (size_t i = 0; i < runs->n; i++) {
		const struct pipeline_run *run = LIST_AT(*runs, struct pipeline_run, i);
		const char *value = answer_parameter(run->actions, PARAMETER_KEY);
		bool is_good = run->result && strcmp(run->result, "SUCCESS") == 0;

		if (!value || !value[0])
			continue;
		if (strcmp(value, key) == 0 && (run->is_building || (is_newest && is_good)))
			return run->number;
		is_newest = false;
	}
	return 0;
}

/* The queue first: what leaves it meanwhile is among the runs. */
static bool find_ours(struct jenkins *jenkins, const struct server_job *job, struct arena *arena,
		      struct started *out, struct err *err)
{
	const char *key = jenkins->task->request->build_key;
	struct http_response answer;
	struct list items, runs;
	bool found;

	*out = (struct started){ 0 };
	if (!key)
		return true;
	if (!jenkins_get(jenkins, "queue/api/json?tree=items[id,actions[parameters[name,value]]]",
			 JENKINS_SETUP_MS, arena, &answer, &found, err))
		return false;
	if (found && !answer_queue(answer.body, answer.body_len, arena, &items, err))
		return err_prefix(err, "Jenkins' queue");
	if (!read_runs(jenkins, job, arena, &runs, err))
		return false;
	out->queue_id = found ? find_waiting(&items, key) : 0;
	out->number = find_run(&runs, key);
	return true;
}

static void field(struct buf *form, const char *name, const char *value)
{
	if (form->len)
		buf_byte(form, '&');
	url_encode(name, form);
	buf_byte(form, '=');
	url_encode(value ? value : "", form);
}

static const char *commit_of(const struct build_request *request)
{
	const struct source_revision *revision = request->config->spec.revision;

	if (request->source.git && request->source.git->revision)
		return request->source.git->revision;
	return revision && revision->git ? revision->git->commit : NULL;
}

static bool parameters(const struct jenkins *jenkins, const char **out, struct err *err)
{
	const struct build_request *request = jenkins->task->request;
	const struct list *env = &request->config->spec.strategy.pipeline->env;
	const char *names = "";
	AUTO_BUF form = BUF_INIT(FORM_BYTES);

	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *var = LIST_AT(*env, struct env_var, i);

		if (!job_takes(request->config, i))
			continue;
		field(&form, var->name, var->value);
		names = arena_printf(jenkins->arena, "%s %s%s", names, var->name,
				     job_is_hidden(request->config, var->value) ? " (hidden)" : "");
	}
	if (*names)
		build_log_say("Parameters:%s", names);
	field(&form, PARAMETER_BUILD, request->config->build);
	if (request->build_key)
		field(&form, PARAMETER_KEY, request->build_key);
	if (commit_of(request))
		field(&form, PARAMETER_COMMIT, commit_of(request));
	if (form.is_over)
		return err_set(err, ERR_INVALID, "the parameters are longer than %d bytes",
			       FORM_BYTES);
	*out = buf_copy(&form, jenkins->arena);
	return true;
}

/* One try: whoever repeats looks first whether the last one came through after all. */
static bool queue_once(struct jenkins *jenkins, const struct server_job *job, const char *form,
		       struct started *out, struct err *err)
{
	struct jenkins_call call = { .method = "POST",
				     .path = arena_printf(jenkins->arena,
							  "%s/buildWithParameters?delay=0sec",
							  job->path),
				     .type = "application/x-www-form-urlencoded",
				     .body = form,
				     .may_redirect = true,
				     .also = 409 };
	struct http_response answer;

	if (!jenkins_send(jenkins, &call, jenkins->arena, &answer, err))
		return false;
	if (answer.status == 409)
		return err_set(err, ERR_INVALID,
			       "the job '%s' takes no builds: enable it in Jenkins", job->shown);
	if (answer.status == 404)
		return err_set(err, ERR_TRANSIENT, "the job '%s' is gone", job->shown);
	out->queue_id = answer_queue_id(http_header(&answer, "Location"));
	return (answer.status == 201 && out->queue_id) ||
	       err_set(err, ERR_TRANSIENT,
		       "Jenkins answers %d to a build of '%s' and does not say where in its queue "
		       "it "
		       "is",
		       answer.status, job->shown);
}

/* The task is to end, and what was sent last may have come through: then it is there to be taken back. */
static bool find_last(struct jenkins *jenkins, const struct server_job *job, struct started *out,
		      struct err *err)
{
	struct err failed = { 0 };
	bool is_known;

	jenkins->is_stopping = true;
	is_known = find_ours(jenkins, job, jenkins->arena, out, &failed);
	jenkins->is_stopping = false;
	if (!is_known || (!out->queue_id && !out->number))
		return err_set(err, ERR_CANCELLED, "the pipeline is to end");
	*err = (struct err){ 0 };
	return true;
}

bool server_job_start(struct jenkins *jenkins, const struct server_job *job, struct started *out,
		      struct err *err)
{
	int64_t started_ms = clock_mono_ms();
	const char *form = NULL;

	if (!parameters(jenkins, &form, err))
		return false;
	for (unsigned attempt = 0;; attempt++) {
		struct err failed = { 0 };

		if (!find_ours(jenkins, job, jenkins->arena, out, err))
			return attempt > 0 && jenkins_must_stop(jenkins) &&
			       find_last(jenkins, job, out, err);
		if (out->queue_id || out->number) {
			out->is_adopted = attempt == 0;
			return true;
		}
		if (queue_once(jenkins, job, form, out, &failed))
			return true;
		*err = failed;
		if (failed.kind == ERR_TRANSIENT &&
		    clock_mono_ms() - started_ms < JENKINS_SETUP_MS &&
		    jenkins_wait(jenkins, RETRY_BASE_MS + backoff_ms(attempt, RETRY_BASE_MS,
								     RETRY_CAP_MS))) {
			*err = (struct err){ 0 };
			continue;
		}
		return jenkins_must_stop(jenkins) && find_last(jenkins, job, out, err);
	}
}

const char *server_job_url(const struct jenkins *jenkins, const struct server_job *job,
			   int64_t number)
{
	return arena_printf(jenkins->arena, "%s/%s/%lld/", jenkins->base, job->path,
			    (long long)number);
}
