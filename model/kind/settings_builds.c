/* SPDX-License-Identifier: Apache-2.0 */
/* settings_builds.c — `builds` and `jenkins` of the settings: what builds of build configs may do, and where pipelines run. */
#include <string.h>

#include "model/kind/check.h"
#include "model/kind/settings.h"

static const char *const engines[] = { "auto", "buildah", "docker", NULL };
static const char *const isolations[] = { "auto", "oci", "chroot", NULL };

static const struct field builds_fields[] = {
	{ "custom", FIELD_BOOL, AT(struct settings_builds, allow_custom),
	  .doc = "Builder images of the Custom strategy may run. Only from a trusted place." },
	{ "dockerSocket", FIELD_STRING, AT(struct settings_builds, docker_socket),
	  .doc = "Socket that Custom builders with exposeDockerSocket get: it gives them the "
		 "machine. Only from a trusted place." },
	{ "engine", FIELD_ENUM, AT(struct settings_builds, engine), .values = engines,
	  .deflt = "auto",
	  .doc = "What builds Dockerfiles; auto: buildah, else a docker daemon. Only from a "
		 "trusted place." },
	{ "isolation", FIELD_ENUM, AT(struct settings_builds, isolation), .values = isolations,
	  .deflt = "auto",
	  .doc = "How buildah runs commands; auto: oci, else chroot. Only from a trusted place." },
	{ 0 },
};
const struct table settings_builds_table = { "builds settings", sizeof(struct settings_builds),
					     builds_fields };

static const struct field jenkins_fields[] = {
	{ "url", FIELD_STRING, AT(struct settings_jenkins, url),
	  .doc = "http(s)://host[:port][/path]" },
	{ "credentials", FIELD_STRING, AT(struct settings_jenkins, credentials),
	  .doc = "A basic-auth Secret as namespace/name: user and API token." },
	{ "caFile", FIELD_STRING, AT(struct settings_jenkins, ca_file),
	  .doc = "Further certificate authorities, PEM." },
	{ "insecure", FIELD_BOOL, AT(struct settings_jenkins, is_insecure),
	  .doc = "TLS without checks." },
	{ 0 },
};
const struct table settings_jenkins_table = { "jenkins settings", sizeof(struct settings_jenkins),
					      jenkins_fields };

void settings_jenkins_check(const struct checker *c, const struct settings_jenkins *jenkins)
{
	const char *credentials = jenkins->credentials;
	const char *slash = credentials ? strchr(credentials, '/') : NULL;

	if (jenkins->url && strncmp(jenkins->url, "http://", 7) != 0 &&
	    strncmp(jenkins->url, "https://", 8) != 0)
		check_invalid(c, "jenkins.url", jenkins->url,
			      "must begin with http:// or https://");
	if (credentials && (!slash || slash == credentials || !slash[1] || strchr(slash + 1, '/')))
		check_invalid(c, "jenkins.credentials", credentials,
			      "must be of the form namespace/name");
	if (!jenkins->url && credentials)
		check_fail(c, "jenkins", "missing field(s): jenkins.url");
}
