// SPDX-License-Identifier: Apache-2.0
//
// rowpipe_testing.h: a config's text becomes a pipeline that makes single rows of pictures in
// memory.
#ifndef MR_TESTS_ROWPIPE_TESTING_H
#define MR_TESTS_ROWPIPE_TESTING_H

#include "codec_testing.h"

extern "C" {
#include "given_source.h"
#include "pipe/rowpipe.h"
}

struct Row {
    int rc = 0;
    std::string error, draws;
    Bytes image, mask;
    std::vector<float> boxes;
    bool guarded = false; // nothing was written behind the rows
};

class Pipe
{
  public:
    mr_config *config = nullptr;
    mr_rowpipe *pipe = nullptr;
    mr_rowwork *work = nullptr;
    mr_field_plan plans[MR_MAX_FIELDS] = {};
    int nplans = 0;
    int rc = 0;
    mr_errbuf e = {};
    // In place of the bytes that `run` is given.
    const mr_ranges *image_ranges = nullptr, *mask_ranges = nullptr;
    const uint64_t *read_ns = nullptr;      // that they count
    uint64_t decode_ns = 0, augment_ns = 0; // of the last row

    // `ops` is the list's text, one op a line, or empty; `fields` a flow mapping's inside; `more`
    // further lines.
    explicit Pipe(const std::string &ops, const std::string &fields = "image: {dtype: uint8}",
                  const std::string &more = "")
    {
        std::string text = "version: 1\nsource: {type: given}\nsampler: {type: given}\n";
        text += (ops.empty() ? "" : "ops:\n" + ops) + "fields: {" + fields + "}\n" + more;
        rc = mr__config_read_with(given_tables(), &config, "test.yaml", text.c_str(), nullptr, &e);
        if (rc == MR_OK)
            rc = mr__rowpipe_compile(&pipe, config, plans, &nplans, &e);
        if (rc == MR_OK)
            rc = mr__rowwork_open(&work, pipe, &e);
    }
    Pipe(const Pipe &) = delete;
    Pipe &operator=(const Pipe &) = delete;
    ~Pipe()
    {
        mr__rowwork_close(work);
        mr__rowpipe_free(pipe);
        mr__config_free(config);
    }
    const mr_field_plan *plan(const char *name) const
    {
        for (int i = 0; i < nplans; i++)
            if (!strcmp(plans[i].name, name))
                return &plans[i];
        return nullptr;
    }
    // `fill` is what the row's memory holds before; it must not shine through.
    Row run(const Bytes &image, uint64_t position = 0, const Bytes &mask = {},
            const std::vector<float> &boxes = {}, uint8_t fill = 0xa5, mr_rect window = {})
    {
        Row row;
        Bytes in = padded(image), in_mask = padded(mask);
        row.image.assign(bytes_of("image") + GUARD, fill);
        row.mask.assign(bytes_of("mask") + GUARD, fill);
        row.boxes.assign(plan("boxes") ? 4 * plan("boxes")->max_entries : 0, -1);
        mr_row_input input = {};
        input.key = {42, 0, position, 0};
        input.image = in.data();
        input.image_bytes = image.size();
        input.mask = mask.empty() ? nullptr : in_mask.data();
        input.mask_bytes = mask.size();
        if (image_ranges)
            input.image = nullptr;
        if (mask_ranges)
            input.mask = nullptr;
        input.image_ranges = image_ranges;
        input.mask_ranges = mask_ranges;
        input.read_ns = read_ns;
        input.boxes = boxes.data();
        input.nboxes = uint32_t(boxes.size() / 4);
        input.window = window;
        mr_row_output out = {};
        out.image.data = plan("image") ? row.image.data() : nullptr;
        out.mask.data = plan("mask") ? row.mask.data() : nullptr;
        out.boxes = row.boxes.empty() ? nullptr : row.boxes.data();
        out.boxes_max = uint32_t(row.boxes.size() / 4);
        mr_errbuf why = {};
        row.rc = mr__rowpipe_run(pipe, work, &input, &out, &why);
        row.error = why.text;
        decode_ns = out.decode_ns;
        augment_ns = out.augment_ns;
        row.guarded = all(row.image, fill) && all(row.mask, fill);
        row.image.resize(row.image.size() - GUARD);
        row.mask.resize(row.mask.size() - GUARD);
        row.boxes.resize(4 * out.nboxes);
        char text[4096];
        mr__rowwork_print(work, text, sizeof text);
        row.draws = text;
        return row;
    }

  private:
    enum { GUARD = 256 };

    static Bytes padded(Bytes b)
    {
        b.resize(b.size() + 64);
        return b;
    }
    size_t bytes_of(const char *name) const
    {
        return plan(name) ? plan(name)->row_bytes : 0;
    }
    static bool all(const Bytes &b, uint8_t fill)
    {
        return std::all_of(b.end() - GUARD, b.end(), [&](uint8_t v) { return v == fill; });
    }
};

#endif
