// SPDX-License-Identifier: Apache-2.0
// Golden errors: what is wrong, where, and what to do. The sentences are part of the product:
// change them on purpose.
#include <gtest/gtest.h>

#include "fake_tables.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

struct Case {
    const char *text;
    const char *expected;
    const char *set = nullptr;
};

#define SOURCE "source: {type: folder, path: /}\n"
#define USER "producer: {plugin: /bin/sh}\ncommander: {plugin: /bin/sh}\n"

const Case cases[] = {
    // YAML itself
    {"", "t.yaml:1:1: error: the config is empty"},
    {"# only a comment\n", "t.yaml:1:1: error: the config is empty"},
    {"---\n", "t.yaml:1:1: error: the config is empty"},
    {"just text\n",
     "t.yaml:1:1: error: a config is a mapping of keys ('batch: ...'), not 'just text'"},
    {"- a\n- b\n", "t.yaml:1:1: error: a config is a mapping of keys ('batch: ...'), not a list"},
    {"seed: [1\n", "t.yaml:2:1: error: not valid YAML: did not find expected ',' or ']' while "
                   "parsing a flow sequence"},
    {"seed: 1\n\tepochs: 2\n",
     "t.yaml:2:1: error: not valid YAML: found a tab character that violates indentation while "
     "scanning a plain scalar (a tab cannot indent)"},
    {"seed: 1\nbatch: {size: 2\nepochs: 1\n", "t.yaml:3:7: error: not valid YAML: did not find "
                                              "expected ',' or '}' while parsing a flow mapping"},
    {"a: b: c\n",
     "t.yaml:1:5: error: not valid YAML: mapping values are not allowed in this context"},
    {"seed: \"abc\n", "t.yaml:2:1: error: not valid YAML: found unexpected end of stream while "
                      "scanning a quoted scalar"},
    {"seed: 1\n  epochs: 2\n",
     "t.yaml:2:9: error: not valid YAML: mapping values are not allowed in this context"},
    {"seed: &a 1\n", "t.yaml:1:7: error: anchors ('&name') are not supported: write the value out"},
    {"seed: *a\n", "t.yaml:1:7: error: aliases ('*name') are not supported: write the value out"},
    {"batch: *x\n", "t.yaml:1:8: error: aliases ('*name') are not supported: write the value out"},
    {"ops: &list []\n",
     "t.yaml:1:6: error: anchors ('&name') are not supported: write the value out"},
    {"batch: &m {size: 1}\n",
     "t.yaml:1:8: error: anchors ('&name') are not supported: write the value out"},
    {"seed: !!int 1\n", "t.yaml:1:7: error: tags ('!name') are not supported: take it out"},
    {"ops: !mine []\n", "t.yaml:1:6: error: tags ('!name') are not supported: take it out"},
    {"batch: !m {}\n", "t.yaml:1:8: error: tags ('!name') are not supported: take it out"},
    {"seed: ! 1\n", "t.yaml:1:7: error: tags ('!name') are not supported: take it out"},
    {"batch: {<<: {size: 2}}\n",
     "t.yaml:1:9: error: merge keys ('<<') are not supported: write the keys out"},
    {"<<: {seed: 1}\n",
     "t.yaml:1:1: error: merge keys ('<<') are not supported: write the keys out"},
    {"seed: 1\nseed: 2\n", "t.yaml:2:1: error: the key 'seed' is there twice (first in line 1)"},
    {"batch: {size: 1, last: pad, size: 2}\n",
     "t.yaml:1:29: error: the key 'size' is there twice (first in line 1)"},
    {"? [a, b]\n: c\n", "t.yaml:1:3: error: a key must be a name, not a list or a mapping"},
    {"? {a: b}\n: c\n", "t.yaml:1:3: error: a key must be a name, not a list or a mapping"},
    {"seed: 1\n---\nseed: 2\n",
     "t.yaml:2:1: error: a config is one document: '---' can stand only at the beginning"},
    {"%YAML 1.1\n---\nseed: 1\n",
     "t.yaml:1:1: error: directives ('%') are not supported: take them out"},
    {"%TAG ! tag:x,2000:\n---\nseed: 1\n",
     "t.yaml:1:1: error: directives ('%') are not supported: take them out"},
    {"seed: \"a\\0b\"\n", "t.yaml:1:7: error: a text cannot hold the character \\0"},
    {"seed: 1\nepochs: \377\n",
     "t.yaml:2:9: error: not valid UTF-8 text: invalid leading UTF-8 octet"},
    {"seed: \001\n", "t.yaml:1:7: error: not valid UTF-8 text: control characters are not allowed"},
    {"ops: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
     "t.yaml:1:37: error: lists and mappings are nested more than 32 deep"},
    // keys
    {"sede: 1\n" SOURCE, "t.yaml:1:1: error: unknown key 'sede'; did you mean 'seed'?"},
    {"seed: 1\nfoo: 2\n",
     "t.yaml:2:1: error: unknown key 'foo'; known: decode, batch, producers, source, sampler, "
     "mixture, ops, fields, commander, producer, limits, version, seed, epochs, epoch_batches, "
     "slots, spares, context, deterministic, on_error, max_bad, bad_list, bad_list_in, "
     "index_cache, read_ahead, message_bytes, rank, world, sandbox, sample_timeout, "
     "sample_cpu_timeout"},
    {"batch: {sise: 2}\n",
     "t.yaml:1:9: error: unknown key 'sise' in 'batch'; did you mean 'size'?"},
    {"batch: {q: 2}\n",
     "t.yaml:1:9: error: unknown key 'q' in 'batch'; known: size, last, drop_last"},
    {"limits: {max_pixel: 2}\n",
     "t.yaml:1:10: error: unknown key 'max_pixel' in 'limits'; did you mean 'max_pixels'?"},
    {"producers: {thread: 2}\n",
     "t.yaml:1:13: error: unknown key 'thread' in 'producers'; did you mean 'threads'?"},
    {"Seed: 1\n", "t.yaml:1:1: error: unknown key 'Seed'; did you mean 'seed'?"},
    {"fields: {image: {dtyp: uint8}}\n",
     "t.yaml:1:18: error: unknown key 'dtyp' in 'fields.image'; did you mean 'dtype'?"},
    {SOURCE "ops:\n  - random_horizontal_flip: {prob: 0.5}\n",
     "t.yaml:3:30: error: unknown key 'prob' in 'random_horizontal_flip'; known: p"},
    {"source: {type: folder, pth: /}\n",
     "t.yaml:1:24: error: unknown key 'pth' in 'source'; did you mean 'path'?"},
    {"sampler: {type: shuffle, seed: 1}\n" SOURCE,
     "t.yaml:1:26: error: unknown key 'seed' in 'sampler'; known: type"},
    {SOURCE "sandbox: true\n",
     "t.yaml:2:10: error: 'sandbox' must be auto, require or off, not 'true'"},
    {SOURCE "playground: true\n",
     "t.yaml:2:1: error: unknown key 'playground'; known: decode, batch, producers, source, "
     "sampler, mixture, ops, fields, commander, producer, limits, version, seed, epochs, "
     "epoch_batches, slots, spares, context, deterministic, on_error, max_bad, bad_list, "
     "bad_list_in, index_cache, read_ahead, message_bytes, rank, world, sandbox, sample_timeout, "
     "sample_cpu_timeout"},
    // types
    {"seed: abc\n", "t.yaml:1:7: error: 'seed' must be a whole number, not 'abc'"},
    {"seed: 1.5\n", "t.yaml:1:7: error: 'seed' must be a whole number, not '1.5'"},
    {"seed: 1e3\n", "t.yaml:1:7: error: 'seed' must be a whole number, not '1e3'"},
    {"seed: \"1\"\n",
     "t.yaml:1:7: error: 'seed' must be a whole number, not the text '1' (take the quotes off)"},
    {"seed: 1_000\n",
     "t.yaml:1:7: error: 'seed' must be a whole number, not '1_000' (write digits without '_')"},
    {"seed: 0x10\n", "t.yaml:1:7: error: 'seed' must be a whole number, not '0x10'"},
    {"seed: 007\n", "t.yaml:1:7: error: 'seed' must be a whole number, not '007'"},
    {"seed:\n", "t.yaml:1:6: error: 'seed' must be a whole number, not an empty value"},
    {"seed: [1]\n", "t.yaml:1:7: error: 'seed' must be a whole number, not a list"},
    {"seed: {a: 1}\n", "t.yaml:1:7: error: 'seed' must be a whole number, not a mapping"},
    {"seed: 99999999999999999999\n", "t.yaml:1:7: error: 'seed' must be a whole number, not "
                                     "'99999999999999999999' (it does not fit into 64 bits)"},
    {"deterministic: yes\n",
     "t.yaml:1:16: error: 'deterministic' must be true or false, not 'yes' (write true)"},
    {"deterministic: off\n",
     "t.yaml:1:16: error: 'deterministic' must be true or false, not 'off' (write false)"},
    {"deterministic: True\n",
     "t.yaml:1:16: error: 'deterministic' must be true or false, not 'True' (write true)"},
    {"deterministic: 1\n",
     "t.yaml:1:16: error: 'deterministic' must be true or false, not '1' (write true)"},
    {"deterministic: 'true'\n", "t.yaml:1:16: error: 'deterministic' must be true or false, not "
                                "the text 'true' (take the quotes off)"},
    {"deterministic: maybe\n",
     "t.yaml:1:16: error: 'deterministic' must be true or false, not 'maybe'"},
    {"sample_timeout: .nan\n", "t.yaml:1:17: error: 'sample_timeout' must be a number, not '.nan'"},
    {"sample_timeout: inf\n", "t.yaml:1:17: error: 'sample_timeout' must be a number, not 'inf'"},
    {"sample_timeout: 1e999\n",
     "t.yaml:1:17: error: 'sample_timeout' is 1e999; allowed is 0.01 to 86400 seconds"},
    {"sample_timeout: 1,5\n", "t.yaml:1:17: error: 'sample_timeout' must be a number, not '1,5'"},
    {"sample_timeout: soon\n", "t.yaml:1:17: error: 'sample_timeout' must be a number, not 'soon'"},
    {"sample_timeout: \"1\"\n", "t.yaml:1:17: error: 'sample_timeout' must be a number, not the "
                                "text '1' (take the quotes off)"},
    {"context: forkk\n",
     "t.yaml:1:10: error: 'context' must be spawn or fork, not 'forkk'; did you mean 'fork'?"},
    {"on_error: ignore\n",
     "t.yaml:1:11: error: 'on_error' must be fail, replace or skip, not 'ignore'"},
    {"on_error: [fail]\n",
     "t.yaml:1:11: error: 'on_error' must be fail, replace or skip, not a list"},
    {"decode: Exact\n",
     "t.yaml:1:9: error: 'decode.mode' must be exact or fast, not 'Exact'; did you mean 'exact'?"},
    {"decode: {mode: slow}\n",
     "t.yaml:1:16: error: 'decode.mode' must be exact or fast, not 'slow'"},
    {"decode: {engine: libjpg}\n", "t.yaml:1:18: error: 'decode.engine' must be auto or libjpeg, "
                                   "not 'libjpg'; did you mean 'libjpeg'?"},
    {"decode: {engin: auto}\n",
     "t.yaml:1:10: error: unknown key 'engin' in 'decode'; did you mean 'engine'?"},
    {"decode: [exact]\n",
     "t.yaml:1:9: error: 'decode' must be a mapping ('{key: value}'), not a list"},
    {"slots: many\n", "t.yaml:1:8: error: 'slots' must be a whole number or auto, not 'many'"},
    {"producers: [1, 2]\n",
     "t.yaml:1:12: error: 'producers' must be a mapping ('{key: value}'), not a list"},
    {"limits: 5\n", "t.yaml:1:9: error: 'limits' must be a mapping ('{key: value}'), not '5'"},
    {"batch: [1]\n", "t.yaml:1:8: error: 'batch' must be a mapping ('{key: value}'), not a list"},
    {"epochs: null\n", "t.yaml:1:9: error: 'epochs' must be a whole number, not an empty value"},
    {"epochs: ~\n", "t.yaml:1:9: error: 'epochs' must be a whole number, not an empty value"},
    // bounds
    {"version: 2\n", "t.yaml:1:10: error: 'version' is 2; allowed is 1"},
    {"seed: -1\n", "t.yaml:1:7: error: 'seed' is -1; allowed is at least 0"},
    {"batch: 0\n", "t.yaml:1:8: error: 'batch.size' is 0; allowed is 1 to 65536 rows"},
    {"batch: {size: 65537}\n",
     "t.yaml:1:15: error: 'batch.size' is 65537; allowed is 1 to 65536 rows"},
    {"slots: 0\n", "t.yaml:1:8: error: 'slots' is 0; allowed is 1 to 1024 batches"},
    {"producers: {threads: 0}\n",
     "t.yaml:1:22: error: 'producers.threads' is 0; allowed is 1 to 256 threads"},
    {"sample_timeout: 0\n",
     "t.yaml:1:17: error: 'sample_timeout' is 0; allowed is 0.01 to 86400 seconds"},
    {"message_bytes: 8\n",
     "t.yaml:1:16: error: 'message_bytes' is 8; allowed is 64 to 65536 bytes"},
    {"limits: {max_pixels: 0}\n",
     "t.yaml:1:22: error: 'limits.max_pixels' is 0; allowed is 1 to 1000000000000 pixels"},
    // ops
    {SOURCE "ops: random_horizontal_flip\n",
     "t.yaml:2:6: error: 'ops' must be a list ('- name: {options}'), not 'random_horizontal_flip'"},
    {SOURCE "ops: {random_horizontal_flip: {}}\n",
     "t.yaml:2:6: error: 'ops' must be a list ('- name: {options}'), not a mapping"},
    {SOURCE "ops: [random_horizontal_flap]\n",
     "t.yaml:2:7: error: unknown op 'random_horizontal_flap'; did you mean "
     "'random_horizontal_flip'?"},
    {SOURCE "ops:\n  - normalize\n", "t.yaml:3:5: error: 'normalize.mean' is missing: means"},
    {SOURCE "ops: [xyzzy]\n", "t.yaml:2:7: error: unknown op 'xyzzy'; known: color_jitter, "
                              "normalize, random_horizontal_flip, random_resized_crop"},
    {SOURCE "ops: [[a]]\n",
     "t.yaml:2:7: error: an entry of 'ops' is a name or one 'name: {options}', not a list"},
    {SOURCE "ops:\n  - {color_jitter: , normalize: }\n",
     "t.yaml:3:5: error: an entry of 'ops' is a name or one 'name: {options}', not a mapping of "
     "several names"},
    {SOURCE "ops: [{}]\n", "t.yaml:2:7: error: an entry of 'ops' is a name or one 'name: "
                           "{options}', not a mapping without a name"},
    {SOURCE "ops:\n  -\n",
     "t.yaml:3:4: error: an entry of 'ops' is a name or one 'name: {options}', not an empty value"},
    {SOURCE "ops:\n  - random_resized_crop: 224\n",
     "t.yaml:3:26: error: the options of 'random_resized_crop' must be a mapping ('{key: value}'), "
     "not '224'"},
    {SOURCE "ops:\n  - random_resized_crop: {size: [1, 2, 3]}\n",
     "t.yaml:3:33: error: 'random_resized_crop.size' must be a whole number or two [height, "
     "width], not a list"},
    {SOURCE "ops:\n  - random_resized_crop: {size: 0}\n",
     "t.yaml:3:33: error: 'random_resized_crop.size' is 0; allowed is 1 to 65500 pixels"},
    {SOURCE "ops:\n  - random_resized_crop: {size: [10, 0]}\n",
     "t.yaml:3:38: error: 'random_resized_crop.size' is 0; allowed is 1 to 65500 pixels"},
    {SOURCE "ops:\n  - random_resized_crop: {size: 10, scale: 0.5}\n",
     "t.yaml:3:44: error: 'random_resized_crop.scale' must be two numbers [low, high], not '0.5'"},
    {SOURCE "ops:\n  - random_resized_crop: {size: 10, scale: [0.5, 0.1]}\n",
     "t.yaml:3:44: error: 'random_resized_crop.scale': the first number (0.5) must not be above "
     "the second (0.1)"},
    {SOURCE "ops:\n  - random_resized_crop: {size: 10, scale: [0.5, 1.5]}\n",
     "t.yaml:3:50: error: 'random_resized_crop.scale' is 1.5; allowed is 0 to 1 of the area"},
    {SOURCE "ops:\n  - random_resized_crop: {size: 10, interpolation: bicubik}\n",
     "t.yaml:3:52: error: 'random_resized_crop.interpolation' must be nearest, bilinear or "
     "bicubic, not 'bicubik'; did you mean 'bicubic'?"},
    {SOURCE "ops:\n  - random_horizontal_flip: {p: 1.5}\n",
     "t.yaml:3:33: error: 'random_horizontal_flip.p' is 1.5; allowed is 0 to 1"},
    {SOURCE "ops:\n  - color_jitter: {brightness: -1}\n",
     "t.yaml:3:32: error: 'color_jitter.brightness' is -1; allowed is at least 0"},
    {SOURCE "ops:\n  - color_jitter: {brightness: [1]}\n",
     "t.yaml:3:32: error: 'color_jitter.brightness' must be a number or two numbers [low, high], "
     "not a list"},
    {SOURCE "ops:\n  - color_jitter: {note: [a]}\n",
     "t.yaml:3:26: error: 'color_jitter.note' must be a text, not a list"},
    {SOURCE "ops:\n  - color_jitter: {note: }\n",
     "t.yaml:3:26: error: 'color_jitter.note' must be a text, not an empty value"},
    {SOURCE "ops:\n  - normalize: {mean: [1, 2], std: 1}\n",
     "t.yaml:3:5: error: 'normalize': 'mean' has 2 numbers and 'std' 1"},
    {SOURCE "ops:\n  - normalize: {mean: {a: 1}, std: 1}\n",
     "t.yaml:3:23: error: 'normalize.mean' must be a number or a list of numbers, not a mapping"},
    {SOURCE "ops:\n  - normalize: {mean: [1, x], std: 1}\n",
     "t.yaml:3:27: error: 'normalize.mean' must be a number or a list of numbers, not 'x'"},
    {SOURCE "ops:\n  - normalize: {mean: 1, std: 0}\n",
     "t.yaml:3:31: error: 'normalize.std' is 0; allowed is at least 1e-06"},
    {SOURCE
     "ops:\n  - normalize: {mean: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ], std: 0}\n",
     "t.yaml:3:23: error: 'normalize.mean' has 17 numbers; at most 16 are allowed"},
    {SOURCE "ops: [random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, random_horizontal_flip, "
            "random_horizontal_flip, random_horizontal_flip, ]\n",
     "t.yaml:2:1543: error: more than 64 ops"},
    // source and sampler
    {"source: folder\n", "t.yaml:1:9: error: 'source.path' is missing: folder of class folders"},
    {"source: {path: /}\n", "t.yaml:1:9: error: 'source.type' is missing; known: folder"},
    {"source:\n", "t.yaml:1:8: error: 'source.type' is missing; known: folder"},
    {"source: {type: flder, path: /}\n",
     "t.yaml:1:16: error: unknown source 'flder'; did you mean 'folder'?"},
    {"source: {type: tar, path: /}\n", "t.yaml:1:16: error: unknown source 'tar'; known: folder"},
    {"source: {type: folder, path: /no/such/place}\n",
     "t.yaml:1:30: error: 'source.path': cannot open '/no/such/place': No such file or directory"},
    {"source: {type: folder, path: 'data'}\n",
     "t.yaml:1:30: error: 'source.path': cannot open '$PWD/data': No such file or directory"},
    {"source: {type: folder, path: ''}\n",
     "t.yaml:1:30: error: 'source.path' must be a path, not the text ''"},
    {"source: {type: folder, path: [/]}\n",
     "t.yaml:1:30: error: 'source.path' must be a path, not a list"},
    {"source: [folder]\n",
     "t.yaml:1:9: error: 'source' must be a mapping ('{key: value}'), not a list"},
    {"source: {type: [folder]}\n",
     "t.yaml:1:16: error: 'source.type' must be a name; known: folder"},
    {"source: {type: folder, path: /, extensions: {a: 1}}\n",
     "t.yaml:1:45: error: 'source.extensions' must be a text or a list of texts, not a mapping"},
    {SOURCE "sampler: shufle\n",
     "t.yaml:2:10: error: unknown sampler 'shufle'; did you mean 'shuffle'?"},
    {SOURCE "sampler: {}\n", "t.yaml:2:10: error: 'sampler.type' is missing; known: in_batches, "
                             "learning, sequential, shuffle"},
    {"seed: 1\n", "t.yaml:1:1: error: 'source' is missing: say where samples come from ('source: "
                  "{type: folder, path: ...}')"},
    // fields
    {SOURCE "fields: [image]\n",
     "t.yaml:2:9: error: 'fields' must be a mapping ('image: {dtype: float32}'), not a list"},
    {SOURCE "fields: {label: int64, mask: {}}\n",
     "t.yaml:2:10: error: 'fields' has no 'image', which 'mask' needs: add it ('image: {}')"},
    {SOURCE "fields: {'my image': {}}\n", "t.yaml:2:10: error: 'my image' is no name for a field: "
                                          "use letters, digits and '_', at most 63"},
    {SOURCE "fields: {image: {dtype: float}}\n",
     "t.yaml:2:25: error: 'fields.image.dtype' must be uint8, int16, uint16, int32, int64, "
     "float16, bfloat16, float32 or float64, not 'float'; did you mean 'float16'?"},
    {SOURCE "fields: {image: {shape: [3]}}\n", "t.yaml:2:10: error: the field 'image' takes its "
                                               "shape from the ops: take 'shape' and 'max' out"},
    {SOURCE "fields: {image: {channels: 2}}\n",
     "t.yaml:2:10: error: the field 'image' cannot have 2 channels: 1 (gray), 3 (RGB) and 4 (RGBA) "
     "are possible"},
    {SOURCE "fields: {image: {channels: 5}}\n",
     "t.yaml:2:28: error: 'fields.image.channels' is 5; allowed is 1 to 4"},
    {SOURCE "fields: {image: {bits: 12}}\n",
     "t.yaml:2:10: error: the field 'image' cannot have that many bits: 8 and 16 are possible"},
    {SOURCE "fields: {image: {layout: CHW}}\n", "t.yaml:2:26: error: 'fields.image.layout' must be "
                                                "NCHW or NHWC, not 'CHW'; did you mean 'NCHW'?"},
    {SOURCE "fields: {image: {}, mask: {channels: 3}}\n",
     "t.yaml:2:21: error: the field 'mask' is a mask: it has 1 channel of 8 bits"},
    {SOURCE "fields: {image: {}, boxes: {}}\n",
     "t.yaml:2:21: error: the field 'boxes' needs 'max', the boxes of an image that have a place "
     "in the batch"},
    {SOURCE "fields: {image: {}, boxes: {max: 3, dtype: int32}}\n",
     "t.yaml:2:21: error: the field 'boxes' holds x0, y0, x1, y1 in pixels: its dtype is float32"},
    {SOURCE "fields: {image: {}, boxes: {max: 3, shape: [4]}}\n",
     "t.yaml:2:21: error: the field 'boxes' has 4 numbers per box: take 'shape' out"},
    {SOURCE "fields: {image: {}, label: {layout: NHWC}}\n",
     "t.yaml:2:21: error: the field 'label' is no image: it has no layout, channels or bits"},
    {SOURCE "fields: {image: {}, weight: {}}\n",
     "t.yaml:2:21: error: the field 'weight' needs a dtype, for example {dtype: float32}"},
    {SOURCE "fields: {image: {}, w: {dtype: uint8, shape: [1.5]}}\n",
     "t.yaml:2:47: error: 'fields.w.shape' must be a whole number or a list of them, not '1.5'"},
    {SOURCE "fields: {image: {}, w: {dtype: uint8, shape: [0]}}\n",
     "t.yaml:2:47: error: 'fields.w.shape' is 0; allowed is 1 to 2147483647"},
    {SOURCE "fields: {image: {}, w: {dtype: uint8, shape: [1, 1, 1, 1, 1, 1, 1, 1]}}\n",
     "t.yaml:2:21: error: the field 'w' has too many dimensions: a tensor has at most 8, the batch "
     "included"},
    {SOURCE "fields: {image: {}, w: {dtype: float64, shape: [2000000000, 2000]}}\n",
     "t.yaml:2:21: error: the field 'w' takes more than 1 TiB per row"},
    {SOURCE "fields: {image: []}\n",
     "t.yaml:2:17: error: 'fields.image' must be a mapping ('{key: value}'), not a list"},
    // user code
    {USER, "t.yaml:1:1: error: 'fields' is missing: say what your producer fills ('fields: {image: "
           "{dtype: uint8, shape: [3, 224, 224]}}')"},
    {USER "fields: {x: {dtype: uint8}}\n",
     "t.yaml:3:10: error: the field 'x' is filled by your producer: it needs the shape of one row, "
     "for example {shape: [3, 224, 224]}, or [] for one number"},
    {USER "fields: {x: {shape: [3]}}\n",
     "t.yaml:3:10: error: the field 'x' needs a dtype, for example {dtype: float32}"},
    {USER "fields: {x: {dtype: uint8, shape: [3], layout: NHWC}}\n",
     "t.yaml:3:10: error: the field 'x' is no image: it has no layout, channels or bits"},
    {"producer: {plugin: /bin/sh}\nfields: {x: {dtype: uint8, shape: [3]}}\n",
     "t.yaml:1:1: error: 'commander' is missing: without a source, your code has to say what each "
     "row is to hold"},
    {"producer: {plugin: /bin/sh, exec: ls}\n",
     "t.yaml:1:29: error: 'producer' has both 'plugin' and 'exec': give only one of them"},
    {"producer: {}\n", "t.yaml:1:1: error: 'producer' needs 'plugin' or 'exec'"},
    {"producer: {exec: []}\n", "t.yaml:1:18: error: 'producer.exec' needs the name of a program"},
    {"producer: {exec: ./no_such_program}\n",
     "t.yaml:1:18: error: 'producer.exec': cannot run '$PWD/no_such_program': no such program, or "
     "no right to run it"},
    {"producer: {exec: /}\n",
     "t.yaml:1:18: error: 'producer.exec': cannot run '/': no such program, or no right to run it"},
    {"producer: /bin/sh\n",
     "t.yaml:1:11: error: 'producer' must be a mapping ('{key: value}'), not '/bin/sh'"},
    {"producer: {plugin: /no.so}\n",
     "t.yaml:1:20: error: 'producer.plugin': cannot open '/no.so': No such file or directory"},
    {"commander: {plugin: /bin/sh, script: /bin/ls}\n",
     "t.yaml:1:30: error: 'commander' has both 'plugin' and 'script': give only one of them"},
    {"commander: {params: {a: 1}}\n" SOURCE,
     "t.yaml:1:1: error: 'commander' needs 'script' or 'plugin': name the Lua script or the shared "
     "object with your commander"},
    {SOURCE "commander: {plugin: /bin/sh}\nsampler: shuffle\n",
     "t.yaml:3:10: error: 'sampler' and 'commander' both decide which sample comes next: give only "
     "one of them"},
    {SOURCE "producer: {plugin: /bin/sh}\n", "t.yaml:1:16: error: 'source' and 'producer.plugin' "
                                             "both make the rows: give only one of them"},
    {"sampler: shuffle\n" USER, "t.yaml:1:10: error: 'sampler' and 'commander' both decide which "
                                "sample comes next: give only one of them"},
    {"ops: [random_horizontal_flip]\n" USER,
     "t.yaml:1:7: error: 'ops' work on images of a source: add 'source', or take them out"},
    {"producer: {plugin: /bin/sh, unit: rows}\n",
     "t.yaml:1:35: error: 'producer.unit' must be row or batch, not 'rows'; did you mean 'row'?"},
    {"commander: {plugin: /bin/sh, params: 5}\n",
     "t.yaml:1:38: error: 'commander.params' must be a mapping ('{key: value}'), not '5'"},
    {"commander: {plugin: /bin/sh, params: {a: }}\n",
     "t.yaml:1:42: error: 'commander.params', key 'a': has no value"},
    {"commander: {plugin: /bin/sh, params: {a: [[[[[[[[[1, x]]]]]]]]]}}\n",
     "t.yaml:1:50: error: 'commander.params': lists and mappings are nested more than 8 deep"},
    {"commander: {plugin: /bin/sh, params: {'': 1}}\n",
     "t.yaml:1:43: error: 'commander.params', key '': a key has 1 to 255 bytes"},
    {"version: 1\ncommander:\n  plugin: /bin/sh\n  params:\n    l:\n      - x\n      -\n",
     "t.yaml:7:8: error: 'commander.params': has no value"},
    // what goes together
    {SOURCE "rank: 2\nworld: 2\n",
     "t.yaml:2:7: error: 'rank' is 2, but with 'world: 2' ranks go from 0 to 1"},
    {SOURCE "rank: 1\n",
     "t.yaml:2:7: error: 'rank' is 1, but with 'world: 1' ranks go from 0 to 0"},
    {SOURCE "world: 2\nbatch: {last: short}\n",
     "t.yaml:3:15: error: 'batch.last: short' cannot be used with 'world: 2': ranks would get "
     "different numbers of rows; use drop, pad or wrap"},
    {SOURCE "world: 2\nbatch: {drop_last: false}\n",
     "t.yaml:3:8: error: 'batch.last: short' cannot be used with 'world: 2': ranks would get "
     "different numbers of rows; use drop, pad or wrap"},
    {SOURCE "batch: {last: pad, drop_last: true}\n",
     "t.yaml:2:20: error: 'batch.drop_last: true' contradicts 'batch.last': give only one of them"},
    {SOURCE "context: fork\nproducers: {threads: 2}\n",
     "t.yaml:3:22: error: 'producers.threads: 2' cannot be used with 'context: fork': a forked "
     "process must not start a team of threads"},
    {"context: fork\n",
     "t.yaml:1:1: error: 'source' is missing, or, for callbacks of your own, 'fields': say what "
     "they fill ('fields: {image: {dtype: uint8, shape: [3, 224, 224]}}')"},
    // long and odd texts are cut
    {"seed: "
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxx\n",
     "t.yaml:1:7: error: 'seed' must be a whole number, not "
     "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"},
    {"on_error: \"a\\nb\\tc\"\n",
     "t.yaml:1:11: error: 'on_error' must be fail, replace or skip, not the text 'a?b?c'"},
    {"k\303\244se: 1\n",
     "t.yaml:1:1: error: unknown key 'k\303\244se'; known: decode, batch, producers, source, "
     "sampler, mixture, ops, fields, commander, producer, limits, version, seed, "
     "epochs, epoch_batches, slots, "
     "spares, "
     "context, "
     "deterministic, "
     "on_error, max_bad, bad_list, bad_list_in, index_cache, read_ahead, message_bytes, rank, "
     "world, sandbox, sample_timeout, sample_cpu_timeout"},
    {"seed: "
     "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303"
     "\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
     "\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303"
     "\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
     "\303\244\303\244\303\244\303\244\n",
     "t.yaml:1:7: error: 'seed' must be a whole number, not "
     "'\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303"
     "\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244"
     "\303\244\303\244\303\244\303\244\303\244\303\244\303\244...'"},
    // --set
    {SOURCE, "--set seed: error: write it as key=value", "seed"},
    {SOURCE, "--set =1: error: an empty name stands in the key", "=1"},
    {SOURCE, "--set seed: error: 'seed' must be a whole number, not 'abc'", "seed=abc"},
    {SOURCE, "--set sede: error: unknown key 'sede'; did you mean 'seed'?", "sede=1"},
    {SOURCE, "--set batch.sise: error: unknown key 'sise' in 'batch'; did you mean 'size'?",
     "batch.sise=1"},
    {SOURCE, "--set batch.size: error: 'batch.size' is 0; allowed is 1 to 65536 rows",
     "batch.size=0"},
    {SOURCE,
     "--set seed: error: not valid YAML: did not find expected ',' or ']' while parsing a flow "
     "sequence",
     "seed=[1"},
    {SOURCE, "--set seed: error: anchors ('&name') are not supported: write the value out",
     "seed=&a 1"},
    {SOURCE, "--set seed.x: error: 'seed' must be a whole number, not a mapping", "seed.x=1"},
    {SOURCE, "--set a..b: error: an empty name stands in the key", "a..b=1"},
    {SOURCE, "--set batch.: error: an empty name stands in the key", "batch.=1"},
    {SOURCE "ops: [random_horizontal_flip]\n",
     "--set ops.x.p: error: 'ops' is a list: 'x' is no number of an entry", "ops.x.p=1"},
    {SOURCE "ops: [random_horizontal_flip]\n",
     "--set ops.2: error: 'ops' has 1 entries: there is no entry 2 (the first is 0)",
     "ops.2=normalize"},
    {SOURCE "ops: [random_horizontal_flip]\n",
     "--set ops.0.random_horizontal_flip.p: error: 'random_horizontal_flip.p' is 2; allowed is 0 "
     "to 1",
     "ops.0.random_horizontal_flip.p=2"},
    {SOURCE "ops: [random_horizontal_flip]\n",
     "--set ops.0.normalize.mean: error: 'ops.0' is 'random_horizontal_flip', so it has no "
     "'normalize': set the whole of it with --set 'ops.0={...}'",
     "ops.0.normalize.mean=2"},
    {SOURCE,
     "--set source.path: error: 'source.path': cannot open '/no/such': No such file or directory",
     "source.path=/no/such"},
    {SOURCE, "--set producers.count: error: 'producers.count' is 0; allowed is 1 to 1024 processes",
     "producers.count=0"},
    {SOURCE "producers: 4\n",
     "--set producers.threads: error: 'producers' is '4', so it has no 'threads': set the whole of "
     "it with --set 'producers={...}'",
     "producers.threads=2"},
    {SOURCE, "--set batch: error: the key 'size' is there twice", "batch={size: 1, size: 2}"},
    {SOURCE, "--set world: error: 'world' is 0; allowed is 1 to 65536", "world=0"},
    {SOURCE, "--set rank: error: 'rank' is 1, but with 'world: 1' ranks go from 0 to 0", "rank=1"},
    {SOURCE,
     "--set fields.image.dtype: error: 'fields.image.dtype' must be uint8, int16, uint16, int32, "
     "int64, float16, bfloat16, float32 or float64, not 'floot32'; did you mean 'float32'?",
     "fields.image.dtype=floot32"},
    {SOURCE, "--set seed: error: a config is one document: '---' can stand only at the beginning",
     "seed=1\n---\n2"},
    {SOURCE, "--set seed: error: 'seed' must be a whole number, not an empty value", "seed="},
// Mixtures
#define PART(more) "{" more ", source: {type: folder, path: /}}"
    {"mixture: 5\n", "t.yaml:1:10: error: 'mixture' must be a mapping ('{key: value}'), not '5'"},
    {"mixture: {}\n", "t.yaml:1:1: error: 'mixture.of' must be a list with an entry per data set "
                      "('- {share: 0.5, source: {...}}')"},
    {"mixture:\n  of: [5]\n", "t.yaml:2:8: error: 'mixture.of.0' must be a mapping ('{share: 0.5, "
                              "source: {...}}'), not '5'"},
    {"mixture:\n  of: [{share: 1}]\n",
     "t.yaml:2:8: error: 'mixture.of.0.source' is missing: say where its samples come from "
     "('source: {type: folder, path: ...}')"},
    {"mixture:\n  of: [{share: 1, source: {type: foldr}}]\n",
     "t.yaml:2:34: error: unknown source 'foldr'; did you mean 'folder'?"},
    {"mixture:\n  of:\n    - " PART("share: 0.5") "\n    - " PART("share: 0.4999") "\n",
     "t.yaml:3:15: error: the shares of 'mixture.of' add up to 0.9999, not to 1: 0 0.5, 1 0.4999"},
    {"mixture:\n  of:\n    - " PART("share: 1") "\n    - " PART("share: 0") "\n",
     "t.yaml:4:15: error: 'mixture.of.1.share' is 0: take the part out, or give it some"},
    {"mixture:\n  of:\n    - " PART("share: -0.5") "\n",
     "t.yaml:3:15: error: 'mixture.of.0.share' is -0.5; allowed is 0 to 1"},
    {"mixture:\n  of:\n    - " PART("share: .nan") "\n",
     "t.yaml:3:15: error: 'mixture.of.0.share' must be a number, not '.nan'"},
    {"mixture:\n  of:\n    - " PART("name: a") "\n",
     "t.yaml:3:7: error: 'mixture.of.0.share' is missing: the part's share of all rows, 0 to 1"},
    {"mixture:\n  of:\n    - " PART("name: a, share: 0.5") "\n    - " PART(
         "name: a, share: 0.5") "\n",
     "t.yaml:4:14: error: two parts of the mixture have the name 'a'"},
    {"epochs: 5\nmixture:\n  of:\n    - " PART("share: 0.5") "\n    - " PART(
         "share: 0.5, from_epoch: 5") "\n",
     "t.yaml:5:32: error: 'mixture.of.1.from_epoch' is 5, but with 'epochs: 5' the last epoch is "
     "4"},
    {"epochs: 0\nmixture:\n  of:\n    - " PART("share: 1, from_epoch: 3, until_epoch: 3") "\n",
     "t.yaml:4:46: error: 'mixture.of.0.until_epoch' is 3, not after 'from_epoch', which is 3: no "
     "epoch would have the part"},
    {"epochs: 4\nmixture:\n  of:\n    - " PART("share: 0.5, until_epoch: 2") "\n    - " PART(
         "share: 0.5, from_epoch: 3") "\n",
     "t.yaml:2:1: error: epoch 2 has no part of the mixture: look at 'from_epoch' and "
     "'until_epoch'"},
    {"mixture:\n  by: repeat\n  of:\n    - " PART("share: 0.5") "\n",
     "t.yaml:4:8: error: 'mixture.of.0.share' goes with 'mixture.by: share'"},
    {"mixture:\n  by: repeat\n  of:\n    - " PART("repeat: 0") "\n",
     "t.yaml:4:16: error: 'mixture.of.0.repeat' is 0: take the part out, or give it some"},
    {"mixture:\n  by: repeat\n  length: 5\n  of:\n    - " PART("repeat: 1") "\n",
     "t.yaml:3:3: error: 'mixture.length' goes with 'mixture.by: share': the parts say how long an "
     "epoch is"},
    {"mixture:\n  by: all\n  of:\n    - " PART("sampler: shuffle") "\n",
     "t.yaml:4:8: error: 'mixture.of.0.sampler' goes with 'mixture.by: share' or 'repeat'; with "
     "'all' there is one 'sampler' for all parts, beside 'mixture'"},
    {"sampler: shuffle\nmixture:\n  of:\n    - " PART("share: 1") "\n",
     "t.yaml:2:1: error: 'mixture' and 'sampler' both say which samples come: give only one of "
     "them, or set 'mixture.by: all' for one sampler over all parts"},
    {SOURCE "mixture:\n  of:\n    - " PART("share: 1") "\n",
     "t.yaml:2:1: error: 'mixture' and 'source' both say which samples come: give only one of "
     "them"},
    {"mixture:\n  of:\n    - {share: 1, source: {type: folder, path: /}, sampler: in_batches}\n",
     "t.yaml:3:60: error: 'in_batches' makes whole batches, and a part has only some rows of each: "
     "set 'mixture.unit: batch', or take another sampler"},
    {"mixture:\n  of:\n    - {share: 1, source: {type: folder, path: /}, sampler: learning}\n",
     "t.yaml:3:60: error: 'learning' follows the trainer's feedback, which a mixture cannot pass "
     "on to its parts: take another sampler, or 'mixture.by: all' with this one as 'sampler'"},
    {SOURCE,
     "--set a.b.c.d: error: unknown key 'a'; known: decode, batch, producers, source, "
     "sampler, mixture, ops, fields, commander, producer, limits, version, seed, "
     "epochs, epoch_batches, slots, "
     "spares, "
     "context, "
     "deterministic, "
     "on_error, max_bad, bad_list, bad_list_in, index_cache, read_ahead, message_bytes, rank, "
     "world, sandbox, sample_timeout, sample_cpu_timeout",
     "a.b.c.d=1"},
};

// The samplers of fake_tables.h, and two that a mixture cannot take everywhere.
const mr_tables *tables()
{
    static const mr_learner learner = {};
    static mr_sampler batches = fake::make<mr_sampler>("in_batches", "whole ones", 0, nullptr);
    static mr_sampler learning = fake::make<mr_sampler>("learning", "by feedback", 0, nullptr);
    static const mr_sampler *samplers[] = {&batches, &learning, &fake::sampler_sequential,
                                           &fake::sampler_shuffle, nullptr};
    static mr_tables all = fake::tables;
    batches.batchwise = true;
    learning.learner = &learner;
    all.samplers = samplers;
    return &all;
}

std::string read(const Case &c)
{
    const char *set[] = {c.set, nullptr};
    mr_config *config = nullptr;
    mr_errbuf e = {};
    int rc = mr__config_read_with(tables(), &config, "t.yaml", c.text, set, &e);
    EXPECT_EQ(config == nullptr, rc < 0);
    mr__config_free(config);
    EXPECT_EQ(rc, rc < 0 ? MR_E_CONFIG : MR_OK);
    std::string text = rc < 0 ? e.text : "no error";
    char *cwd = getcwd(nullptr, 0);
    size_t at = text.find(cwd);
    if (at != std::string::npos)
        text.replace(at, strlen(cwd), "$PWD");
    free(cwd);
    return text;
}

} // namespace

TEST(ConfigErrors, SentenceByCase)
{
    for (const Case &c : cases)
        EXPECT_EQ(read(c), c.expected) << c.text << (c.set ? c.set : "");
}
