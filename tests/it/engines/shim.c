/* A library that passes for ONNX Runtime: the real one, with faults put in by
 * macros, and with providers for GPUs that compute on the processors.
 *
 * REAL              path of the real library
 * ENTRY_COUNT       entries of its table of functions
 * AT_…              index of a function in that table
 * CUDA_ERROR        what registering CUDA fails with, if it shall fail
 * RUN_ERROR         what every run fails with
 * RUN_CRASHES       every run ends the process by a signal
 * RUN_HANGS         no run ever ends
 * FAULT_FILE        runs go well while there is no such file
 * RUN_PAUSE_MS      every run takes that much longer
 * RUN_ADDS          added to every number of the outputs
 * BUILD_PAUSE_MS    time that TensorRT takes to build */
#include <dlfcn.h>
#include <glob.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef RUN_PAUSE_MS
#define RUN_PAUSE_MS 0
#endif
#ifndef BUILD_PAUSE_MS
#define BUILD_PAUSE_MS 0
#endif

struct base {
    const void *(*get_api)(uint32_t);
    const char *(*get_version)(void);
};

typedef void *status;
typedef status (*create_status)(int, const char *);

static void *table[ENTRY_COUNT];
static void *original[ENTRY_COUNT];
static char engine_path[4096];

/* Of the driver and of TensorRT, so that they are loaded as providers do. */
int cuInit(int);
int getInferLibVersion(void);

static status fails(const char *message) {
    return ((create_status)original[AT_CREATE_STATUS])(1, message);
}

static status make_options(void **out) {
    *out = engine_path;
    return NULL;
}

static status set_cuda(void *options, const char *const *keys, const char *const *values,
                       size_t count) {
    (void)options, (void)keys, (void)values, (void)count;
    return NULL;
}

static status set_tensorrt(void *options, const char *const *keys, const char *const *values,
                           size_t count) {
    (void)options;
    for (size_t at = 0; at < count; at++)
        if (!strcmp(keys[at], "trt_engine_cache_path"))
            snprintf(engine_path, sizeof engine_path, "%s", values[at]);
    return NULL;
}

static void drop_options(void *options) { (void)options; }

static status add_provider(void *session_options, const void *options) {
    (void)session_options, (void)options;
    cuInit(0);
    getInferLibVersion();
    return NULL;
}

static status add_cuda(void *session_options, const void *options) {
#ifdef CUDA_ERROR
    return fails(CUDA_ERROR);
#endif
    return add_provider(session_options, options);
}

/* TensorRT builds where there is nothing yet. */
static void build(void) {
    char path[4200];
    glob_t found;
    snprintf(path, sizeof path, "%s/*.engine", engine_path);
    if (!glob(path, 0, NULL, &found)) {
        globfree(&found);
        return;
    }
    usleep(BUILD_PAUSE_MS * 1000);
    snprintf(path, sizeof path, "%s/graph_fp16.engine", engine_path);
    FILE *file = fopen(path, "w");
    if (!file)
        abort();
    fputs("machine code", file);
    fclose(file);
}

static status create_session(void *environment, const void *model, size_t length,
                             const void *options, void **out) {
    if (*engine_path)
        build();
    return ((status(*)(void *, const void *, size_t, const void *, void **))
                original[AT_CREATE_SESSION])(environment, model, length, options, out);
}

static int is_faulty(void) {
#ifdef FAULT_FILE
    return !access(FAULT_FILE, F_OK);
#else
    return 1;
#endif
}

static status run(void *session, const void *options, const char *const *input_names,
                  const void *const *inputs, size_t input_count, const char *const *output_names,
                  size_t output_count, void **outputs) {
    if (is_faulty()) {
#ifdef RUN_ERROR
        return fails(RUN_ERROR);
#endif
#ifdef RUN_CRASHES
        *(volatile int *)options = *(volatile int *)8;
#endif
#ifdef RUN_HANGS
        for (;;)
            pause();
#endif
    }
    usleep(RUN_PAUSE_MS * 1000);
    status said = ((status(*)(void *, const void *, const char *const *, const void *const *,
                              size_t, const char *const *, size_t, void **))original[AT_RUN])(
        session, options, input_names, inputs, input_count, output_names, output_count, outputs);
#ifdef RUN_ADDS
    for (size_t at = 0; !said && at < output_count; at++) {
        float *numbers = NULL;
        said = ((status(*)(void *, void **))original[AT_TENSOR_DATA])(outputs[at],
                                                                      (void **)&numbers);
        if (!said)
            numbers[0] += RUN_ADDS;
    }
#endif
    return said;
}

static const struct base *real_base(void) {
    void *library = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        abort();
    }
    const struct base *(*get_base)(void) =
        (const struct base *(*)(void))dlsym(library, "OrtGetApiBase");
    return get_base();
}

static const void *get_api(uint32_t version) {
    const void *api = real_base()->get_api(version);
    memcpy(original, api, sizeof original);
    memcpy(table, api, sizeof table);
    table[AT_RUN] = (void *)run;
    table[AT_CREATE_SESSION] = (void *)create_session;
    table[AT_CREATE_CUDA] = (void *)make_options;
    table[AT_UPDATE_CUDA] = (void *)set_cuda;
    table[AT_RELEASE_CUDA] = (void *)drop_options;
    table[AT_ADD_CUDA] = (void *)add_cuda;
    table[AT_CREATE_TENSORRT] = (void *)make_options;
    table[AT_UPDATE_TENSORRT] = (void *)set_tensorrt;
    table[AT_RELEASE_TENSORRT] = (void *)drop_options;
    table[AT_ADD_TENSORRT] = (void *)add_provider;
    return table;
}

static const char *get_version(void) { return real_base()->get_version(); }

const struct base *OrtGetApiBase(void) {
    static const struct base base = {get_api, get_version};
    return &base;
}
