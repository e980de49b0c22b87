/* SPDX-License-Identifier: Apache-2.0 */
/* job_xml.c — see job_xml.h. XML 1.1, as Jenkins writes it: controls may stand there as references. */
#include "buildexec/pipeline/job_xml.h"

#include <ctype.h>
#include <string.h>

#include "buildexec/pipeline/answer.h"
#include "buildexec/sys/url.h"
#include "model/base/digest.h"
#include "model/doc/utf8.h"

enum { CONFIG_BYTES = 4 << 20, CREDENTIALS_ID_BYTES = 256 };

#define HEAD "<?xml version='1.1' encoding='UTF-8'?>\n"

/* Line ends too: a parser would make others of them, and Groovy strings would change. */
static bool is_reference(uint32_t c)
{
	return (c < ' ' && c != '\t' && c != '\n') || (c >= 0x7f && c <= 0x9f) || c == 0x2028;
}

void xml_text(const char *text, struct buf *out)
{
	static const char marks[] = "&<>\"'";
	size_t len = strlen(text);
	uint32_t c;

	for (size_t at = 0; at < len;) {
		size_t n = utf8_get(text + at, len - at, &c);

		if (n == 0 || c == 0xfffe || c == 0xffff)
			buf_puts(out, "\xef\xbf\xbd");
		else if (is_reference(c) || (c < 0x80 && strchr(marks, (int)c)))
			buf_printf(out, "&#%u;", (unsigned)c);
		else
			buf_add(out, text + at, n);
		at += n ? n : 1;
	}
}

static void element(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "<%s>", name);
	xml_text(text, out);
	buf_printf(out, "</%s>\n", name);
}

bool job_is_hidden(const struct bc_request *config, const char *value)
{
	for (size_t i = 0; value && i < config->hidden.n; i++)
		if (config->hidden.v[i][0] && strstr(value, config->hidden.v[i]))
			return true;
	return false;
}

static void parameter(struct buf *out, const char *name, const char *text, const char *value)
{
	buf_puts(out, "<hudson.model.StringParameterDefinition>\n");
	element(out, "name", name);
	element(out, "description", text);
	element(out, "defaultValue", value);
	buf_puts(out, "<trim>false</trim>\n</hudson.model.StringParameterDefinition>\n");
}

/* A value out of a secret is no default, and is not shown with the run either. */
static void secret_parameter(struct buf *out, const char *name)
{
	buf_puts(out, "<hudson.model.PasswordParameterDefinition>\n");
	element(out, "name", name);
	buf_puts(out, "<description/>\n</hudson.model.PasswordParameterDefinition>\n");
}

static bool is_ours(const char *name)
{
	return strcmp(name, PARAMETER_KEY) == 0 || strcmp(name, PARAMETER_BUILD) == 0 ||
	       strcmp(name, PARAMETER_COMMIT) == 0;
}

bool job_takes(const struct bc_request *config, size_t i)
{
	const struct list *env = &config->spec.strategy.pipeline->env;
	const char *name = LIST_AT(*env, struct env_var, i)->name;

	for (size_t k = i + 1; k < env->n; k++)
		if (strcmp(LIST_AT(*env, struct env_var, k)->name, name) == 0)
			return false;
	return !is_ours(name);
}

/* Jenkins drops parameters that the job does not have: ours are what runs are found by. */
static void parameters(const struct bc_request *config, struct buf *out)
{
	const struct build_git *git = config->spec.source.git;
	const struct list *env = &config->spec.strategy.pipeline->env;

	buf_puts(out, "<hudson.model.ParametersDefinitionProperty>\n<parameterDefinitions>\n");
	parameter(out, PARAMETER_KEY, "By this reconcile finds its runs again.", "");
	parameter(out, PARAMETER_BUILD, "The build this run belongs to.", "");
	if (git)
		parameter(out, PARAMETER_COMMIT, "The commit that is built.",
			  git->ref ? git->ref : "");
	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *var = LIST_AT(*env, struct env_var, i);

		if (!job_takes(config, i))
			continue;
		if (job_is_hidden(config, var->value))
			secret_parameter(out, var->name);
		else
			parameter(out, var->name, "", var->value ? var->value : "");
	}
	buf_puts(out, "</parameterDefinitions>\n</hudson.model.ParametersDefinitionProperty>\n");
}

/* A password that somebody wrote into an address stays here. */
static const char *address(const char *uri, struct arena *arena)
{
	const char *scheme_end = strstr(uri, "://"), *at, *colon;
	struct err ignored = { 0 };
	struct url url;

	if (url_parse(uri, arena, &url, &ignored))
		return url.text;
	if (!scheme_end)
		return uri;
	at = memchr(scheme_end + 3, '@', strcspn(scheme_end + 3, "/"));
	colon = at ? memchr(scheme_end + 3, ':', (size_t)(at - scheme_end - 3)) : NULL;
	return colon ? arena_printf(arena, "%.*s%s", (int)(colon - uri), uri, at) : uri;
}

static bool is_branch_or_tag(const char *ref)
{
	return strncmp(ref, "refs/", 5) != 0 || strncmp(ref, "refs/heads/", 11) == 0 ||
	       strncmp(ref, "refs/tags/", 10) == 0;
}

/* The commit is a parameter: no run gets that of another one while it waits, and the job need not change with each. */
static void scm(const struct bc_request *config, const char *credentials, struct arena *arena,
		struct buf *out)
{
	const struct build_source *source = &config->spec.source;
	const char *path = config->spec.strategy.pipeline->path;
	const char *ref = source->git->ref ? source->git->ref : "";

	buf_puts(out,
		 "<definition class=\"org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition\">\n"
		 "<scm class=\"hudson.plugins.git.GitSCM\">\n<configVersion>2</configVersion>\n"
		 "<userRemoteConfigs>\n<hudson.plugins.git.UserRemoteConfig>\n");
	element(out, "url", address(source->git->uri, arena));
	if (credentials)
		element(out, "credentialsId", credentials);
	if (!is_branch_or_tag(ref))
		element(out, "refspec",
			arena_printf(arena,
				     "+refs/heads/*:refs/remotes/origin/* +%s:refs/remotes/origin/"
				     "reconcile",
				     ref));
	buf_puts(out, "</hudson.plugins.git.UserRemoteConfig>\n</userRemoteConfigs>\n"
		      "<branches>\n<hudson.plugins.git.BranchSpec>\n");
	element(out, "name", "${" PARAMETER_COMMIT "}");
	buf_puts(out, "</hudson.plugins.git.BranchSpec>\n</branches>\n"
		      "<doGenerateSubmoduleConfigurations>false</doGenerateSubmoduleConfigurations>"
		      "\n<submoduleCfg class=\"empty-list\"/>\n<extensions/>\n</scm>\n");
	path = path ? path : "Jenkinsfile";
	element(out, "scriptPath",
		source->context_dir ? arena_printf(arena, "%s/%s", source->context_dir, path)
				    : path);
	buf_puts(out, "<lightweight>false</lightweight>\n</definition>\n");
}

static void script(const char *text, struct buf *out)
{
	buf_puts(out,
		 "<definition class=\"org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition\">\n");
	element(out, "script", text);
	buf_puts(out, "<sandbox>true</sandbox>\n</definition>\n");
}

static bool body(const struct bc_request *config, const char *credentials, struct arena *arena,
		 struct buf *out, struct err *err)
{
	const struct pipeline_strategy *pipeline = config->spec.strategy.pipeline;
	const struct build_git *git = config->spec.source.git;

	if (!pipeline || (!pipeline->text && (!git || !git->uri)))
		return err_set(err, ERR_INVALID,
			       "build request: neither a Jenkinsfile nor a git source");
	buf_puts(out, "<keepDependencies>false</keepDependencies>\n<properties>\n");
	parameters(config, out);
	buf_puts(out, "</properties>\n");
	if (pipeline->text)
		script(pipeline->text, out);
	else
		scm(config, credentials, arena, out);
	buf_puts(out, "<triggers/>\n<disabled>false</disabled>\n");
	if (out->is_over)
		return err_set(err, ERR_INVALID, "the job's config is longer than %d bytes",
			       CONFIG_BYTES);
	return true;
}

/* "reconcile BuildConfig shop/cart " */
static const char *owner_mark(const struct bc_request *config, struct arena *arena)
{
	return arena_printf(arena, "reconcile BuildConfig %s%s%s ", config->ns ? config->ns : "",
			    config->ns ? "/" : "", config->config);
}

bool job_mark(const struct bc_request *config, struct arena *arena, const char **out,
	      struct err *err)
{
	AUTO_BUF text = BUF_INIT(CONFIG_BYTES);

	*out = NULL;
	if (!body(config, NULL, arena, &text, err))
		return false;
	*out = arena_printf(arena, "%s%s", owner_mark(config, arena),
			    digest_of(buf_text(&text), text.len).text);
	return true;
}

bool job_config(const struct bc_request *config, const char *credentials, struct arena *arena,
		const char **out, struct err *err)
{
	AUTO_BUF text = BUF_INIT(CONFIG_BYTES);
	const char *mark;

	*out = NULL;
	if (!job_mark(config, arena, &mark, err))
		return false;
	buf_puts(&text, HEAD "<flow-definition>\n");
	element(&text, "description",
		arena_printf(arena,
			     "Made by reconcile, which writes it anew when the build config "
			     "changes.\n%s",
			     mark));
	if (!body(config, credentials, arena, &text, err))
		return false;
	buf_puts(&text, "</flow-definition>\n");
	if (text.is_over)
		return err_set(err, ERR_INVALID, "the job's config is longer than %d bytes",
			       CONFIG_BYTES);
	*out = buf_copy(&text, arena);
	return true;
}

const char *folder_config(struct arena *arena)
{
	return arena_strdup(
		arena,
		HEAD "<com.cloudbees.hudson.plugins.folder.Folder>\n"
		     "<description>Pipelines of one namespace, made by reconcile.</description>\n"
		     "<properties/>\n</com.cloudbees.hudson.plugins.folder.Folder>\n");
}

static bool has_parameter(const char *config_xml, const char *name)
{
	AUTO_BUF text = BUF_INIT(CONFIG_BYTES);

	buf_puts(&text, "<name>");
	xml_text(name, &text);
	buf_puts(&text, "</name>");
	return strstr(config_xml, buf_text(&text)) != NULL;
}

static bool has_parameters(const char *config_xml, const struct bc_request *config)
{
	const struct list *env = &config->spec.strategy.pipeline->env;

	for (size_t i = 0; i < env->n; i++)
		if (!has_parameter(config_xml, LIST_AT(*env, struct env_var, i)->name))
			return false;
	return has_parameter(config_xml, PARAMETER_KEY) &&
	       has_parameter(config_xml, PARAMETER_BUILD) &&
	       (!config->spec.source.git || has_parameter(config_xml, PARAMETER_COMMIT));
}

enum job_state job_state(const char *config_xml, const struct bc_request *config, const char *mark)
{
	const char *digest = strstr(mark, "sha256:");
	size_t n_owner = digest ? (size_t)(digest - mark) : strlen(mark);

	for (const char *at = config_xml; (at = strstr(at, "reconcile BuildConfig ")) != NULL;
	     at++) {
		if (strncmp(at, mark, n_owner) != 0)
			continue;
		return strncmp(at, mark, strlen(mark)) == 0 && has_parameters(config_xml, config)
			       ? JOB_CURRENT
			       : JOB_CHANGED;
	}
	return JOB_FOREIGN;
}

const char *job_credentials(const char *config_xml, struct arena *arena)
{
	static const char open[] = "<credentialsId>", close[] = "</credentialsId>";
	const char *at = strstr(config_xml, open);
	size_t n = 0;

	if (!at)
		return NULL;
	at += strlen(open);
	while (n < CREDENTIALS_ID_BYTES &&
	       (isalnum((unsigned char)at[n]) || (at[n] && strchr("_.-:", at[n]))))
		n++;
	return n && strncmp(at + n, close, strlen(close)) == 0 ? arena_copy(arena, at, n) : NULL;
}
