/* SPDX-License-Identifier: Apache-2.0 */
#include "npy_header.h"

#include "base/printable.h"

#include <string.h>

/* ---- the type ---- */

/* NumPy's kind and size, and ours; MR_DTYPE_COUNT: there is none, and what to do about it. */
static const struct {
    char kind;
    int bytes;
    enum mr_dtype dtype;
    const char *instead;
} types[] = {
    {'b', 1, MR_U8, NULL}, /* bool */
    {'u', 1, MR_U8, NULL},
    {'u', 2, MR_U16, NULL},
    {'u', 4, MR_DTYPE_COUNT, "int64"},
    {'u', 8, MR_DTYPE_COUNT, "int64"},
    {'i', 1, MR_DTYPE_COUNT, "int16"},
    {'i', 2, MR_I16, NULL},
    {'i', 4, MR_I32, NULL},
    {'i', 8, MR_I64, NULL},
    {'f', 2, MR_F16, NULL},
    {'f', 4, MR_F32, NULL},
    {'f', 8, MR_F64, NULL},
    {'f', 16, MR_DTYPE_COUNT, "float64"},
};

/* Kinds that are no numbers. */
static const struct {
    char kind;
    const char *what;
} others[] = {
    {'O', "Python objects, which are pickled: reading them could run any code, so they never are"},
    {'S', "text"},
    {'U', "text"},
    {'V', "bytes without a type"},
    {'M', "dates"},
    {'m', "differences of dates"},
    {'c', "complex numbers: save their real and imaginary parts as one more dimension"},
};

static bool big_endian(void)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

/* "<f4": byte order, kind, bytes. */
static int read_type(const char *text, size_t n, struct mr_npy *npy, struct mr_errbuf *e)
{
    struct mr_printable shown = mr__printable(text, n);
    char order = n ? text[0] : 0, kind = n > 1 ? text[1] : 0;
    int bytes = 0;
    if (n < 2 || !strchr("<>|=", order))
        return mr__fail(e, MR_E_DATA, "its type is '%s', which no NumPy writes", shown.text);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].kind == kind)
            return mr__fail(e, MR_E_DATA, "it holds %s ('%s')", others[i].what, shown.text);
    for (size_t i = 2; i < n && bytes < 1000; i++) {
        if (text[i] < '0' || text[i] > '9')
            return mr__fail(e, MR_E_DATA, "its type is '%s', which no NumPy writes", shown.text);
        bytes = 10 * bytes + (text[i] - '0');
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].kind != kind || types[i].bytes != bytes)
            continue;
        if (types[i].instead)
            return mr__fail(e, MR_E_DATA,
                            "its numbers are '%s', a type that Millrace does not have: save "
                            "x.astype('%s')",
                            shown.text, types[i].instead);
        npy->dtype = types[i].dtype;
        npy->swapped =
            bytes > 1 && ((order == '>' && !big_endian()) || (order == '<' && big_endian()));
        return MR_OK;
    }
    return mr__fail(e, MR_E_DATA, "its numbers are '%s', a type that Millrace does not have",
                    shown.text);
}

/* ---- the literal ---- */

struct reader {
    const char *at, *end;
    struct mr_errbuf *e;
};

static int malformed(const struct reader *r, const char *what)
{
    return mr__fail(r->e, MR_E_DATA, "its header is damaged: %s", what);
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t'))
        r->at++;
}

/* Behind blanks, takes `c` if it comes. */
static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    bool there = r->at < r->end && *r->at == c;
    r->at += there;
    return there;
}

/* 'text', without escapes: no key and no type has one. */
static bool take_text(struct reader *r, const char **text, size_t *n)
{
    skip_blanks(r);
    char quote = r->at < r->end ? *r->at : 0;
    if (quote != '\'' && quote != '"')
        return false;
    const char *from = ++r->at;
    while (r->at < r->end && *r->at != quote && *r->at != '\\')
        r->at++;
    if (r->at == r->end || *r->at != quote)
        return false;
    *text = from;
    *n = (size_t)(r->at++ - from);
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(r);
    bool there = (size_t)(r->end - r->at) >= n && !memcmp(r->at, word, n);
    r->at += there ? n : 0;
    return there;
}

static int read_descr(struct reader *r, struct mr_npy *npy)
{
    const char *text;
    size_t n;
    if (take(r, '['))
        return mr__fail(r->e, MR_E_DATA,
                        "it holds records of several fields: save each field as an array of its "
                        "own");
    if (!take_text(r, &text, &n))
        return malformed(r, "'descr' is no type");
    return read_type(text, n, npy, r->e);
}

static int read_order(struct reader *r, bool *fortran)
{
    *fortran = take_word(r, "True");
    return *fortran || take_word(r, "False") ? MR_OK
                                             : malformed(r, "'fortran_order' is not True or False");
}

static bool take_side(struct reader *r, int64_t *side)
{
    int64_t v = 0;
    skip_blanks(r);
    const char *from = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *r->at - '0', &v))
            return false;
    *side = v;
    bool any = r->at > from;
    if (r->at < r->end && *r->at == 'L') /* Python 2 */
        r->at++;
    return any;
}

/* (3, 4), (3,) or () */
static int read_shape(struct reader *r, struct mr_npy *npy)
{
    npy->ndim = 0;
    if (!take(r, '('))
        return malformed(r, "'shape' is no tuple");
    while (!take(r, ')')) {
        if (npy->ndim == MR_MAX_DIMS)
            return mr__fail(r->e, MR_E_DATA, "it has more than %d dimensions", MR_MAX_DIMS);
        if (!take_side(r, &npy->shape[npy->ndim++]))
            return malformed(r, "'shape' has a side that is no number of 63 bits");
        if (!take(r, ',') && (r->at == r->end || *r->at != ')'))
            return malformed(r, "'shape' does not end");
    }
    return MR_OK;
}

enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };

static int read_entry(struct reader *r, struct mr_npy *npy, bool *fortran, unsigned *seen)
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    const char *key;
    size_t n;
    unsigned which = 0;
    if (!take_text(r, &key, &n) || !take(r, ':'))
        return malformed(r, "it is no dictionary");
    for (unsigned i = 0; i < 3; i++)
        which |= n == strlen(names[i]) && !memcmp(key, names[i], n) ? 1u << i : 0;
    if (!which || (*seen & which))
        return mr__fail(r->e, MR_E_DATA, "its header is damaged: the key '%s' is unknown or twice",
                        mr__printable(key, n).text);
    *seen |= which;
    if (which == DESCR)
        return read_descr(r, npy);
    return which == ORDER ? read_order(r, fortran) : read_shape(r, npy);
}

static int read_literal(struct reader *r, struct mr_npy *npy, bool *fortran)
{
    unsigned seen = 0;
    if (!take(r, '{'))
        return malformed(r, "it is no dictionary");
    while (!take(r, '}')) {
        int rc = read_entry(r, npy, fortran, &seen);
        if (rc < 0)
            return rc;
        if (!take(r, ',') && (r->at == r->end || *r->at != '}'))
            return malformed(r, "it does not end");
    }
    skip_blanks(r);
    if (r->at != r->end)
        return malformed(r, "something follows the dictionary");
    return seen == ALL ? MR_OK : malformed(r, "it lacks 'descr', 'fortran_order' or 'shape'");
}

/* ---- the whole ---- */

int mr__npy_measure(const uint8_t *data, size_t n, size_t *bytes, struct mr_errbuf *e)
{
    if (n < MR_NPY_LEAD || memcmp(data, MR_NPY_MAGIC, 6) != 0)
        return mr__fail(e, MR_E_DATA, "it does not begin as a .npy file does");
    uint32_t major = data[6], minor = data[7], before = major == 1 ? 10 : 12;
    if (major < 1 || major > 3 || minor)
        return mr__fail(e, MR_E_DATA,
                        "it is of version %u.%u of NumPy's format; 1.0, 2.0 and 3.0 are known",
                        major, minor);
    uint32_t text = (uint32_t)data[8] | (uint32_t)data[9] << 8;
    if (major > 1)
        text |= (uint32_t)data[10] << 16 | (uint32_t)data[11] << 24;
    if (text > MR_NPY_MAX_HEADER)
        return mr__fail(e, MR_E_DATA, "its header is %u bytes long, more than %d", text,
                        MR_NPY_MAX_HEADER);
    *bytes = before + text > MR_NPY_LEAD ? before + text : MR_NPY_LEAD;
    return MR_OK;
}

static int check_shape(struct mr_npy *npy, bool fortran, struct mr_errbuf *e)
{
    if (npy->ndim < 1)
        return mr__fail(e, MR_E_DATA,
                        "it is a single number: the first dimension of an array "
                        "counts its samples");
    npy->row_bytes = mr_dtype_size(npy->dtype);
    for (int d = 1; d < npy->ndim; d++)
        if (!npy->shape[d] ||
            __builtin_mul_overflow(npy->row_bytes, (uint64_t)npy->shape[d], &npy->row_bytes) ||
            npy->row_bytes > INT64_MAX)
            return mr__fail(e, MR_E_DATA, "a sample of it has %s",
                            npy->shape[d] ? "more bytes than there can be"
                                          : "no numbers: one of its sides is 0");
    if (fortran && npy->ndim > 1)
        return mr__fail(e, MR_E_DATA,
                        "it is in Fortran's order, where the numbers of one sample lie all over "
                        "the file: save numpy.ascontiguousarray(x)");
    return MR_OK;
}

int mr__npy_header(const uint8_t *data, size_t n, struct mr_npy *npy, struct mr_errbuf *e)
{
    size_t bytes;
    bool fortran = false;
    *npy = (struct mr_npy){0};
    int rc = mr__npy_measure(data, n, &bytes, e);
    if (rc < 0)
        return rc;
    if (bytes > n)
        return mr__fail(e, MR_E_DATA, "it ends within its header");
    size_t before = data[6] == 1 ? 10 : 12;
    struct reader r = {
        .at = (const char *)data + before, .end = (const char *)data + bytes, .e = e};
    if (data[6] == 1) /* the least is MR_NPY_LEAD, which may be more than it has */
        r.end = r.at + ((size_t)data[8] | (size_t)data[9] << 8);
    npy->header_bytes = (uint64_t)((const uint8_t *)r.end - data);
    rc = read_literal(&r, npy, &fortran);
    return rc < 0 ? rc : check_shape(npy, fortran, e);
}
