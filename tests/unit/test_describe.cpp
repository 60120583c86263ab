// SPDX-License-Identifier: Apache-2.0
// The tables in every format. tests/oracle holds the schema against the reader.
#include <gtest/gtest.h>

#include "fake_tables.h"

extern "C" {
#include "base/kinds.h"
#include "millrace/millrace.h"
}

#include <cstdlib>
#include <cstring>
#include <string>

namespace
{

std::string describe(const char *kind, const char *name, const char *format, int expected = MR_OK)
{
    char *text = nullptr;
    mr_errbuf e = {};
    int rc = mr__describe_with(&fake::tables, kind, name, format, &text, &e);
    EXPECT_EQ(rc, expected) << e.text;
    EXPECT_EQ(text == nullptr, rc < 0);
    std::string s = rc < 0 ? e.text : text ? text : "";
    free(text);
    return s;
}

} // namespace

TEST(Describe, OneOpAsAlignedTable)
{
    EXPECT_EQ(describe("op", "color_jitter", "text"), R"(op color_jitter: changes colours
  option      default  type                                 allowed          meaning
  brightness  -        a number or two numbers [low, high]  at least 0       factors
  levels      8        a whole number                       2 to 256 levels  grey levels
  keep        false    true or false                        -                keep them
  note        -        a text                               -                a remark
)");
}

TEST(Describe, ListsByKind)
{
    EXPECT_EQ(describe("sampler", nullptr, nullptr), "sampler\n"
                                                     "  sequential  in order\n"
                                                     "  shuffle     in random order\n");
    EXPECT_EQ(describe(nullptr, "shuffle", "text"),
              "sampler shuffle: in random order\n  no options\n");
    std::string all = describe(nullptr, nullptr, "text");
    for (const char *part : {"config\n", "\nsource\n", "\nsampler\n", "\nop\n", "  color_jitter "})
        EXPECT_NE(all.find(part), std::string::npos) << part;
}

TEST(Describe, MarkdownAndJson)
{
    EXPECT_EQ(describe("op", "random_horizontal_flip", "markdown"),
              "## Ops\n\n### random_horizontal_flip\n\nMirrors.\n\n"
              "| option | default | type | allowed | meaning |\n|---|---|---|---|---|\n"
              "| `p` | `0.5` | a number | 0 to 1 | how often |\n");
    EXPECT_EQ(describe("op", "random_horizontal_flip", "json"), R"({
  "op": [
    {
      "name": "random_horizontal_flip",
      "help": "mirrors",
      "options": [
        {
          "name": "p",
          "type": "float",
          "required": false,
          "default": 0.5,
          "min": 0,
          "max": 1,
          "unit": null,
          "stream": true,
          "help": "how often"
        }
      ]
    }
  ]
})");
}

TEST(Describe, SchemaOfOneOp)
{
    EXPECT_EQ(describe("op", "random_horizontal_flip", "schema"), R"({
 "type": "object",
 "properties": {
  "p": {
   "type": "number",
   "minimum": 0,
   "maximum": 1,
   "default": 0.5,
   "description": "how often"
  }
 },
 "required": [],
 "additionalProperties": false
})");
}

TEST(Describe, WrongNamesGetTheNearest)
{
    EXPECT_EQ(describe("op", "normalise", "text", MR_E_USAGE),
              "there is no op 'normalise'; did you mean 'normalize'?");
    EXPECT_EQ(describe(nullptr, "shufle", "text", MR_E_USAGE),
              "there is no op, source, sampler, codec or config section 'shufle'; did you mean "
              "'shuffle'?");
    EXPECT_EQ(
        describe("ops", nullptr, "text", MR_E_USAGE),
        "there is no kind 'ops'; did you mean 'op'?; kinds are config, source, sampler, op, codec");
    EXPECT_EQ(describe(nullptr, nullptr, "html", MR_E_USAGE),
              "there is no format 'html'; formats are text, json, schema, markdown");
    EXPECT_EQ(describe("op", nullptr, "schema", MR_E_USAGE),
              "a schema is made of the whole config or of one op: give its name");
}

// What is listed can be described, in every format, through the public call.
TEST(Describe, EveryRealTable)
{
    for (int kind = 0; kind < MR_KIND_COUNT; kind++) {
        const mr_desc *d;
        for (size_t i = 0; (d = mr__kind_at(&mr__tables, (mr_kind)kind, i)); i++)
            for (const char *format : {"text", "json", "markdown", "schema"}) {
                char *text = nullptr;
                ASSERT_EQ(mr_describe(mr__kind_name((mr_kind)kind), d->name, format, &text), MR_OK)
                    << d->name;
                for (const mr_opt *o = d->opts; o && o->name; o++) {
                    EXPECT_NE(strstr(text, o->name), nullptr) << d->name << "." << o->name;
                    EXPECT_TRUE(strcmp(format, "text") || strstr(text, o->help))
                        << d->name << "." << o->name << ": " << text;
                }
                mr_free(text);
            }
    }
}
