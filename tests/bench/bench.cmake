# Benches: programs that print ratios to a peer or a floor measured in the same run (tests/bench/README.md).
# ctest runs each with --smoke: a handful of objects, one round, so that they go on working. Nothing asserts a time.
include_guard()

add_library(bench_contest STATIC ${CMAKE_SOURCE_DIR}/tests/bench/contest.c ${CMAKE_SOURCE_DIR}/tests/bench/fixture.c
	${CMAKE_SOURCE_DIR}/tests/bench/fixture_status.c ${CMAKE_SOURCE_DIR}/tests/bench/fixture_tree.c)
target_link_libraries(bench_contest PUBLIC model_kind exec_sys PRIVATE project_options)

# add_bench(name SOURCES … LIBS …)
function(add_bench name)
	cmake_parse_arguments(B "" "" "SOURCES;LIBS" ${ARGN})
	add_executable(bench_${name} ${CMAKE_SOURCE_DIR}/tests/bench/bench_${name}.c ${B_SOURCES})
	target_link_libraries(bench_${name} PRIVATE bench_contest ${B_LIBS} project_options)
	set_target_properties(bench_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
	add_test(NAME bench/${name} COMMAND bench_${name} --smoke)
	set_tests_properties(bench/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

add_bench(load SOURCES ${CMAKE_SOURCE_DIR}/reconcile/load.c LIBS yaml)
add_bench(state SOURCES ${CMAKE_SOURCE_DIR}/reconcile/apply/state_read.c LIBS reconcile_store model_kind)
add_bench(layer SOURCES ${CMAKE_SOURCE_DIR}/tests/bench/layer_floor.c LIBS exec_image)

# Benches of the whole program are scripts: they are given the build directory.
add_executable(bench_commands ${CMAKE_SOURCE_DIR}/tests/bench/bench_commands.c)
target_link_libraries(bench_commands PRIVATE bench_contest project_options)
set_target_properties(bench_commands PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
add_executable(bench_shallow ${CMAKE_SOURCE_DIR}/tests/bench/bench_shallow.c)
target_link_libraries(bench_shallow PRIVATE exec_source project_options)
set_target_properties(bench_shallow PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
add_executable(bench_import ${CMAKE_SOURCE_DIR}/tests/bench/bench_import.c)
target_link_libraries(bench_import PRIVATE bench_contest reconcile_observe project_options)
set_target_properties(bench_import PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
add_executable(bench_image ${CMAKE_SOURCE_DIR}/tests/bench/bench_image.c)
target_link_libraries(bench_image PRIVATE bench_contest exec_image project_options)
set_target_properties(bench_image PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
foreach(name build import many noop pull rebase rebuild s2i shallow)
	add_test(NAME bench/${name} COMMAND bash ${CMAKE_SOURCE_DIR}/tests/bench/bench_${name}.sh ${CMAKE_BINARY_DIR} --smoke)
	set_tests_properties(bench/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()
