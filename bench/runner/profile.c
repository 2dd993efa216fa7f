/* Who computes: read from the events of LiteRT's profiler, never assumed.
 *
 * The interpreter notes an event for each operator that it runs itself. What a delegate took over
 * does not run there: the delegate notes events of its own, numbered from 0 in each partition.
 */
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static void add_kind(struct Profile *profile, const struct ProfilerEvent *event) {
    size_t i = 0;
    while (i < profile->kinds && strcmp(profile->kind[i].name, event->tag) != 0)
        i++;
    if (i == profile->kinds) {
        profile->kind = grow(profile->kind, ++profile->kinds * sizeof *profile->kind);
        char *name = allocate(strlen(event->tag) + 1); /* the profiler owns its tags */
        profile->kind[i] = (struct OperatorTime){.name = strcpy(name, event->tag)};
    }
    profile->kind[i].events++;
    profile->kind[i].us += event->elapsed_us;
}

static void read_events(struct Profile *profile, const struct ProfilerEvent *events, int count,
                        uint64_t runs) {
    size_t own = 0, partitions = 0, inside = 0;
    for (int i = 0; i < count; i++) {
        const struct ProfilerEvent *event = &events[i];
        bool delegated = event->type == EVENT_DELEGATE_OPERATOR ||
                         event->type == EVENT_DELEGATE_PROFILED;
        if (!delegated && event->type != EVENT_OPERATOR)
            continue;
        own += !delegated;
        inside += delegated;
        partitions += delegated && event->index == 0;
        add_kind(profile, event);
    }
    /* More own operators than the graph has: loops ran, which these sums cannot tell. */
    profile->known = own + inside > 0 && own / runs <= profile->operators;
    profile->delegated = inside > 0 ? profile->operators - own / runs : 0;
    profile->partitions = partitions / runs;
}

void profile_model(struct Profile *profile, LiteRtEnvironment environment, const struct Job *job,
                   const struct ModelJob *files) {
    struct Model model;
    LiteRtProfiler profiler;
    int count = 0;
    *profile = (struct Profile){0};
    load_model(&model, environment, job, files->model, true);
    read_input(&model, files->input);
    if (job->profile_runs > 1) /* one run tells who computes; times want a warm model */
        run_model(&model);
    if (LiteRtGetNumSubgraphOps(model.graph, &profile->operators) == 0 &&
        LiteRtCompiledModelGetProfiler(model.compiled, &profiler) == 0 &&
        LiteRtStartProfiler(profiler) == 0) {
        for (uint64_t i = 0; i < job->profile_runs; i++) {
            run_model(&model);
            stay_in_touch(now_ns());
        }
        LiteRtStopProfiler(profiler);
        LiteRtGetNumProfilerEvents(profiler, &count);
        struct ProfilerEvent *events = allocate(((size_t)count + 1) * sizeof *events);
        if (count > 0 && LiteRtGetProfilerEvents(profiler, count, events) == 0)
            read_events(profile, events, count, job->profile_runs);
        free(events);
    }
    unload_model(&model);
}
