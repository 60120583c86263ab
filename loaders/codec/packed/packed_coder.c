/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_coder.h"

#include <stdlib.h>

static int begin_streams(struct mr_packed_coder *c, struct mr_errbuf *e)
{
    int rc = c->streams ? MR_OK : mr__packed_streams_new(&c->streams, e);
    c->feed = (struct mr_feed){mr__packed_streams_row, c->streams, MR_PACKED_STREAMS_ALIGN};
    return rc;
}

static int begin_huffman(struct mr_packed_coder *c, const struct mr_packed_body *body,
                         struct mr_errbuf *e)
{
    int rc = c->huffman ? MR_OK : mr__packed_huffman_new(&c->huffman, e);
    c->feed = (struct mr_feed){.row = mr__packed_huffman_row, .ctx = c->huffman};
    if (rc == MR_OK && !mr__packed_huffman_begin(c->huffman, body))
        rc = mr__fail(e, MR_E_DATA, "a damaged packed JPEG: its Huffman codes");
    return rc;
}

int mr__packed_coder_begin(struct mr_packed_coder *c, const struct mr_packed_body *body,
                           struct mr_errbuf *e)
{
    return body->coding == MR_PACKED_STREAMS ? begin_streams(c, e) : begin_huffman(c, body, e);
}

void mr__packed_coder_part(struct mr_packed_coder *c, struct mr_packed_part *part,
                           struct mr_errbuf *e)
{
    if (c->huffman) {
        c->huffman->part = part;
        c->huffman->e = e;
        c->huffman->code = MR_OK;
    }
    if (c->streams) {
        c->streams->part = part;
        c->streams->e = e;
        c->streams->code = MR_OK;
    }
}

int mr__packed_coder_code(const struct mr_packed_coder *c)
{
    return c->feed.ctx == c->streams ? c->streams->code : c->huffman->code;
}

void mr__packed_coder_free(struct mr_packed_coder *c)
{
    free(c->huffman);
    free(c->streams);
    *c = (struct mr_packed_coder){0};
}
