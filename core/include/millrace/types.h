/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace/types.h: the words every other public header uses: return codes, element types, tensors.
 * Compiles as C11 and as C++17.
 */
#ifndef MILLRACE_TYPES_H
#define MILLRACE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MR_API __attribute__((visibility("default")))
#else
#define MR_API
#endif

/* What a call can return. Negative: it failed, and mr_error() has the sentence. Not negative: it
 * did what its name says; mr_next() uses the positive codes to tell that an epoch or the run has
 * ended. The numbers never change; new ones are added at the end. */
#define MR_ERRORS(X)                                                                       \
    X(MR_E_USAGE, -1, "the call was used wrongly; nothing was changed")                    \
    X(MR_E_CONFIG, -2, "the config is wrong")                                              \
    X(MR_E_DATA, -3, "a sample is bad")                                                    \
    X(MR_E_IO, -4, "a file could not be read or written")                                  \
    X(MR_E_MEMORY, -5, "not enough memory")                                                \
    X(MR_E_LIMIT, -6, "a limit was reached")                                               \
    X(MR_E_TIMEOUT, -7, "the time given was not enough")                                   \
    X(MR_E_LEASED, -8, "every slot is leased: release a batch before asking for the next") \
    X(MR_E_STALE, -9, "the batch was released already")                                    \
    X(MR_E_CLOSED, -10, "the loader is closed")                                            \
    X(MR_E_FORKED, -11, "this process was forked from the one that opened the loader")     \
    X(MR_E_DIED, -12, "a process of the loader died")                                      \
    X(MR_E_VERSION, -13, "made by another version")                                        \
    X(MR_E_CODE, -14, "user code failed")                                                  \
    X(MR_E_UNSUPPORTED, -15, "not supported by this build or this machine")                \
    X(MR_E_CORRUPT, -16, "shared memory holds a value that cannot be")                     \
    X(MR_E_SYSTEM, -17, "the operating system refused")                                    \
    X(MR_E_CRASHED, -18, "a sample killed the process that worked on it")                  \
    X(MR_E_SLOW, -19, "a sample took longer than it may")

typedef enum mr_err {
#define MR_ERR_ENUM(name, number, text) name = number,
    MR_ERRORS(MR_ERR_ENUM)
#undef MR_ERR_ENUM
        MR_OK = 0, /* done; for mr_next: here is a batch */
    MR_END_EPOCH =
        1,     /* mr_next: the epoch's batches have all been delivered; call again for the next */
    MR_END = 2 /* mr_next: the last epoch has ended */
} mr_err;

/* Element types: enum name, config name, bytes. bfloat16 and float16 are stored as their 16 bits.
 */
#define MR_DTYPES(X)          \
    X(MR_U8, "uint8", 1)      \
    X(MR_I16, "int16", 2)     \
    X(MR_U16, "uint16", 2)    \
    X(MR_I32, "int32", 4)     \
    X(MR_I64, "int64", 8)     \
    X(MR_F16, "float16", 2)   \
    X(MR_BF16, "bfloat16", 2) \
    X(MR_F32, "float32", 4)   \
    X(MR_F64, "float64", 8)

typedef enum mr_dtype {
#define MR_DTYPE_ENUM(name, text, bytes) name,
    MR_DTYPES(MR_DTYPE_ENUM)
#undef MR_DTYPE_ENUM
        MR_DTYPE_COUNT
} mr_dtype;

#define MR_MAX_DIMS 8

/* A view of an n-dimensional array. It owns nothing. Who made the view says how long it is good. */
typedef struct mr_tensor {
    void *data;                 /**< first element; 64-byte aligned for a field of a batch */
    const char *name;           /**< the field's name in the config; never NULL */
    mr_dtype dtype;             /**< element type */
    int32_t ndim;               /**< dimensions in use, 1 to MR_MAX_DIMS; the first is the batch */
    int64_t shape[MR_MAX_DIMS]; /**< elements along each dimension */
    int64_t strides[MR_MAX_DIMS]; /**< distance of neighbours along each dimension, in bytes */
    const uint32_t *counts; /**< ragged fields: entries in use of each row, [batch]; else NULL */
} mr_tensor;

/* Bytes of one element, 0 for a value that is no dtype. */
MR_API size_t mr_dtype_size(mr_dtype dtype);
/* The config's name of a dtype ("float32"), NULL for a value that is no dtype. Static storage. */
MR_API const char *mr_dtype_name(mr_dtype dtype);
/* The general text of a return code, never NULL. Static storage. mr_error() has the particular one.
 */
MR_API const char *mr_strerror(int code);

#ifdef __cplusplus
}
#endif
#endif
