/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.c — see action.h: the job is made current, one run of it is started or found again, followed, and judged. */
#include <string.h>

#include "buildexec/pipeline/action.h"
#include "buildexec/pipeline/follow.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/log.h"
#include "model/kind/build_stage.h"

/* Of a failed build, as a container's exit status would say: it makes the failure the build's own. */
enum { BUILD_FAILED = 1, STAGES_MS = 5000 };

#define REASON_FAILED    "GenericBuildFailed"
#define REASON_CANCELLED "CancelledBuild"

/* clang-format off */
/* As OpenShift's plugin tells phases from results (jenkins-sync-plugin, BuildSyncRunListener). */
static const struct {
	const char *result, *reason; /* reason NULL: the build is complete */
	const char *text;
} results[] = {
	{ "SUCCESS",   NULL,             NULL },
	{ "UNSTABLE",  REASON_FAILED,    "is unstable" },
	{ "FAILURE",   REASON_FAILED,    "failed" },
	{ "NOT_BUILT", REASON_FAILED,    "was not built" },
	{ "ABORTED",   REASON_CANCELLED, "was aborted in Jenkins" },
};
/* clang-format on */

static void hide_secrets(const struct bc_request *config)
{
	if (config->jenkins && config->jenkins->token)
		secret_add(config->jenkins->token, strlen(config->jenkins->token));
	for (size_t i = 0; i < config->hidden.n; i++)
		secret_add(config->hidden.v[i], strlen(config->hidden.v[i]));
}

/* Nice to have: a server without the plugin answers 404. */
static void read_stages(struct jenkins *jenkins, const struct server_job *job, int64_t number)
{
	struct build_event *result = &jenkins->task->result;
	struct http_response answer;
	struct err failed = { 0 };
	bool found;

	if (!jenkins_get(jenkins,
			 arena_printf(jenkins->arena, "%s/%lld/wfapi/describe", job->path,
				      (long long)number),
			 STAGES_MS, jenkins->arena, &answer, &found, &failed) ||
	    (found && !answer_stages(answer.body, answer.body_len, jenkins->arena, &result->stages,
				     &failed)))
		build_log_say("The pipeline's stages are not known: %s", failed.text);
	else if (!found)
		build_log_say(
			"The pipeline's stages are not known: the plugin \"Pipeline: REST API\" is "
			"not there");
}

static bool stopped_fail(struct task *task, const struct run_end *end, struct err *err)
{
	const char *left = end->is_left ? ", and Jenkins still runs it" : "";

	if (task_is_cancelled(NULL)) {
		err_set(err, ERR_CANCELLED, "the pipeline was cancelled%s", left);
		return task_fail(task, REASON_CANCELLED);
	}
	task->is_timeout = true;
	task->exit_code = BUILD_FAILED;
	err_set(err, ERR_INVALID, "DeadlineExceeded: the pipeline took longer than %lld s%s",
		(long long)task->request->timeout_s, left);
	return task_fail(task, REASON_FAILED);
}

static bool judge(struct task *task, const struct run_end *end, struct err *err)
{
	const char *result = end->result ? end->result : "ABORTED";
	size_t i = 0;

	/* One that was done when it was to be stopped is done. */
	if (end->is_stopped && strcmp(result, "SUCCESS") != 0)
		return stopped_fail(task, end, err);
	while (i < COUNTOF(results) && strcmp(results[i].result, result) != 0)
		i++;
	if (i < COUNTOF(results) && !results[i].reason)
		return true;
	task->exit_code = BUILD_FAILED;
	if (i == COUNTOF(results))
		err_set(err, ERR_INVALID, "the pipeline ended as '%s'", result);
	else if (!end->number)
		err_set(err, ERR_INVALID, "the pipeline was taken out of Jenkins' queue");
	else
		err_set(err, ERR_INVALID, "the pipeline %s: see %s", results[i].text,
			task->result.url);
	return task_fail(task, i < COUNTOF(results) ? results[i].reason : REASON_FAILED);
}

static bool run_pipeline(struct jenkins *jenkins, struct err *err)
{
	struct task *task = jenkins->task;
	struct server_job job;
	struct started started;
	struct run_end end;

	if (!server_job_ensure(jenkins, &job, err) ||
	    !server_job_start(jenkins, &job, &started, err))
		return false;
	task->result.is_adopted = started.is_adopted;
	if (started.is_adopted)
		build_log_say("This build was started in Jenkins already: following it");
	if (!follow_run(jenkins, &job, &started, &end, err))
		return false;
	if (end.number && !end.is_left)
		read_stages(jenkins, &job, end.number);
	if (end.result)
		build_log_say("Result of the pipeline: %s", end.result);
	return judge(task, &end, err);
}

bool task_pipeline(struct task *task, struct err *err)
{
	const struct bc_request *config = task->request->config;
	struct jenkins jenkins = { 0 };
	bool is_done;

	if (!config || !config->spec.strategy.pipeline)
		return err_set(err, ERR_INVALID, "build request: no pipeline");
	task_catch_signals();
	hide_secrets(config);
	task_begin(task, BC_BUILD);
	task_say_reasons(task);
	is_done = jenkins_open(&jenkins, task, err) && run_pipeline(&jenkins, err);
	jenkins_close(&jenkins);
	if (is_done)
		return true;
	if (err->kind == ERR_CANCELLED && !task->reason) {
		struct run_end none = { 0 };

		return stopped_fail(task, &none, err);
	}
	return task_fail(task, REASON_FAILED);
}
