/* The result as JSON: integers in nanoseconds and bytes; who reads it makes milliseconds. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

FILE *open_for_writing(const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        fail(EXIT_DISK, "%s: %s", path, strerror(errno));
    return file;
}

void finish_writing(FILE *file, const char *path) {
    errno = EIO; /* the reason of an earlier failure may have been lost */
    bool written = fflush(file) == 0 && ferror(file) == 0;
    if (fclose(file) != 0 || !written)
        fail(EXIT_DISK, "%s: %s", path, strerror(errno));
}

static void put_text(FILE *file, const char *text) {
    putc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(file, "\\%c", *c);
        else if (*c < 0x20 || *c >= 0x7f) /* operator names are ASCII; nothing else can break it */
            fprintf(file, "\\u%04x", *c);
        else
            putc(*c, file);
    }
    putc('"', file);
}

static void put_samples(FILE *file, const char *key, const struct Samples *samples) {
    fprintf(file, ",\n\"%s\": [", key);
    for (size_t i = 0; i < samples->count; i++)
        fprintf(file, "%s%" PRIu64, i == 0 ? "" : ",", samples->ns[i]);
    fprintf(file, "]");
}

static void put_profile(FILE *file, const struct Profile *profile, uint64_t runs) {
    if (!profile->known) {
        fprintf(file, ",\n\"delegate\": null, \"profile\": []");
        return;
    }
    bool mostly = 2 * profile->delegated >= profile->operators && profile->delegated > 0;
    fprintf(file,
            ",\n\"delegate\": {\"used\": \"%s\", \"operators\": %zu, \"delegated\": %zu, "
            "\"partitions\": %zu},\n\"profile\": [",
            mostly ? "xnnpack" : "none", profile->operators, profile->delegated,
            profile->partitions);
    for (size_t i = 0; i < profile->kinds; i++) {
        const struct OperatorTime *kind = &profile->kind[i];
        fprintf(file, "%s{\"name\": ", i == 0 ? "" : ",\n");
        put_text(file, kind->name);
        fprintf(file, ", \"count\": %" PRIu64 ", \"ns\": %" PRIu64 "}", kind->events / runs,
                kind->us * 1000 / runs);
    }
    fprintf(file, "]");
}

static void put_cpu_mask(FILE *file) {
    cpu_set_t cores;
    unsigned long long mask = 0;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        for (unsigned int core = 0; core < 64; core++)
            mask |= (unsigned long long)CPU_ISSET(core, &cores) << core;
    fprintf(file, "\"cpu_mask\": \"%llx\"", mask);
}

void write_report(const struct Job *job, const struct Measured *measured,
                  const struct Profile *profiles, uint64_t peak_memory_bytes) {
    FILE *file = open_for_writing(job->result);
    fprintf(file, "{");
    put_cpu_mask(file);
    fprintf(file, ", \"peak_memory_bytes\": ");
    if (peak_memory_bytes == 0)
        fprintf(file, "null");
    else
        fprintf(file, "%" PRIu64, peak_memory_bytes);
    fprintf(file, ",\n\"models\": [");
    for (size_t i = 0; i < job->models; i++) {
        const struct Measured *one = &measured[i];
        fprintf(file, "%s{\"init_ns\": %" PRIu64 ", \"first_ns\": %" PRIu64, i == 0 ? "" : ",\n",
                one->init_ns, one->first_ns);
        fprintf(file, ", \"warmup_runs\": %" PRIu64, one->warmup_runs);
        put_samples(file, "samples_ns", &one->samples);
        put_samples(file, "sustained_ns", &one->sustained);
        put_profile(file, &profiles[i], job->profile_runs);
        fprintf(file, "}");
    }
    fprintf(file, "]}\n");
    finish_writing(file, job->result);
}
