/* What the parts of the runner share: errors, the job, a loaded model, what was measured. */
#ifndef EDGEMAT_RUNNER_H
#define EDGEMAT_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "litert.h"

/* Exit codes; bench/devices/job.py reads them. */
enum {
    EXIT_JOB = 10,
    EXIT_FILE = 11,
    EXIT_MODEL = 12,
    EXIT_DISK = 13,
    EXIT_MEMORY = 14,
    EXIT_ALONE = 15
};
enum { MAX_MODELS = 64, MAX_PATH = 512 };

/* Print one line on stderr and end the process. */
_Noreturn void fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *allocate(size_t bytes);
void *grow(void *memory, size_t bytes);

/* --- job.c: the file that says what to do ------------------------------------------------ */

struct ModelJob {
    char model[MAX_PATH], input[MAX_PATH], output[MAX_PATH];
};

struct Job {
    int threads;
    uint64_t cpu_mask; /* bit n is core n; 0 leaves the system's choice */
    bool xnnpack;      /* else TFLite's own kernels */
    uint64_t warmup_runs, warmup_ns, runs, measure_ns, blocks, settle_runs, sustained_ns;
    uint64_t profile_runs; /* at least 1: who computes is read from the profiler */
    char result[MAX_PATH];
    size_t models;
    struct ModelJob model[MAX_MODELS];
};

void read_job(const char *path, struct Job *job);

/* --- model.c: one .tflite file in LiteRT ------------------------------------------------- */

struct Port { /* the input or the output */
    LiteRtTensorBuffer buffer;
    int element_type;
    size_t elements;
    struct PerTensorQuantization quantization;
};

struct Model {
    const char *path;
    LiteRtModel file;
    LiteRtSubgraph graph;
    LiteRtCompiledModel compiled;
    struct Port input, output;
};

void load_model(struct Model *model, LiteRtEnvironment environment, const struct Job *job,
                const char *path, bool profiled);
void unload_model(struct Model *model);
void read_input(struct Model *model, const char *path); /* raw float32, quantized where needed */
void write_output(struct Model *model, const char *path);
void run_model(struct Model *model); /* the call that is timed */

/* --- measure.c: bench/protocol.py, in C -------------------------------------------------- */

struct Samples {
    uint64_t *ns;
    size_t count, room;
};

struct Measured {
    uint64_t init_ns, first_ns, warmup_runs;
    struct Samples samples, sustained;
};

uint64_t now_ns(void);
/* Print a line once a second: the other side sees that we live, and we end when it is gone. */
void stay_in_touch(uint64_t now);
void measure(struct Model *models, struct Measured *measured, const struct Job *job);

/* --- profile.c: which operators ran where, and how long ---------------------------------- */

struct OperatorTime {
    const char *name;
    uint64_t events, us;
};

struct Profile {
    bool known; /* false: the runtime tells nothing */
    size_t operators, delegated, partitions;
    size_t kinds;
    struct OperatorTime *kind;
};

void profile_model(struct Profile *profile, LiteRtEnvironment environment, const struct Job *job,
                   const struct ModelJob *files);

/* --- report.c: what was measured, as JSON ------------------------------------------------ */

void write_report(const struct Job *job, const struct Measured *measured,
                  const struct Profile *profiles, uint64_t peak_memory_bytes);
FILE *open_for_writing(const char *path);
void finish_writing(FILE *file, const char *path); /* fails when a byte was not written */

#endif
