/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_codes.c: Huffman's construction by two queues, then JPEG's way to shorten what became too
 * long (ITU-T T.81, K.2). A symbol that nobody uses gets the code of all ones.
 */
#include "loaders/codec/packed/packed_codes.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 16, SYMBOLS = 257, NOBODY = 256 };

struct leaf {
    uint32_t count;
    uint16_t symbol;
};

/* Rarest first; of equals the larger symbol, so that the order is one. */
static int rarer(const void *a, const void *b)
{
    const struct leaf *p = a, *q = b;
    if (p->count != q->count)
        return p->count < q->count ? -1 : 1;
    return p->symbol > q->symbol ? -1 : p->symbol < q->symbol;
}

static int list_leaves(const uint32_t count[256], struct leaf leaf[SYMBOLS])
{
    int n = 0;
    leaf[n++] = (struct leaf){0, NOBODY};
    for (int i = 0; i < 256; i++) {
        if (count[i])
            leaf[n++] = (struct leaf){count[i], (uint16_t)i};
    }
    qsort(leaf, (size_t)n, sizeof *leaf, rarer);
    return n;
}

/* How many codes of each length there are, before they are shortened. Nodes are made in the order
 * of their counts, so the two smallest are at the head of the leaves or of the nodes. */
static void count_lengths(const struct leaf *leaf, int n, uint32_t bits[SYMBOLS])
{
    uint64_t sum[2 * SYMBOLS];
    uint16_t parent[2 * SYMBOLS], depth[2 * SYMBOLS];
    int next_leaf = 0, next_node = n, nodes = n;
    for (int i = 0; i < n; i++)
        sum[i] = leaf[i].count;
    while (nodes < 2 * n - 1) {
        sum[nodes] = 0;
        for (int k = 0; k < 2; k++) {
            bool a_leaf = next_leaf < n && (next_node == nodes || sum[next_leaf] <= sum[next_node]);
            int child = a_leaf ? next_leaf++ : next_node++;
            sum[nodes] += sum[child];
            parent[child] = (uint16_t)nodes;
        }
        nodes++;
    }
    memset(bits, 0, SYMBOLS * sizeof *bits);
    depth[nodes - 1] = 0;
    for (int i = nodes - 2; i >= 0; i--) {
        depth[i] = (uint16_t)(depth[parent[i]] + 1);
        if (i < n)
            bits[depth[i]]++;
    }
}

/* Two codes that are too long are replaced by a shorter one and by two below a code that becomes
 * longer. */
static void shorten(uint32_t bits[SYMBOLS])
{
    for (int i = SYMBOLS - 1; i > LONGEST; i--) {
        while (bits[i] > 0) {
            int k = i - 2;
            while (bits[k] == 0)
                k--;
            bits[i] -= 2;
            bits[i - 1]++;
            bits[k + 1] += 2;
            bits[k]--;
        }
    }
}

void mr__packed_codes_best(const uint32_t count[256], struct mr_packed_codes *codes)
{
    struct leaf leaf[SYMBOLS];
    uint32_t bits[SYMBOLS];
    int n = list_leaves(count, leaf);
    memset(codes, 0, sizeof *codes);
    if (n < 2)
        return;
    count_lengths(leaf, n, bits);
    shorten(bits);
    int longest = LONGEST;
    while (bits[longest] == 0)
        longest--;
    bits[longest]--; /* nobody's */
    for (int i = 1; i <= LONGEST; i++)
        codes->bits[i] = (uint8_t)bits[i];
    int at = 0;
    for (int i = n - 1; i >= 0; i--) {
        if (leaf[i].symbol != NOBODY)
            codes->value[at++] = (uint8_t)leaf[i].symbol;
    }
}

void mr__packed_codes_write(const struct mr_packed_codes *codes, struct mr_packed_write_codes *w)
{
    uint32_t code = 0;
    int at = 0;
    memset(w, 0, sizeof *w);
    for (int length = 1; length <= LONGEST; length++, code <<= 1) {
        for (int i = 0; i < codes->bits[length]; i++, code++) {
            uint32_t size = codes->value[at] & 15u;
            w->entry[codes->value[at++]] = code << size << 5 | ((uint32_t)length + size);
        }
    }
}
