/* SPDX-License-Identifier: Apache-2.0
 *
 * divide.h: whole numbers, divided.
 */
#ifndef MR_BASE_DIVIDE_H
#define MR_BASE_DIVIDE_H

#include <stdint.h>

static inline uint64_t mr__div_up(uint64_t n, uint64_t by)
{
    return n / by + (n % by != 0);
}

/* The greatest common divisor; that of 0 and n is n. */
static inline uint64_t mr__gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#endif
