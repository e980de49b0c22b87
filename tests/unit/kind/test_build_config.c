/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_build_config.c — BuildConfig and Build: every field loads without a word, defaults, old forms, and one row per rule: what
 * is changed in a manifest that is right, and all that is said then, with its place. Texts: openshift.md §3.3.
 */
#include "manifest.h"

#include "model/kind/build_config.h"

#define HEAD(version, kind)                                                                        \
	"apiVersion: " version "\nkind: " kind "\nmetadata: {name: x, namespace: n}\nspec:\n"
#define CONFIG         HEAD("build.openshift.io/v1", "BuildConfig")
#define LEGACY         HEAD("v1", "BuildConfig")
#define BUILD          HEAD("build.openshift.io/v1", "Build")
#define GIT            "  source: {git: {uri: 'https://h/x'}}\n"
#define DOCKER         "  strategy: {dockerStrategy: {}}\n"
#define S2I            "  strategy: {sourceStrategy: {from: {kind: ImageStreamTag, name: 'r:1'}}}\n"
#define STRATEGY(text) GIT "  strategy: {dockerStrategy: {" text "}}\n"
#define SOURCE(text)   "  source: {" text "}\n" DOCKER
#define OUTPUT(text)   GIT DOCKER "  output: {" text "}\n"
#define TRIGGERS(text) GIT S2I "  triggers: [" text "]\n"
#define ENV_RULE                                                                                   \
	"a valid environment variable name must consist of alphabetic characters, digits, '_', "   \
	"'-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  "   \
	"or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
#define ONE_STRATEGY                                                                               \
	"must provide a value for exactly one of sourceStrategy, customStrategy, dockerStrategy, " \
	"or jenkinsPipelineStrategy: spec.strategy"

/* clang-format off */
static const struct {
	const char *name, *head, *spec, *said;
} rows[] = {
	{ "good", CONFIG, GIT DOCKER, "" },
	{ "legacy group", LEGACY, GIT DOCKER, "" },
	{ "build", BUILD, GIT DOCKER "  triggeredBy: [{message: Manually triggered}]\n", "" },
	{ "strategy missing", CONFIG, GIT, "4:1 error: missing field(s): spec.strategy\n4:1 error: " ONE_STRATEGY "\n" },
	{ "strategy none", CONFIG, GIT "  strategy: {}\n", "6:3 error: " ONE_STRATEGY "\n" },
	{ "strategies two", CONFIG, GIT "  strategy: {dockerStrategy: {}, jenkinsPipelineStrategy: {}}\n", "6:3 error: " ONE_STRATEGY "\n" },
	{ "strategy of a build", BUILD, GIT "  strategy: {}\n", "6:3 error: " ONE_STRATEGY "\n" },
	{ "strategy type alone", CONFIG, GIT "  strategy: {type: Docker}\n", "" },
	{ "strategy type fits", CONFIG, GIT "  strategy: {type: Docker, dockerStrategy: {}}\n", "" },
	{ "strategy type of another", CONFIG, GIT "  strategy: {type: Source, dockerStrategy: {}}\n",
	  "6:20 warning: the type is 'Docker' by what is given, 'Source' does not count: spec.strategy.type\n" },

	{ "no source", CONFIG, DOCKER, "4:1 error: must provide a value for at least one source input(git, binary, dockerfile, images).: spec.source\n" },
	{ "no source is fine for s2i", CONFIG, S2I, "" },
	{ "dockerfile alone", CONFIG, SOURCE("dockerfile: FROM a"), "" },
	{ "binary by type", CONFIG, SOURCE("type: Binary"), "" },
	{ "git and binary", CONFIG, SOURCE("git: {uri: x}, binary: {}"),
	  "5:12 error: may not be set when binary is also set: spec.source.git\n5:27 error: may not be set when git is also set: spec.source.binary\n" },
	{ "git and binary for custom", CONFIG, "  source: {git: {uri: x}, binary: {}}\n  strategy: {customStrategy: {from: {kind: DockerImage, name: a}}}\n", "" },
	{ "git and dockerfile", CONFIG, SOURCE("git: {uri: x}, dockerfile: FROM a"), "" },
	{ "git without uri", CONFIG, SOURCE("git: {ref: x}"), "5:12 error: missing field(s): spec.source.git.uri\n" },
	{ "git with empty uri", CONFIG, SOURCE("git: {uri: ''}"), "5:23 error: missing field(s): spec.source.git.uri\n" },
	{ "uri ssh", CONFIG, SOURCE("git: {uri: 'ssh://git@h:2222/x'}"), "" },
	{ "uri scp", CONFIG, SOURCE("git: {uri: 'git@h:a/b.git'}"), "" },
	{ "uri file", CONFIG, SOURCE("git: {uri: 'file:///a'}"), "" },
	{ "uri opaque", CONFIG, SOURCE("git: {uri: 'ext::ssh h'}"), "5:23 error: invalid value: ext::ssh h: spec.source.git.uri\ninvalid character in URL\n" },
	{ "uri transport", CONFIG, SOURCE("git: {uri: 'foo::bar'}"), "" },
	{ "uri path", CONFIG, SOURCE("git: {uri: ../a}"), "" },
	{ "uri without scheme", CONFIG, SOURCE("git: {uri: '://a'}"), "5:23 error: invalid value: ://a: spec.source.git.uri\nmissing protocol scheme\n" },
	{ "uri escape", CONFIG, SOURCE("git: {uri: 'https://h/%zz'}"), "5:23 error: invalid value: https://h/%zz: spec.source.git.uri\ninvalid URL escape \"%zz\"\n" },
	{ "uri port", CONFIG, SOURCE("git: {uri: 'ssh://git@h:a/b'}"), "5:23 error: invalid value: ssh://git@h:a/b: spec.source.git.uri\ninvalid port \":a\" after host\n" },
	{ "uri ipv6", CONFIG, SOURCE("git: {uri: 'http://[::1]:80/b'}"), "" },
	{ "proxies", CONFIG, SOURCE("git: {uri: x, httpProxy: 'p:3128', httpsProxy: 'https://u:p@h:1', noProxy: a}"), "" },
	{ "proxy", CONFIG, SOURCE("git: {uri: x, httpProxy: 'http://a b'}"), "5:37 error: invalid value: http://a b: spec.source.git.httpProxy\ninvalid character in URL\n" },
	{ "https proxy", CONFIG, SOURCE("git: {uri: x, httpsProxy: 'h:x'}"), "5:38 error: invalid value: http://h:x: spec.source.git.httpsProxy\ninvalid port \":x\" after host\n" },
	{ "context dir", CONFIG, SOURCE("git: {uri: x}, contextDir: ../a"), "5:39 error: invalid value: ../a: spec.source.contextDir\ncontext dir must not be a relative path\n" },
	{ "context dir inside leads out", CONFIG, SOURCE("git: {uri: x}, contextDir: a/../../b"), "5:39 error: invalid value: a/../../b: spec.source.contextDir\ncontext dir must not be a relative path\n" },
	{ "source secret", CONFIG, SOURCE("git: {uri: x}, sourceSecret: {name: ''}"), "5:48 error: missing field(s): spec.source.sourceSecret.name\n" },
	{ "as file", CONFIG, SOURCE("binary: {asFile: a/b}"), "5:29 error: invalid value: a/b: spec.source.binary.asFile\nfile name may not contain slashes or relative path segments and must be a valid POSIX filename\n" },
	{ "as file dot", CONFIG, SOURCE("binary: {asFile: .}"), "5:29 error: invalid value: .: spec.source.binary.asFile\nfile name may not contain slashes or relative path segments and must be a valid POSIX filename\n" },
	{ "as file dots", CONFIG, SOURCE("binary: {asFile: ..}"), "5:29 error: invalid value: ..: spec.source.binary.asFile\nfile name may not contain slashes or relative path segments and must be a valid POSIX filename\n" },
	{ "as file backslash", CONFIG, SOURCE("binary: {asFile: 'a\\b'}"), "5:29 error: invalid value: a\\b: spec.source.binary.asFile\nfile name may not contain slashes or relative path segments and must be a valid POSIX filename\n" },
	{ "as file root", CONFIG, SOURCE("binary: {asFile: /a}"), "" },

	{ "image source", CONFIG, SOURCE("images: [{from: {kind: DockerImage, name: a}, as: [b]}]"), "" },
	{ "image source by id", CONFIG, SOURCE("images: [{from: {kind: ImageStreamImage, name: a@b}, as: [b]}]"), "" },
	{ "image source kind", CONFIG, SOURCE("images: [{from: {name: a}, as: [b]}]"), "5:22 error: missing field(s): spec.source.images[0].from.kind\n" },
	{ "image source neither", CONFIG, SOURCE("images: [{from: {kind: DockerImage, name: a}}]"),
	  "5:21 error: missing field(s): spec.source.images[0].paths, spec.source.images[0].as\nmust specify 'paths' or 'as'\n" },
	{ "image source empty as", CONFIG, SOURCE("images: [{from: {kind: DockerImage, name: a}, as: ['']}]"), "5:63 error: invalid value: \"\": spec.source.images[0].as[0]\nmust not be empty\n" },
	{ "image source same as", CONFIG, SOURCE("images: [{from: {kind: DockerImage, name: a}, as: [b]}, {from: {kind: DockerImage, name: a}, as: [c, b]}]"),
	  "5:113 error: duplicate value: b: spec.source.images[1].as[1]\n" },
	{ "image path relative", CONFIG, SOURCE("images: [{from: {kind: DockerImage, name: a}, paths: [{sourcePath: b, destinationDir: /c}]}]"),
	  "5:79 error: invalid value: b: spec.source.images[0].paths[0].sourcePath\nmust be an absolute path\n"
	  "5:98 error: invalid value: /c: spec.source.images[0].paths[0].destinationDir\nmust be a relative path\n" },
	{ "image path out", CONFIG, SOURCE("images: [{from: {kind: DockerImage, name: a}, paths: [{sourcePath: /b, destinationDir: ../c}]}]"),
	  "5:99 error: invalid value: ../c: spec.source.images[0].paths[0].destinationDir\ndestination dir cannot start with '..'\n" },
	{ "image pull secret", CONFIG, SOURCE("images: [{from: {kind: DockerImage, name: a}, as: [b], pullSecret: {}}]"), "5:67 error: missing field(s): spec.source.images[0].pullSecret.name\n" },
	{ "secrets", CONFIG, SOURCE("git: {uri: x}, secrets: [{secret: {name: A}, destinationDir: ../x}, {secret: {name: a}, destinationDir: /x}]"),
	  "5:53 error: invalid value: A: spec.source.secrets[0].secret.name\nmust be valid secret name\n"
	  "5:73 error: invalid value: ../x: spec.source.secrets[0].destinationDir\ndestination dir cannot start with '..'\n"
	  "5:116 error: invalid value: /x: spec.source.secrets[1].destinationDir\nfor the docker strategy the destinationDir has to be relative path\n" },
	{ "secrets for s2i", CONFIG, "  source: {secrets: [{secret: {name: a}, destinationDir: /x}]}\n" S2I, "" },
	{ "config maps", CONFIG, SOURCE("git: {uri: x}, configMaps: [{configMap: {name: _}}, {configMap: {}}]"),
	  "5:59 error: invalid value: _: spec.source.configMaps[0].configMap.name\nmust be valid configMap name\n"
	  "5:65 error: missing field(s): spec.source.configMaps[1].configMap.name\n" },

	{ "from tag", CONFIG, STRATEGY("from: {kind: ImageStreamTag, name: ruby}"), "6:66 error: invalid value: ruby: spec.strategy.dockerStrategy.from.name\nmust be <name>:<tag>\n" },
	{ "from tag empty", CONFIG, STRATEGY("from: {name: 'ruby:'}"), "6:44 error: invalid value: ruby:: spec.strategy.dockerStrategy.from.name\nmust be <name>:<tag>\n" },
	{ "from name empty", CONFIG, STRATEGY("from: {name: ':a'}"), "6:44 error: invalid value: :a: spec.strategy.dockerStrategy.from.name\nmust be <name>:<tag>\n" },
	{ "from tag twice", CONFIG, STRATEGY("from: {name: 'a:b:c'}"), "6:44 error: invalid value: a:b:c: spec.strategy.dockerStrategy.from.name\nmust be <name>:<tag>\n" },
	{ "from syntax", CONFIG, STRATEGY("from: {name: 'Ruby:1'}"), "6:44 error: invalid value: Ruby:1: spec.strategy.dockerStrategy.from.name\ninvalid name syntax\n" },
	{ "from registry as a tag", CONFIG, STRATEGY("from: {name: 'h.io/a/b:1'}"),
	  "6:44 error: invalid value: h.io/a/b:1: spec.strategy.dockerStrategy.from.name\ninvalid name syntax; for an image in a registry use kind: DockerImage\n" },
	{ "from image", CONFIG, STRATEGY("from: {kind: ImageStreamImage, name: ruby}"), "6:68 error: invalid value: ruby: spec.strategy.dockerStrategy.from.name\nmust be <name>@<id>\n" },
	{ "from docker", CONFIG, STRATEGY("from: {kind: DockerImage, name: 'h/A'}"),
	  "6:63 error: invalid value: h/A: spec.strategy.dockerStrategy.from.name\nnot a valid Docker pull specification: invalid reference format: 'h/A': the repository's name must be lower case\n" },
	{ "from docker in upper case host", CONFIG, STRATEGY("from: {kind: DockerImage, name: 'MyRegistry.IO/wildfly:15.0'}"), "" },
	{ "from docker registry alone", CONFIG, STRATEGY("from: {kind: DockerImage, name: quay.io}"),
	  "6:63 error: invalid value: quay.io: spec.strategy.dockerStrategy.from.name\nnot a valid Docker pull specification: it names a registry, and no image in it\n" },
	{ "from docker namespace", CONFIG, STRATEGY("from: {kind: DockerImage, name: a, namespace: b}"),
	  "6:77 error: invalid value: b: spec.strategy.dockerStrategy.from.namespace\nnot valid when used with a 'DockerImage'\n" },
	{ "from namespace", CONFIG, STRATEGY("from: {name: 'a:b', namespace: A}"), "6:62 error: invalid value: A: spec.strategy.dockerStrategy.from.namespace\nmust be a valid namespace\n" },
	{ "from kind", CONFIG, STRATEGY("from: {kind: Image, name: a}"),
	  "6:44 error: invalid value: Image: spec.strategy.dockerStrategy.from.kind\nmust be 'ImageStreamTag', 'ImageStreamImage', or 'DockerImage'\n" },
	{ "from without name", CONFIG, STRATEGY("from: {kind: DockerImage}"), "6:31 error: missing field(s): spec.strategy.dockerStrategy.from.name\n" },
	{ "from missing", CONFIG, "  strategy: {sourceStrategy: {}}\n",
	  "5:14 error: missing field(s): spec.strategy.sourceStrategy.from\n5:14 error: missing field(s): spec.strategy.sourceStrategy.from.name\n" },

	{ "docker all", CONFIG, STRATEGY("noCache: true, forcePull: true, buildArgs: [{name: A, value: b}], imageOptimizationPolicy: SkipLayers, dockerfilePath: a/D"), "" },
	{ "optimization", CONFIG, STRATEGY("imageOptimizationPolicy: All"),
	  "6:56 error: invalid value: All: spec.strategy.dockerStrategy.imageOptimizationPolicy\nmust be unset, 'None', 'SkipLayers', or 'SkipLayersAndWarn'\n" },
	{ "dockerfile path", CONFIG, STRATEGY("dockerfilePath: /a"), "6:47 error: invalid value: /a: spec.strategy.dockerStrategy.dockerfilePath\ndockerfilePath must be a relative path within your source location\n" },
	{ "dockerfile path out", CONFIG, STRATEGY("dockerfilePath: a/../../b"),
	  "6:47 error: invalid value: a/../../b: spec.strategy.dockerStrategy.dockerfilePath\ndockerfilePath must be a relative path within your source location\n" },
	{ "dockerfile path with dots", CONFIG, STRATEGY("dockerfilePath: ..a"), "" },
	{ "pull secret", CONFIG, STRATEGY("pullSecret: {}"), "6:31 error: missing field(s): spec.strategy.dockerStrategy.pullSecret.name\n" },
	{ "env", CONFIG, STRATEGY("env: [{name: A, value: ''}, {name: my.env-name}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}]"), "" },
	{ "env name", CONFIG, STRATEGY("env: [{name: 1A}]"), "6:44 error: invalid value: 1A: spec.strategy.dockerStrategy.env[0].name\n" ENV_RULE "\n" },
	{ "env names", CONFIG, STRATEGY("env: [{name: ''}, {value: a}, {name: ..}, {name: ..a}, {name: .}, {name: a=b}]"),
	  "6:44 error: missing field(s): spec.strategy.dockerStrategy.env[0].name\n"
	  "6:49 error: missing field(s): spec.strategy.dockerStrategy.env[1].name\n"
	  "6:68 error: invalid value: ..: spec.strategy.dockerStrategy.env[2].name\nmust not be '..'\n"
	  "6:80 error: invalid value: ..a: spec.strategy.dockerStrategy.env[3].name\nmust not start with '..'\n"
	  "6:93 error: invalid value: .: spec.strategy.dockerStrategy.env[4].name\nmust not be '.'\n"
	  "6:104 error: invalid value: a=b: spec.strategy.dockerStrategy.env[5].name\n" ENV_RULE "\n" },
	{ "env from resources", CONFIG, STRATEGY("env: [{name: A, valueFrom: {resourceFieldRef: {}}}]"),
	  "6:59 error: ResourceFieldRef is not valid for valueFrom in build environment variables: spec.strategy.dockerStrategy.env[0].valueFrom.resourceFieldRef\n" },
	{ "env from nothing", CONFIG, STRATEGY("env: [{name: A, valueFrom: {}}]"),
	  "6:47 error: must have exactly one of secretKeyRef, configMapKeyRef, fieldRef: spec.strategy.dockerStrategy.env[0].valueFrom\n" },
	{ "env twice", CONFIG, STRATEGY("env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: a}}}]"),
	  "6:57 error: may not be specified when `value` is not empty: spec.strategy.dockerStrategy.env[0].valueFrom\n" },
	{ "volumes", CONFIG, STRATEGY("volumes: [{name: a, source: {type: Secret, secret: {secretName: s, items: [{key: a, path: b}], defaultMode: 256}}, mounts: [{destinationPath: /x}]}, "
	  "{name: b, source: {type: ConfigMap, configMap: {name: s, optional: true}}, mounts: [{destinationPath: /y}]}, {name: c, source: {type: CSI, csi: {driver: d}}, mounts: [{destinationPath: /z}]}]"), "" },
	{ "volume name", CONFIG, STRATEGY("volumes: [{name: A.b, source: {type: CSI, csi: {}}, mounts: [{destinationPath: /x}]}]"),
	  "6:48 error: invalid value: A.b: spec.strategy.dockerStrategy.volumes[0].name\nmust be at most 63 lower case letters, digits or '-', and start and end with a letter or digit\n" },
	{ "volume source", CONFIG, STRATEGY("volumes: [{name: a, source: {type: Secret, configMap: {name: b}}, mounts: [{destinationPath: /x}]}]"),
	  "6:51 error: missing field(s): spec.strategy.dockerStrategy.volumes[0].source.secret\n"
	  "6:74 error: may not be set when type is Secret: spec.strategy.dockerStrategy.volumes[0].source.configMap\n" },
	{ "volume type", CONFIG, STRATEGY("volumes: [{name: a, source: {type: EmptyDir}, mounts: [{destinationPath: ' '}]}]"),
	  "6:66 error: invalid value: EmptyDir: spec.strategy.dockerStrategy.volumes[0].source.type\nmust be 'Secret', 'ConfigMap', or 'CSI'\n"
	  "6:104 error: missing field(s): spec.strategy.dockerStrategy.volumes[0].mounts[0].destinationPath\n" },
	{ "volume mounts", CONFIG, STRATEGY("volumes: [{name: a, source: {type: Secret, secret: {}}}]"),
	  "6:41 error: missing field(s): spec.strategy.dockerStrategy.volumes[0].mounts\n"
	  "6:74 error: missing field(s): spec.strategy.dockerStrategy.volumes[0].source.secret.secretName\n" },
	{ "s2i all", CONFIG, "  strategy: {sourceStrategy: {from: {kind: DockerImage, name: a}, scripts: 'http://x', incremental: false, forcePull: true, env: [{name: A}]}}\n", "" },
	{ "custom all", CONFIG, "  strategy: {customStrategy: {from: {kind: DockerImage, name: a}, exposeDockerSocket: true, buildAPIVersion: v1, secrets: [{secretSource: {name: s}, mountPath: /x}]}}\n", "" },
	{ "custom secret", CONFIG, "  strategy: {customStrategy: {from: {kind: DockerImage, name: a}, secrets: [{secretSource: {name: ''}, mountPath: ''}]}}\n",
	  "5:99 error: missing field(s): spec.strategy.customStrategy.secrets[0].secretSource.name\n5:115 error: missing field(s): spec.strategy.customStrategy.secrets[0].mountPath\n" },
	{ "pipeline inline", CONFIG, "  strategy: {jenkinsPipelineStrategy: {jenkinsfile: 'node {}'}}\n", "" },
	{ "pipeline from git", CONFIG, GIT "  strategy: {jenkinsPipelineStrategy: {jenkinsfilePath: a/J}}\n", "" },
	{ "pipeline without git", CONFIG, "  strategy: {jenkinsPipelineStrategy: {}}\n",
	  "4:1 error: must be set when using Jenkins Pipeline strategy with Jenkinsfile from a git repo: spec.source.git\n" },
	{ "pipeline both", CONFIG, GIT "  strategy: {jenkinsPipelineStrategy: {jenkinsfile: a, jenkinsfilePath: b}}\n",
	  "6:14 error: must provide a value for at most one of jenkinsfilePath, or jenkinsfile: spec.strategy.jenkinsPipelineStrategy\n" },
	{ "pipeline path", CONFIG, GIT "  strategy: {jenkinsPipelineStrategy: {jenkinsfilePath: ../b}}\n",
	  "6:57 error: invalid value: ../b: spec.strategy.jenkinsPipelineStrategy.jenkinsfilePath\njenkinsfilePath must be a relative path within your source location\n" },

	{ "to tag", CONFIG, OUTPUT("to: {name: 'a:b', namespace: other}, pushSecret: {name: p}"), "" },
	{ "to docker", CONFIG, OUTPUT("to: {kind: DockerImage, name: 'h.io/a:b'}"), "" },
	{ "to form", CONFIG, OUTPUT("to: {name: a}"), "7:23 error: invalid value: a: spec.output.to.name\nImageStreamTag object references must be in the form <name>:<tag>\n" },
	{ "to syntax", CONFIG, OUTPUT("to: {name: 'A:b'}"), "7:23 error: invalid value: A:b: spec.output.to.name\nImageStreamTag name contains invalid syntax\n" },
	{ "to namespace", CONFIG, OUTPUT("to: {name: 'a:b', namespace: '-'}"), "7:41 error: invalid value: -: spec.output.to.namespace\nnamespace must be a valid subdomain\n" },
	{ "to docker namespace", CONFIG, OUTPUT("to: {kind: DockerImage, name: a, namespace: b}"),
	  "7:56 error: invalid value: b: spec.output.to.namespace\nnamespace is not valid when used with a 'DockerImage'\n" },
	{ "to kind", CONFIG, OUTPUT("to: {kind: ImageStreamImage, name: a@b}"),
	  "7:23 error: invalid value: ImageStreamImage: spec.output.to.kind\nthe target of build output must be an 'ImageStreamTag' or 'DockerImage'\n" },
	{ "to without name", CONFIG, OUTPUT("to: {}"), "7:12 error: missing field(s): spec.output.to.name\n" },
	{ "push secret", CONFIG, OUTPUT("pushSecret: {name: ''}"), "7:31 error: missing field(s): spec.output.pushSecret.name\n" },
	{ "labels", CONFIG, OUTPUT("imageLabels: [{name: io.k8s.display-name, value: any text}, {name: a/b}, {name: c, value: ''}]"), "" },
	{ "label names", CONFIG, OUTPUT("imageLabels: [{name: a b}, {name: c}, {name: c}, {name: ''}, {value: d}]"),
	  "7:33 error: invalid value: a b: spec.output.imageLabels[0].name\na label's name must consist of alphanumeric characters, '-', '_', '.' or '/' (e.g. 'io.k8s.display-name', or 'example.com/name')\n"
	  "7:57 error: invalid value: c: spec.output.imageLabels[2].name\nduplicate name\n"
	  "7:68 error: missing field(s): spec.output.imageLabels[3].name\n"
	  "7:73 error: missing field(s): spec.output.imageLabels[4].name\n" },

	{ "post commit", CONFIG, GIT DOCKER "  postCommit: {script: a, command: [b]}\n", "7:3 error: cannot use command and script together: spec.postCommit\n" },
	{ "post commit args", CONFIG, GIT DOCKER "  postCommit: {script: a, args: [b]}\n", "" },
	{ "deadline", CONFIG, GIT DOCKER "  completionDeadlineSeconds: 0\n", "7:30 error: invalid value: 0: spec.completionDeadlineSeconds\ncompletionDeadlineSeconds must be a positive integer greater than 0\n" },
	{ "deadline negative", CONFIG, GIT DOCKER "  completionDeadlineSeconds: -1\n", "7:30 error: invalid value: -1: spec.completionDeadlineSeconds\ncompletionDeadlineSeconds must be a positive integer greater than 0\n" },
	{ "deadline long", CONFIG, GIT DOCKER "  completionDeadlineSeconds: 9223372037\n", "7:30 error: invalid value: 9223372037: spec.completionDeadlineSeconds\ncompletionDeadlineSeconds is longer than any time\n" },
	{ "deadline fine", CONFIG, GIT DOCKER "  completionDeadlineSeconds: 9223372036\n", "" },
	{ "resources", CONFIG, GIT DOCKER "  resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: much}}\n", "7:62 error: invalid value: much: spec.resources.requests[cpu]\nmust be a quantity such as 2, 500m, 128M or 1.5Gi\n" },
	{ "the rest", CONFIG, GIT DOCKER "  nodeSelector: {a: b}\n  mountTrustedCA: true\n  serviceAccount: s\n  revision: {type: Git, git: {commit: a, author: {name: n, email: e}, committer: {name: n}, message: m}}\n", "" },
	{ "run policy", CONFIG, GIT DOCKER "  runPolicy: Fast\n", "7:14 error: invalid value: Fast: spec.runPolicy\nrun policy must be Parallel, Serial, or SerialLatestOnly\n" },
	{ "run policies", CONFIG, GIT DOCKER "  runPolicy: SerialLatestOnly\n", "" },
	{ "limits", CONFIG, GIT DOCKER "  successfulBuildsHistoryLimit: -1\n  failedBuildsHistoryLimit: -2\n",
	  "7:33 error: invalid value: -1: spec.successfulBuildsHistoryLimit\nmust be greater than or equal to 0\n8:29 error: invalid value: -2: spec.failedBuildsHistoryLimit\nmust be greater than or equal to 0\n" },
	{ "limits zero", CONFIG, GIT DOCKER "  successfulBuildsHistoryLimit: 0\n  failedBuildsHistoryLimit: 0\n", "" },
	{ "unknown field", CONFIG, GIT DOCKER "  runPolicies: Serial\n", "7:3 warning: unknown field 'runPolicies' in BuildConfig spec; did you mean 'runPolicy'?\n" },

	{ "triggers", CONFIG, TRIGGERS("{type: ConfigChange}, {type: ImageChange}, {type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: 'a:b'}, paused: true, lastTriggeredImageID: x}}"), "" },
	{ "trigger old spelling", CONFIG, TRIGGERS("{type: imageChange, imageChange: {}}"), "" },
	{ "trigger webhooks", CONFIG, TRIGGERS("{type: github, github: {secret: s}}, {type: Generic, generic: {secretReference: {name: s}, allowEnv: true}}, {type: GitLab, gitlab: {secret: s}}, {type: Bitbucket, bitbucket: {secret: s}}"),
	  "" },
	{ "trigger unknown", CONFIG, TRIGGERS("{type: ConfigChanged}, {type: x}"),
	  "7:21 warning: invalid trigger type 'ConfigChanged', the trigger is left out: spec.triggers[0].type; did you mean 'ConfigChange'?\n"
	  "7:44 warning: invalid trigger type 'x', the trigger is left out: spec.triggers[1].type\n" },
	{ "trigger without type", CONFIG, TRIGGERS("{imageChange: {}}"), "7:14 error: missing field(s): spec.triggers[0].type\n" },
	{ "trigger empty type", CONFIG, TRIGGERS("{type: ''}"), "7:21 error: missing field(s): spec.triggers[0].type\n" },
	{ "webhook missing", CONFIG, TRIGGERS("{type: GitLab}"),
	  "7:14 error: missing field(s): spec.triggers[0].gitlab\n" },
	{ "webhook secret", CONFIG, TRIGGERS("{type: GitHub, github: {}}"),
	  "7:29 error: must provide a value for at least one of secret or secretReference: spec.triggers[0].github\n" },
	{ "webhook env", CONFIG, TRIGGERS("{type: GitHub, github: {secret: s, allowEnv: true}}"),
	  "7:59 error: git webhooks cannot allow env vars: spec.triggers[0].github.allowEnv\n" },
	{ "webhook reference", CONFIG, TRIGGERS("{type: Generic, generic: {secretReference: {}}}"),
	  "7:40 error: missing field(s): spec.triggers[0].generic.secretReference.name\n" },
	{ "default trigger without a tag", CONFIG, GIT DOCKER "  triggers: [{type: ImageChange}]\n",
	  "7:14 warning: a default ImageChange trigger can only be used when the build strategy includes an ImageStreamTag reference; the trigger is left out: spec.triggers[0]\n" },
	{ "default trigger with an image", CONFIG, STRATEGY("from: {kind: DockerImage, name: a}") "  triggers: [{type: ImageChange, imageChange: {}}]\n",
	  "7:14 warning: a default ImageChange trigger can only be used when the build strategy includes an ImageStreamTag reference; the trigger is left out: spec.triggers[0]\n" },
	{ "trigger from", CONFIG, TRIGGERS("{type: ImageChange, imageChange: {from: {kind: DockerImage, name: a}}}"),
	  "7:61 error: invalid value: DockerImage: spec.triggers[0].imageChange.from.kind\nonly an ImageStreamTag type of reference is allowed in an ImageChange trigger.\n" },
	{ "trigger from no kind", CONFIG, TRIGGERS("{type: ImageChange, imageChange: {from: {name: 'a:b'}}}"),
	  "7:48 error: invalid value: \"\": spec.triggers[0].imageChange.from.kind\nonly an ImageStreamTag type of reference is allowed in an ImageChange trigger.\n" },
	{ "trigger from name", CONFIG, TRIGGERS("{type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: a}}}"),
	  "7:83 error: invalid value: a: spec.triggers[0].imageChange.from.name\nmust be <name>:<tag>\n" },
	{ "two defaults", CONFIG, TRIGGERS("{type: ImageChange}, {type: ImageChange}"),
	  "7:35 error: multiple ImageChange triggers refer to the same image stream tag: spec.triggers[1]\nthe tag is n/r:1, the strategy's, since imageChange has no `from`\n" },
	{ "default and its tag", CONFIG, TRIGGERS("{type: ImageChange}, {type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: 'r:1', namespace: n}}}"),
	  "7:35 error: multiple ImageChange triggers refer to the same image stream tag: spec.triggers[1]\nthe tag is n/r:1\n" },
	{ "same name elsewhere", CONFIG, TRIGGERS("{type: ImageChange}, {type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: 'r:1', namespace: m}}}"), "" },
};
/* clang-format on */

static void test_build_config__rules(void **state)
{
	size_t n_wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		char *text = NULL;
		struct arena *arena = arena_new();
		struct loaded loaded;
		const char *said;

		text = arena_printf(arena, "%s%s", rows[i].head, rows[i].spec);
		manifest_load(&loaded, text, false);
		said = manifest_said(&loaded);
		if (strcmp(said, rows[i].said) != 0) {
			print_error("%s:\n%s--- not:\n%s", rows[i].name, said, rows[i].said);
			n_wrong++;
		}
		arena_free(loaded.arena);
		arena_free(arena);
	}
	assert_int_equal(n_wrong, 0);
}

static const struct build_config_spec *load(struct loaded *loaded, const char *head,
					    const char *spec)
{
	const char *parts[] = { head, spec };
	struct arena *arena = arena_new();

	manifest_load(loaded, arena_concat(arena, parts, 2), false);
	arena_adopt(loaded->arena, arena);
	assert_int_equal(loaded->model.objects.n, 1);
	return loaded->model.objects.v[0]->spec;
}

static void test_build_config__defaults_and_old_forms(void **state)
{
	struct loaded loaded;
	const struct build_config_spec *spec =
		load(&loaded, CONFIG,
		     "  serviceAccount: ''\n  runPolicy: ''\n"
		     "  source: {contextDir: /a/./b/, git: {uri: u, ref: ''}, binary: null}\n"
		     "  strategy: {sourceStrategy: {from: {kind: ImageStream, name: ruby}, "
		     "incremental: true}}\n"
		     "  output: {to: {name: 'a:b'}}\n"
		     "  triggers: [{type: imageChange}, {type: nothing}, {type: generic, generic: "
		     "{secret: a}}]\n"
		     "  resources: {limits: {cpu: 1}}\n");

	(void)state;
	assert_string_equal(spec->common.service_account, "builder");
	assert_string_equal(spec->run_policy, "Serial");
	assert_true(spec->has_success_limit && spec->has_failed_limit);
	assert_int_equal(spec->success_limit, 5);
	assert_int_equal(spec->failed_limit, 5);
	assert_string_equal(spec->common.source.context_dir, "a/b");
	assert_null(spec->common.source.git->ref);
	assert_string_equal(spec->common.source.type, "Git");
	assert_string_equal(spec->common.strategy.type, "Source");
	assert_true(spec->common.strategy.source->is_incremental);
	assert_string_equal(strategy_from(&spec->common.strategy)->kind, "ImageStreamTag");
	assert_string_equal(strategy_from(&spec->common.strategy)->name, "ruby:latest");
	assert_string_equal(spec->common.output.to->kind, "ImageStreamTag");
	assert_string_equal(pairs_get(&spec->common.resources.limits, "cpu"), "1");
	assert_int_equal(spec->triggers.n, 2);
	assert_string_equal(LIST_AT(spec->triggers, struct build_trigger, 0)->type, "ImageChange");
	assert_non_null(LIST_AT(spec->triggers, struct build_trigger, 0)->image_change);
	assert_string_equal(LIST_AT(spec->triggers, struct build_trigger, 1)->type, "Generic");
	assert_int_equal(LIST_AT(spec->triggers, struct build_trigger, 1)->index, 2);
	arena_free(loaded.arena);
}

static void test_build_config__the_legacy_group_keeps_all_builds(void **state)
{
	struct loaded loaded;
	const struct build_config_spec *spec = load(&loaded, LEGACY, GIT DOCKER);

	(void)state;
	assert_false(spec->has_success_limit || spec->has_failed_limit);
	arena_free(loaded.arena);
	spec = load(&loaded, LEGACY, GIT DOCKER "  failedBuildsHistoryLimit: 0\n");
	assert_true(spec->has_failed_limit);
	assert_int_equal(spec->failed_limit, 0);
	arena_free(loaded.arena);
	spec = load(&loaded, CONFIG, GIT DOCKER "  failedBuildsHistoryLimit: 0\n");
	assert_int_equal(spec->failed_limit, 0);
	assert_int_equal(spec->success_limit, 5);
	arena_free(loaded.arena);
}

static void test_build_config__inline_files_have_a_size(void **state)
{
	static const struct {
		const char *before, *after, *said;
		size_t max;
	} texts[] = {
		{ "  source: {dockerfile: ", "}\n" DOCKER,
		  "must be smaller than 60000 bytes: spec.source.dockerfile", 60000 },
		{ "  strategy: {jenkinsPipelineStrategy: {jenkinsfile: ", "}}\n",
		  "must be smaller than 100000 bytes: "
		  "spec.strategy.jenkinsPipelineStrategy.jenkinsfile",
		  100000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		for (size_t more = 0; more < 2; more++) {
			struct arena *arena = arena_new();
			char *body = arena_alloc(arena, texts[i].max + more + 1);
			struct loaded loaded;

			memset(body, 'a', texts[i].max + more);
			(void)load(&loaded, CONFIG,
				   arena_printf(arena, "%s%s%s", texts[i].before, body,
						texts[i].after));
			assert_int_equal(loaded.diags.list.n, more);
			if (more)
				assert_string_equal(loaded.diags.list.v[0].text, texts[i].said);
			arena_free(loaded.arena);
			arena_free(arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_config__rules),
		cmocka_unit_test(test_build_config__defaults_and_old_forms),
		cmocka_unit_test(test_build_config__the_legacy_group_keeps_all_builds),
		cmocka_unit_test(test_build_config__inline_files_have_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
