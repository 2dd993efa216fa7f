/* The protocol of bench/protocol.py: warm-up, blocks that take turns A-B-B-A, a sustained part. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "runner.h"

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void say(const char *line) {
    puts(line);
    if (fflush(stdout) != 0)
        fail(EXIT_ALONE, "nobody listens any more");
}

void stay_in_touch(uint64_t now) {
    static uint64_t last = 0;
    if (now - last < 1000000000u)
        return;
    last = now;
    say("alive");
}

static void step(const struct Job *job) {
    static uint64_t done = 0;
    uint64_t total = job->models * (1 + job->blocks + (job->sustained_ns > 0));
    char line[64];
    snprintf(line, sizeof line, "progress %" PRIu64 " %" PRIu64, ++done, total);
    say(line);
}

static void append(struct Samples *samples, uint64_t ns) {
    if (samples->count == samples->room) {
        samples->room = samples->room == 0 ? 1024 : 2 * samples->room;
        samples->ns = grow(samples->ns, samples->room * sizeof *samples->ns);
    }
    samples->ns[samples->count++] = ns;
}

static uint64_t warm_up(struct Model *model, const struct Job *job) {
    uint64_t deadline = now_ns() + job->warmup_ns, runs = 0;
    while (runs < job->warmup_runs || now_ns() < deadline) {
        run_model(model);
        stay_in_touch(now_ns());
        runs++;
    }
    return runs;
}

/* Append runs until there are `least_runs` that took `least_ns` together. */
static void sample_until(struct Model *model, struct Samples *samples, uint64_t least_runs,
                         uint64_t least_ns) {
    uint64_t runs = 0, spent = 0;
    while (runs < least_runs || spent < least_ns) {
        uint64_t start = now_ns();
        run_model(model);
        uint64_t end = now_ns();
        append(samples, end - start);
        stay_in_touch(end);
        spent += end - start;
        runs++;
    }
}

static uint64_t share(uint64_t whole, uint64_t blocks) { return (whole + blocks - 1) / blocks; }

static void block(struct Model *model, struct Samples *samples, const struct Job *job) {
    for (uint64_t i = 0; i < job->settle_runs; i++)
        run_model(model);
    sample_until(model, samples, share(job->runs, job->blocks),
                 share(job->measure_ns, job->blocks));
    step(job);
}

void measure(struct Model *models, struct Measured *measured, const struct Job *job) {
    for (size_t i = 0; i < job->models; i++) {
        measured[i].warmup_runs = warm_up(&models[i], job);
        step(job);
    }
    for (uint64_t turn = 0; turn < job->blocks / 2; turn++) {
        for (size_t i = 0; i < job->models; i++)
            block(&models[i], &measured[i].samples, job);
        for (size_t i = job->models; i-- > 0;)
            block(&models[i], &measured[i].samples, job);
    }
    for (size_t i = 0; job->sustained_ns > 0 && i < job->models; i++) {
        sample_until(&models[i], &measured[i].sustained, 1, job->sustained_ns);
        step(job);
    }
}
