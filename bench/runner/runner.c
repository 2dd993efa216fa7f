/* Measure .tflite files on this device: `runner JOB`, with relative paths from the current folder.
 *
 * On stdout it prints `progress DONE TOTAL` after each block and `alive` once a second. The result
 * is the file that the job names. An error is one line on stderr that begins with `runner: `, and
 * one of the exit codes of runner.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

void fail(int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "runner: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    fflush(NULL);
    _Exit(code);
}

void *allocate(size_t bytes) { return grow(NULL, bytes); }

void *grow(void *memory, size_t bytes) {
    void *grown = realloc(memory, bytes);
    if (grown == NULL)
        fail(EXIT_MEMORY, "out of memory: %zu bytes", bytes);
    return grown;
}

static void choose_cores(uint64_t mask) {
    if (mask == 0)
        return;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    for (unsigned int core = 0; core < 64; core++)
        if (mask >> core & 1)
            CPU_SET(core, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) != 0)
        fail(EXIT_JOB, "the CPU mask %llx cannot be set: %s", (unsigned long long)mask,
             strerror(errno));
}

/* The high-water mark of resident memory, 0 where the kernel does not tell. */
static uint64_t peak_memory_bytes(void) {
    FILE *file = fopen("/proc/self/status", "r");
    unsigned long long kib = 0;
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %llu kB", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib * 1024;
}

static void open_model(struct Model *model, struct Measured *measured,
                       LiteRtEnvironment environment, const struct Job *job,
                       const struct ModelJob *files) {
    /* Loaded once untimed, so that init tests neither the disk nor the loader. */
    load_model(model, environment, job, files->model, false);
    unload_model(model);
    uint64_t start = now_ns();
    load_model(model, environment, job, files->model, false);
    measured->init_ns = now_ns() - start;
    read_input(model, files->input);
    start = now_ns();
    run_model(model);
    measured->first_ns = now_ns() - start;
}

int main(int count, char **arguments) {
    static struct Job job;
    static struct Model models[MAX_MODELS];
    static struct Measured measured[MAX_MODELS];
    static struct Profile profiles[MAX_MODELS];
    LiteRtEnvironment environment;

    if (count != 2)
        fail(EXIT_JOB, "usage: runner JOB");
    read_job(arguments[1], &job);
    choose_cores(job.cpu_mask);
    if (LiteRtCreateEnvironment(0, NULL, &environment) != 0)
        fail(EXIT_MODEL, "LiteRT does not start");
    for (size_t i = 0; i < job.models; i++)
        open_model(&models[i], &measured[i], environment, &job, &job.model[i]);
    measure(models, measured, &job);
    uint64_t peak = peak_memory_bytes();
    for (size_t i = 0; i < job.models; i++) {
        write_output(&models[i], job.model[i].output);
        unload_model(&models[i]);
    }
    for (size_t i = 0; i < job.models; i++)
        profile_model(&profiles[i], environment, &job, &job.model[i]);
    write_report(&job, measured, profiles, peak);
    LiteRtDestroyEnvironment(environment);
    return 0;
}
