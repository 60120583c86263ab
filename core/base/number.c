/* SPDX-License-Identifier: Apache-2.0 */
#include "number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* takes no memory for "C" in glibc */
}

static const char *skip_digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

static const char *skip_sign(const char *s)
{
    return *s == '-' || *s == '+' ? s + 1 : s;
}

enum mr_number_error mr__number_int(const char *text, int64_t *value)
{
    const char *digits = skip_sign(text), *end = skip_digits(digits);
    if (end == digits || *end || (*digits == '0' && end - digits > 1))
        return MR_NUMBER_NOT;
    errno = 0;
    long long v = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return MR_NUMBER_TOO_BIG;
    *value = v;
    return MR_NUMBER_OK;
}

static bool is_decimal(const char *text)
{
    const char *s = skip_sign(text), *whole = s;
    s = skip_digits(s);
    size_t digits = (size_t)(s - whole);
    if (*s == '.') {
        const char *fraction = ++s;
        s = skip_digits(s);
        digits += (size_t)(s - fraction);
    }
    if (!digits)
        return false;
    if (*s == 'e' || *s == 'E') {
        const char *exponent = skip_sign(s + 1);
        s = skip_digits(exponent);
        if (s == exponent)
            return false;
    }
    return *s == 0;
}

enum mr_number_error mr__number_float(const char *text, double *value)
{
    if (!is_decimal(text))
        return MR_NUMBER_NOT;
    pthread_once(&c_locale_once, make_c_locale);
    double v = strtod_l(text, NULL, c_locale);
    if (!isfinite(v))
        return MR_NUMBER_TOO_BIG;
    *value = v;
    return MR_NUMBER_OK;
}

char *mr__number_text(double value, char text[MR_NUMBER_TEXT])
{
    pthread_once(&c_locale_once, make_c_locale);
    locale_t before = uselocale(c_locale); /* of this thread alone */
    if (fabs(value) < 1e15 && value == floor(value)) {
        snprintf(text, MR_NUMBER_TEXT, "%.0f", value); /* 178956970, not 1.7895697e+08 */
        uselocale(before);
        return text;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, MR_NUMBER_TEXT, "%.*g", digits, value);
        if (!isfinite(value) || strtod_l(text, NULL, c_locale) == value)
            break;
    }
    uselocale(before);
    return text;
}
