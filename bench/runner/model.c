/* One .tflite file, loaded in LiteRT, with its input and its output in host memory. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

/* How LiteRT's CPU accelerator names its kernels. */
enum { KERNELS_XNNPACK = 0, KERNELS_BUILTIN = 2 };

static void expect(LiteRtStatus status, const char *path, const char *what) {
    if (status != 0)
        fail(EXIT_MODEL, "%s: LiteRT cannot %s (status %d)", path, what, status);
}

static void add_options(LiteRtOptions options, const char *path, const char *name, char *toml) {
    LiteRtOpaqueOptions opaque;
    expect(LiteRtCreateOpaqueOptions(name, toml, free, &opaque), path, "take options");
    expect(LiteRtAddOpaqueOptions(options, opaque), path, "take options");
}

static LiteRtOptions make_options(const struct Job *job, const char *path, bool profiled) {
    LiteRtOptions options;
    expect(LiteRtCreateOptions(&options), path, "take options");
    expect(LiteRtSetOptionsHardwareAccelerators(options, LITERT_ACCELERATOR_CPU), path,
           "take options");
    enum { ROOM = 64 };
    char *cpu = allocate(ROOM);
    int kernels = job->xnnpack ? KERNELS_XNNPACK : KERNELS_BUILTIN;
    snprintf(cpu, ROOM, "num_threads = %d\nkernel_mode = %d\n", job->threads, kernels);
    add_options(options, path, "xnnpack", cpu);
    if (profiled) {
        char *runtime = allocate(ROOM);
        snprintf(runtime, ROOM, "enable_profiling = true\n");
        add_options(options, path, "runtime_options_string", runtime);
    }
    return options;
}


static void describe(struct Port *port, struct RankedTensorType *type, LiteRtTensor tensor,
                     const char *path) {
    int kind;
    expect(LiteRtGetRankedTensorType(tensor, type), path, "tell a tensor's type");
    expect(LiteRtGetQuantizationTypeId(tensor, &kind), path, "tell a tensor's type");
    *port = (struct Port){.element_type = type->element_type, .elements = 1};
    for (unsigned int i = 0; i < type->rank; i++) {
        if (type->dimensions[i] < 1)
            fail(EXIT_MODEL, "%s: the input or output has no fixed shape", path);
        port->elements *= (size_t)type->dimensions[i];
    }
    if (port->element_type == LITERT_FLOAT32)
        return;
    bool integer = port->element_type == LITERT_INT8 || port->element_type == LITERT_UINT8 ||
                   port->element_type == LITERT_INT16;
    if (!integer || kind != LITERT_QUANTIZED_PER_TENSOR)
        fail(EXIT_MODEL, "%s: input or output is neither float32 nor 8 or 16 bit with one scale",
             path);
    expect(LiteRtGetPerTensorQuantization(tensor, &port->quantization), path, "tell a scale");
}

static void open_ports(struct Model *model, LiteRtEnvironment environment) {
    const char *path = model->path;
    size_t inputs, outputs;
    expect(LiteRtGetNumSubgraphInputs(model->graph, &inputs), path, "count inputs");
    expect(LiteRtGetNumSubgraphOutputs(model->graph, &outputs), path, "count outputs");
    if (inputs != 1 || outputs != 1)
        fail(EXIT_MODEL, "%s: %zu inputs and %zu outputs, one of each is expected", path, inputs,
             outputs);
    LiteRtTensor tensor;
    struct RankedTensorType type;
    LiteRtTensorBufferRequirements needs;
    expect(LiteRtGetSubgraphInput(model->graph, 0, &tensor), path, "find its input");
    describe(&model->input, &type, tensor, path);
    expect(LiteRtGetCompiledModelInputBufferRequirements(model->compiled, 0, 0, &needs), path,
           "find its input");
    expect(LiteRtCreateManagedTensorBufferFromRequirements(environment, &type, needs,
                                                           &model->input.buffer),
           path, "allocate its input");
    expect(LiteRtGetSubgraphOutput(model->graph, 0, &tensor), path, "find its output");
    describe(&model->output, &type, tensor, path);
    expect(LiteRtGetCompiledModelOutputBufferRequirements(model->compiled, 0, 0, &needs), path,
           "find its output");
    expect(LiteRtCreateManagedTensorBufferFromRequirements(environment, &type, needs,
                                                           &model->output.buffer),
           path, "allocate its output");
}

void load_model(struct Model *model, LiteRtEnvironment environment, const struct Job *job,
                const char *path, bool profiled) {
    *model = (struct Model){.path = path};
    if (access(path, R_OK) != 0)
        fail(EXIT_FILE, "%s: %s", path, strerror(errno));
    size_t main_graph;
    expect(LiteRtCreateModelFromFile(environment, path, &model->file), path, "read it");
    expect(LiteRtGetMainModelSubgraphIndex(model->file, &main_graph), path, "find its graph");
    expect(LiteRtGetModelSubgraph(model->file, main_graph, &model->graph), path, "find its graph");
    LiteRtOptions options = make_options(job, path, profiled);
    expect(LiteRtCreateCompiledModel(environment, model->file, options, &model->compiled), path,
           "prepare it");
    LiteRtDestroyOptions(options);
    open_ports(model, environment);
}

void unload_model(struct Model *model) {
    LiteRtDestroyTensorBuffer(model->input.buffer);
    LiteRtDestroyTensorBuffer(model->output.buffer);
    LiteRtDestroyCompiledModel(model->compiled);
    LiteRtDestroyModel(model->file);
}

void run_model(struct Model *model) {
    LiteRtStatus status = LiteRtRunCompiledModel(model->compiled, 0, 1, &model->input.buffer, 1,
                                                 &model->output.buffer);
    expect(status, model->path, "run it");
}

static void store(void *content, size_t i, float value, const struct Port *port) {
    if (port->element_type == LITERT_FLOAT32) {
        ((float *)content)[i] = value;
        return;
    }
    /* TFLite rounds half away from zero, and so does roundf. */
    float step = roundf(value / port->quantization.scale) + (float)port->quantization.zero_point;
    if (port->element_type == LITERT_INT8)
        ((int8_t *)content)[i] = (int8_t)fminf(fmaxf(step, INT8_MIN), INT8_MAX);
    else if (port->element_type == LITERT_UINT8)
        ((uint8_t *)content)[i] = (uint8_t)fminf(fmaxf(step, 0), UINT8_MAX);
    else
        ((int16_t *)content)[i] = (int16_t)fminf(fmaxf(step, INT16_MIN), INT16_MAX);
}

static float fetch(const void *content, size_t i, const struct Port *port) {
    if (port->element_type == LITERT_FLOAT32)
        return ((const float *)content)[i];
    int raw = port->element_type == LITERT_INT8    ? ((const int8_t *)content)[i]
              : port->element_type == LITERT_UINT8 ? ((const uint8_t *)content)[i]
                                                   : ((const int16_t *)content)[i];
    return (float)(raw - (int)port->quantization.zero_point) * port->quantization.scale;
}

void read_input(struct Model *model, const char *path) {
    const struct Port *port = &model->input;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail(EXIT_FILE, "%s: %s", path, strerror(errno));
    float *values = allocate((port->elements + 1) * sizeof *values);
    /* One more than needed is asked for: a file that is too long is as wrong as a short one. */
    size_t found = fread(values, sizeof *values, port->elements + 1, file);
    fclose(file);
    if (found != port->elements)
        fail(EXIT_FILE, "%s: not the %zu float32 values that %s takes", path, port->elements,
             model->path);
    void *content;
    expect(LiteRtLockTensorBuffer(port->buffer, &content, LITERT_LOCK_WRITE), path, "take it");
    for (size_t i = 0; i < port->elements; i++)
        store(content, i, values[i], port);
    expect(LiteRtUnlockTensorBuffer(port->buffer), path, "take it");
    free(values);
}

void write_output(struct Model *model, const char *path) {
    const struct Port *port = &model->output;
    void *content;
    FILE *file = open_for_writing(path);
    expect(LiteRtLockTensorBuffer(port->buffer, &content, LITERT_LOCK_READ), path, "give it");
    for (size_t i = 0; i < port->elements; i++) {
        float value = fetch(content, i, port);
        fwrite(&value, sizeof value, 1, file); /* finish_writing looks at the errors */
    }
    expect(LiteRtUnlockTensorBuffer(port->buffer), path, "give it");
    finish_writing(file, path);
}
