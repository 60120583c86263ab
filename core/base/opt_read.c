/* SPDX-License-Identifier: Apache-2.0
 *
 * opt_read.c: one function per option type turns a node into the value in the params struct.
 */
#include "opt.h"
#include "number.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

struct job { /* one option being read */
    const struct mr_opt_reader *r;
    const struct mr_opt *o;
    const char *where;
};

static int no_memory(const struct job *j)
{
    return mr__fail(j->r->e, MR_E_MEMORY, "not enough memory to read the config");
}

static int wrong_type(const struct job *j, const struct mr_yaml *node, const char *hint)
{
    struct mr_text scratch = {0};
    int rc = mr__place_error(j->r->place, node->mark, j->r->e, "'%s%s' must be %s, not %s%s",
                             j->where, j->o->name, mr__opt_type_text(j->o, &scratch),
                             mr__yaml_shown(j->r->pool, node), hint);
    mr__text_free(&scratch);
    return rc;
}

static bool has_bounds(const struct mr_opt *o)
{
    return o->min != 0 || o->max != 0;
}

static int out_of_bounds(const struct job *j, const struct mr_yaml *node)
{
    char bounds[80];
    return mr__place_error(j->r->place, node->mark, j->r->e, "'%s%s' is %s; allowed is %s%s%s",
                           j->where, j->o->name, mr__shown(j->r->pool, node->text),
                           mr__opt_bounds_text(j->o, bounds), j->o->unit ? " " : "",
                           j->o->unit ? j->o->unit : "");
}

static const char *number_hint(const struct mr_yaml *node)
{
    if (node->kind != MR_YAML_SCALAR)
        return "";
    if (node->quoted)
        return " (take the quotes off)";
    return *node->text && strchr(node->text, '_') ? " (write digits without '_')" : "";
}

static int get_int(const struct job *j, const struct mr_yaml *node, int64_t *value)
{
    if (node->kind != MR_YAML_SCALAR || node->quoted)
        return wrong_type(j, node, number_hint(node));
    enum mr_number_error bad = mr__number_int(node->text, value);
    if (bad == MR_NUMBER_NOT)
        return wrong_type(j, node, number_hint(node));
    bool finite = isfinite(j->o->min) && isfinite(j->o->max) && has_bounds(j->o);
    if (bad && !finite)
        return wrong_type(j, node, " (it does not fit into 64 bits)");
    bool out = has_bounds(j->o) && ((double)*value < j->o->min || (double)*value > j->o->max);
    return bad || out ? out_of_bounds(j, node) : MR_OK;
}

static int get_float(const struct job *j, const struct mr_yaml *node, double *value)
{
    if (node->kind != MR_YAML_SCALAR || node->quoted)
        return wrong_type(j, node, number_hint(node));
    enum mr_number_error bad = mr__number_float(node->text, value);
    if (bad == MR_NUMBER_NOT)
        return wrong_type(j, node, number_hint(node));
    if (bad || (has_bounds(j->o) && (*value < j->o->min || *value > j->o->max)))
        return has_bounds(j->o) ? out_of_bounds(j, node)
                                : wrong_type(j, node, " (it is too large)");
    if ((j->o->flags & MR_OPT_WHOLE) && *value != floor(*value))
        return wrong_type(j, node, "");
    return MR_OK;
}

static int read_bool(const struct job *j, const struct mr_yaml *node, void *at)
{
    static const struct {
        const char *word, *hint;
    } words[] = {{"yes", " (write true)"},  {"on", " (write true)"},   {"True", " (write true)"},
                 {"TRUE", " (write true)"}, {"1", " (write true)"},    {"Yes", " (write true)"},
                 {"no", " (write false)"},  {"off", " (write false)"}, {"False", " (write false)"},
                 {"No", " (write false)"},  {"0", " (write false)"},   {"FALSE", " (write false)"}};
    const char *hint = "";
    if (node->kind == MR_YAML_SCALAR && !node->quoted) {
        bool yes = !strcmp(node->text, "true");
        if (yes || !strcmp(node->text, "false")) {
            *(bool *)at = yes;
            return MR_OK;
        }
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!strcmp(node->text, words[i].word))
                hint = words[i].hint;
    } else if (node->quoted)
        hint = " (take the quotes off)";
    return wrong_type(j, node, hint);
}

static int read_int(const struct job *j, const struct mr_yaml *node, void *at)
{
    static const struct {
        unsigned flag;
        const char *word;
        int64_t value;
    } words[] = {{MR_OPT_AUTO, "auto", 0}, {MR_OPT_OFF, "off", -1}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((j->o->flags & words[i].flag) && node->kind == MR_YAML_SCALAR &&
            !strcmp(node->text, words[i].word)) {
            *(int64_t *)at = words[i].value;
            return MR_OK;
        }
    return get_int(j, node, at);
}

static int read_float(const struct job *j, const struct mr_yaml *node, void *at)
{
    return get_float(j, node, at);
}

static int read_enum(const struct job *j, const struct mr_yaml *node, void *at)
{
    size_t n = 0;
    for (; j->o->names[n]; n++)
        if (node->kind == MR_YAML_SCALAR && !strcmp(node->text, j->o->names[n])) {
            *(int *)at = (int)n;
            return MR_OK;
        }
    const char *near =
        node->kind == MR_YAML_SCALAR ? mr__nearest(node->text, j->o->names, n) : NULL;
    const char *hint = near ? mr__pool_format(j->r->pool, "; did you mean '%s'?", near) : "";
    return wrong_type(j, node, hint ? hint : "");
}

static int get_text(const struct job *j, const struct mr_yaml *node, const char **text)
{
    if (node->kind != MR_YAML_SCALAR || mr__yaml_is_empty(node))
        return wrong_type(j, node, "");
    *text = node->text;
    return MR_OK;
}

static int read_str(const struct job *j, const struct mr_yaml *node, void *at)
{
    return get_text(j, node, at);
}

static int read_path(const struct job *j, const struct mr_yaml *node, void *at)
{
    const char *text = NULL;
    struct stat st;
    int rc = get_text(j, node, &text);
    if (rc < 0)
        return rc;
    if (!*text && j->o->def && !*j->o->def) { /* '' takes an optional path away again */
        *(const char **)at = NULL;
        return MR_OK;
    }
    if (!*text)
        return wrong_type(j, node, "");
    while (!strncmp(text, "./", 2) && text[2])
        text += 2;
    if (*text != '/')
        text =
            mr__pool_format(j->r->pool, "%s/%s", node->mark.line ? j->r->folder : j->r->cwd, text);
    if (!text)
        return no_memory(j);
    if (!(j->o->flags & MR_OPT_OUT) && stat(text, &st) < 0)
        return mr__place_error(j->r->place, node->mark, j->r->e, "'%s%s': cannot open '%s': %s",
                               j->where, j->o->name, text, strerror(errno));
    *(const char **)at = text;
    return MR_OK;
}

static int read_floats(const struct job *j, const struct mr_yaml *node, void *at)
{
    struct mr_floats *f = at;
    *f = (struct mr_floats){0};
    if (node->kind == MR_YAML_SCALAR) {
        f->n = 1;
        return get_float(j, node, &f->v[0]);
    }
    if (node->kind == MR_YAML_MAP)
        return wrong_type(j, node, "");
    if (node->count > MR_MAX_FLOATS)
        return mr__place_error(j->r->place, node->mark, j->r->e,
                               "'%s%s' has %d numbers; at most %d are allowed", j->where,
                               j->o->name, node->count, MR_MAX_FLOATS);
    for (const struct mr_yaml *n = node->first; n; n = n->next) {
        int rc = get_float(j, n, &f->v[f->n++]);
        if (rc < 0)
            return rc;
    }
    return MR_OK;
}

static int read_range(const struct job *j, const struct mr_yaml *node, void *at)
{
    struct mr_range *g = at;
    if (node->kind == MR_YAML_SCALAR && j->o->type == MR_OPT_SPREAD) {
        *g = (struct mr_range){.set = true, .single = true};
        return get_float(j, node, &g->hi);
    }
    if (node->kind != MR_YAML_LIST || node->count != 2)
        return wrong_type(j, node, "");
    *g = (struct mr_range){.set = true};
    int rc = get_float(j, node->first, &g->lo);
    if (rc == MR_OK)
        rc = get_float(j, node->last, &g->hi);
    if (rc == MR_OK && g->lo > g->hi)
        rc = mr__place_error(j->r->place, node->mark, j->r->e,
                             "'%s%s': the first number (%s) must not be above the second (%s)",
                             j->where, j->o->name, node->first->text, node->last->text);
    return rc;
}

static int read_size(const struct job *j, const struct mr_yaml *node, void *at)
{
    struct mr_size *s = at;
    *s = (struct mr_size){.single = node->kind == MR_YAML_SCALAR};
    if (s->single) {
        int rc = get_int(j, node, &s->h);
        s->w = s->h;
        return rc;
    }
    if (node->kind != MR_YAML_LIST || node->count != 2)
        return wrong_type(j, node, "");
    int rc = get_int(j, node->first, &s->h);
    return rc < 0 ? rc : get_int(j, node->last, &s->w);
}

static int read_strs(const struct job *j, const struct mr_yaml *node, void *at)
{
    int n = node->kind == MR_YAML_SCALAR ? 1 : node->count, i = 0;
    if (node->kind == MR_YAML_MAP)
        return wrong_type(j, node, "");
    const char **v = mr__pool_take(j->r->pool, ((size_t)n + 1) * sizeof *v);
    if (!v)
        return no_memory(j);
    for (const struct mr_yaml *one = node->kind == MR_YAML_SCALAR ? node : node->first; i < n;
         one = one->next, i++) {
        int rc = get_text(j, one, &v[i]);
        if (rc < 0)
            return rc;
    }
    *(struct mr_strs *)at = (struct mr_strs){.n = n, .v = v};
    return MR_OK;
}

/* Digits, a point if there are some behind it, '%'; no sign, no exponent. */
static bool is_percentage(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    const char *point = text + whole;
    size_t part = *point == '.' ? strspn(point + 1, "0123456789") : 0;
    const char *end = point + (part ? part + 1 : 0);
    return whole && (*text != '0' || whole == 1) && !strcmp(end, "%");
}

static int read_share(const struct job *j, const struct mr_yaml *node, void *at)
{
    struct mr_share *s = at;
    *s = (struct mr_share){.text = node->text, .count = -1, .percent = -1};
    if (node->kind != MR_YAML_SCALAR)
        return wrong_type(j, node, "");
    if ((j->o->flags & MR_OPT_AUTO) && !strcmp(node->text, "auto"))
        return MR_OK;
    if (!is_percentage(node->text))
        return get_int(j, node, &s->count);
    size_t n = strlen(node->text);
    char *number = mr__pool_text(j->r->pool, node->text, n - 1);
    if (!number)
        return no_memory(j);
    if (mr__number_float(number, &s->percent) == MR_NUMBER_OK && s->percent <= 100)
        return MR_OK;
    return wrong_type(j, node, " (100% is all of them)");
}

static int (*const readers[MR_OPT_TYPE_COUNT])(const struct job *, const struct mr_yaml *,
                                               void *) = {
    [MR_OPT_BOOL] = read_bool,     [MR_OPT_INT] = read_int,     [MR_OPT_FLOAT] = read_float,
    [MR_OPT_ENUM] = read_enum,     [MR_OPT_STR] = read_str,     [MR_OPT_PATH] = read_path,
    [MR_OPT_FLOATS] = read_floats, [MR_OPT_RANGE] = read_range, [MR_OPT_SPREAD] = read_range,
    [MR_OPT_SIZE] = read_size,     [MR_OPT_STRS] = read_strs,   [MR_OPT_SHARE] = read_share,
};

int mr__opt_read(const struct mr_opt_reader *r, const struct mr_opt *o, const struct mr_yaml *node,
                 const char *where, void *base)
{
    const struct job j = {r, o, where};
    return readers[o->type](&j, node, (char *)base + o->off);
}
