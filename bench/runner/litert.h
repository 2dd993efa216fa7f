/* The part of LiteRT's C API that the runner calls, as libLiteRt.so of ai-edge-litert 2.3.0 has it.
 *
 * The wheel ships the library without headers, so the functions are declared here. Handles are
 * opaque. `struct ProfilerEvent` is no stable part of the API: its layout belongs to the version
 * that bench/runner/build.py puts beside the runner, and tests/bench/test_runner.py holds it.
 */
#ifndef EDGEMAT_LITERT_H
#define EDGEMAT_LITERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct LiteRtEnvironmentT *LiteRtEnvironment;
typedef struct LiteRtModelT *LiteRtModel;
typedef struct LiteRtSubgraphT *LiteRtSubgraph;
typedef struct LiteRtTensorT *LiteRtTensor;
typedef struct LiteRtOptionsT *LiteRtOptions;
typedef struct LiteRtOpaqueOptionsT *LiteRtOpaqueOptions;
typedef struct LiteRtCompiledModelT *LiteRtCompiledModel;
typedef struct LiteRtTensorBufferRequirementsT *LiteRtTensorBufferRequirements;
typedef struct LiteRtTensorBufferT *LiteRtTensorBuffer;
typedef struct LiteRtProfilerT *LiteRtProfiler;

typedef int LiteRtStatus; /* 0 is success */

enum { LITERT_ACCELERATOR_CPU = 1 };
enum { LITERT_LOCK_READ = 0, LITERT_LOCK_WRITE = 1 };
enum { LITERT_FLOAT32 = 1, LITERT_UINT8 = 3, LITERT_INT16 = 7, LITERT_INT8 = 9 };
enum { LITERT_QUANTIZED_NOT = 0, LITERT_QUANTIZED_PER_TENSOR = 1 };
enum { LITERT_MAX_RANK = 8 };

struct RankedTensorType {
    int element_type;
    unsigned int rank : 7;
    bool has_strides : 1;
    int32_t dimensions[LITERT_MAX_RANK];
    uint32_t strides[LITERT_MAX_RANK];
};

struct PerTensorQuantization {
    float scale;
    int64_t zero_point;
};

/* Types of profiler events: one per operator that the interpreter runs itself, and one per
 * operator inside a delegate. */
enum {
    EVENT_OPERATOR = 1 << 1,
    EVENT_DELEGATE_OPERATOR = 1 << 2,
    EVENT_DELEGATE_PROFILED = 1 << 3
};

struct ProfilerEvent {
    const char *tag; /* the operator's name */
    int type;
    uint64_t start_us;
    uint64_t elapsed_us;
    uint64_t memory[6];
    uint64_t index; /* of the operator: in the graph, or in the delegate's partition */
    uint64_t subgraph;
    int source;
};

LiteRtStatus LiteRtCreateEnvironment(int options, const void *values, LiteRtEnvironment *);
void LiteRtDestroyEnvironment(LiteRtEnvironment);

LiteRtStatus LiteRtCreateModelFromFile(LiteRtEnvironment, const char *path, LiteRtModel *);
void LiteRtDestroyModel(LiteRtModel);
LiteRtStatus LiteRtGetMainModelSubgraphIndex(LiteRtModel, size_t *index);
LiteRtStatus LiteRtGetModelSubgraph(LiteRtModel, size_t index, LiteRtSubgraph *);
LiteRtStatus LiteRtGetNumSubgraphOps(LiteRtSubgraph, size_t *count);
LiteRtStatus LiteRtGetNumSubgraphInputs(LiteRtSubgraph, size_t *count);
LiteRtStatus LiteRtGetNumSubgraphOutputs(LiteRtSubgraph, size_t *count);
LiteRtStatus LiteRtGetSubgraphInput(LiteRtSubgraph, size_t index, LiteRtTensor *);
LiteRtStatus LiteRtGetSubgraphOutput(LiteRtSubgraph, size_t index, LiteRtTensor *);
LiteRtStatus LiteRtGetRankedTensorType(LiteRtTensor, struct RankedTensorType *);
LiteRtStatus LiteRtGetQuantizationTypeId(LiteRtTensor, int *kind);
LiteRtStatus LiteRtGetPerTensorQuantization(LiteRtTensor, struct PerTensorQuantization *);

LiteRtStatus LiteRtCreateOptions(LiteRtOptions *);
void LiteRtDestroyOptions(LiteRtOptions);
LiteRtStatus LiteRtSetOptionsHardwareAccelerators(LiteRtOptions, int accelerators);
LiteRtStatus LiteRtCreateOpaqueOptions(const char *name, void *toml, void (*release)(void *),
                                       LiteRtOpaqueOptions *);
LiteRtStatus LiteRtAddOpaqueOptions(LiteRtOptions, LiteRtOpaqueOptions);

LiteRtStatus LiteRtCreateCompiledModel(LiteRtEnvironment, LiteRtModel, LiteRtOptions,
                                       LiteRtCompiledModel *);
void LiteRtDestroyCompiledModel(LiteRtCompiledModel);
LiteRtStatus LiteRtRunCompiledModel(LiteRtCompiledModel, size_t signature, size_t inputs,
                                    LiteRtTensorBuffer *, size_t outputs, LiteRtTensorBuffer *);
LiteRtStatus LiteRtGetCompiledModelInputBufferRequirements(LiteRtCompiledModel, size_t signature,
                                                           size_t index,
                                                           LiteRtTensorBufferRequirements *);
LiteRtStatus LiteRtGetCompiledModelOutputBufferRequirements(LiteRtCompiledModel, size_t signature,
                                                            size_t index,
                                                            LiteRtTensorBufferRequirements *);

LiteRtStatus LiteRtCreateManagedTensorBufferFromRequirements(LiteRtEnvironment,
                                                             const struct RankedTensorType *,
                                                             LiteRtTensorBufferRequirements,
                                                             LiteRtTensorBuffer *);
void LiteRtDestroyTensorBuffer(LiteRtTensorBuffer);
LiteRtStatus LiteRtLockTensorBuffer(LiteRtTensorBuffer, void **content, int mode);
LiteRtStatus LiteRtUnlockTensorBuffer(LiteRtTensorBuffer);

LiteRtStatus LiteRtCompiledModelGetProfiler(LiteRtCompiledModel, LiteRtProfiler *);
LiteRtStatus LiteRtStartProfiler(LiteRtProfiler);
LiteRtStatus LiteRtStopProfiler(LiteRtProfiler);
LiteRtStatus LiteRtGetNumProfilerEvents(LiteRtProfiler, int *count);
LiteRtStatus LiteRtGetProfilerEvents(LiteRtProfiler, int count, struct ProfilerEvent *);

#endif
