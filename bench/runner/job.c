/* The job file: lines of `key=value`. `model`, `input` and `output` come in threes. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static uint64_t number(const char *key, const char *text, int base) {
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, base);
    if (errno != 0 || end == text || *end != '\0' || !isxdigit((unsigned char)text[0]))
        fail(EXIT_JOB, "job: %s=%s is no number", key, text);
    return value;
}

static void copy_path(char *target, const char *key, const char *value) {
    if (strlen(value) == 0 || strlen(value) >= MAX_PATH)
        fail(EXIT_JOB, "job: %s has an empty or too long path", key);
    strcpy(target, value);
}

static void set_delegate(struct Job *job, const char *value) {
    if (strcmp(value, "xnnpack") != 0 && strcmp(value, "none") != 0)
        fail(EXIT_JOB, "job: delegate=%s, known are xnnpack and none", value);
    job->xnnpack = strcmp(value, "xnnpack") == 0;
}

static void set_file(struct Job *job, const char *key, const char *value) {
    if (strcmp(key, "model") == 0) {
        if (job->models == MAX_MODELS)
            fail(EXIT_JOB, "job: more than %d models", MAX_MODELS);
        job->models++;
    } else if (job->models == 0) {
        fail(EXIT_JOB, "job: %s before its model", key);
    }
    struct ModelJob *current = &job->model[job->models - 1];
    char *target = key[0] == 'm'   ? current->model
                   : key[0] == 'i' ? current->input
                                   : current->output;
    copy_path(target, key, value);
}

static void set(struct Job *job, const char *key, const char *value) {
    const struct {
        const char *key;
        uint64_t *target;
    } numbers[] = {
        {"warmup_runs", &job->warmup_runs},   {"warmup_ns", &job->warmup_ns},
        {"runs", &job->runs},                 {"measure_ns", &job->measure_ns},
        {"blocks", &job->blocks},             {"settle_runs", &job->settle_runs},
        {"sustained_ns", &job->sustained_ns}, {"profile_runs", &job->profile_runs},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(key, numbers[i].key) == 0) {
            *numbers[i].target = number(key, value, 10);
            return;
        }
    if (strcmp(key, "threads") == 0)
        job->threads = (int)number(key, value, 10);
    else if (strcmp(key, "cpu_mask") == 0)
        job->cpu_mask = number(key, value, 16);
    else if (strcmp(key, "delegate") == 0)
        set_delegate(job, value);
    else if (strcmp(key, "result") == 0)
        copy_path(job->result, key, value);
    else if (strcmp(key, "model") == 0 || strcmp(key, "input") == 0 || strcmp(key, "output") == 0)
        set_file(job, key, value);
    else
        fail(EXIT_JOB, "job: there is no setting %s", key);
}

static void check(const struct Job *job) {
    if (job->models == 0)
        fail(EXIT_JOB, "job: there is no model");
    if (job->result[0] == '\0')
        fail(EXIT_JOB, "job: there is no result");
    if (job->threads < 1 || job->threads > 1024)
        fail(EXIT_JOB, "job: threads=%d is impossible", job->threads);
    if (job->runs < 1 || job->profile_runs < 1)
        fail(EXIT_JOB, "job: runs and profile_runs must be at least 1");
    if (job->blocks < 2 || job->blocks % 2 != 0)
        fail(EXIT_JOB, "job: blocks=%" PRIu64 " is not even and at least 2", job->blocks);
    for (size_t i = 0; i < job->models; i++)
        if (job->model[i].input[0] == '\0' || job->model[i].output[0] == '\0')
            fail(EXIT_JOB, "job: model %zu has no input or no output", i);
}

void read_job(const char *path, struct Job *job) {
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail(EXIT_FILE, "%s: %s", path, strerror(errno));
    *job = (struct Job){.threads = 1, .xnnpack = true, .blocks = 2, .profile_runs = 1};
    char line[MAX_PATH + 64];
    while (fgets(line, sizeof line, file) != NULL) {
        size_t length = strcspn(line, "\n");
        if (line[length] != '\n')
            fail(EXIT_JOB, "job: a line is too long or does not end");
        line[length] = '\0';
        char *value = strchr(line, '=');
        if (value == NULL)
            fail(EXIT_JOB, "job: no '=' in the line %s", line);
        *value++ = '\0';
        set(job, line, value);
    }
    if (ferror(file))
        fail(EXIT_FILE, "%s: %s", path, strerror(errno));
    fclose(file);
    check(job);
}
