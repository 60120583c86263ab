// SPDX-License-Identifier: Apache-2.0
//
// Patches through running loaders: whole images come back out of their windows, the stream does not
// depend on who makes it, and bad files, wrong sizes and images without room are told of.
#include "loader_testing.hpp"

#include "../unit/png_testing.h"
#include "../unit/temp_tree.hpp"

#include <map>

namespace
{

struct Image {
    Picture pixels, mask;
};

Picture make_mask(int w, int h)
{
    Picture p{w, h, 1, Bytes(size_t(w) * h)};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            p.pixels[size_t(y) * w + x] = uint8_t(x < w / 2 ? 0 : 1 + (x / 7 + y / 5) % 3);
    return p;
}

std::string text(const Bytes &b)
{
    return std::string(b.begin(), b.end());
}

// Images of 60 x 40 to 120 x 80 in both formats, their masks and a box each; a manifest over all.
class Slides : public ::testing::Test
{
  protected:
    TempTree tree;
    std::vector<Image> images;
    std::string manifest = "image,mask,label:i64,boxes:f32[4]\n";

    void add(const std::string &name, const Picture &shown, const Bytes &file)
    {
        Picture mask = make_mask(shown.w, shown.h);
        tree.file("images/all/" + name, text(file));
        tree.file("masks/" + name + ".png", text(encode_png(mask)));
        manifest += "images/all/" + name + ",masks/" + name + ".png," +
                    std::to_string(images.size()) + ",\"10 10 30 30\"\n";
        images.push_back({shown, mask});
    }
    void SetUp() override
    {
        Picture a = make_picture(120, 80, 3, 1), b = make_picture(60, 80, 3, 2),
                c = make_picture(60, 40, 3, 3);
        JpegOptions half, turned;
        half.h_samp = half.v_samp = 2;
        turned.exif = exif_block(6);
        Bytes jpeg = encode_jpeg(a, half);
        Bytes on_its_side = encode_jpeg(make_picture(80, 60, 3), turned);
        add("a.jpg", golden_jpeg(jpeg), jpeg);
        add("b.png", b, encode_png(b));
        add("c.png", c, encode_png(c));
        add("d.jpg", turn_picture(golden_jpeg(on_its_side), 6), on_its_side);
        tree.file("manifest.csv", manifest);
    }
    std::string config(const std::string &sampler, const std::string &more = "",
                       const std::string &ops = "")
    {
        return "version: 1\nseed: 5\n" + more +
               "batch: {size: 4}\nsource: {type: manifest, path: " + tree.path("manifest.csv") +
               "}\nsampler: {type: patch, " + sampler + "}\n" + ops +
               "fields:\n  image: {dtype: uint8, layout: NHWC}\n  mask: {dtype: uint8}\n"
               "  window: {}\n  boxes: {max: 4}\n  label: {dtype: int64}\n";
    }
};

// Puts a batch's windows back into images.
void paste(mr_batch *b, std::vector<Image> *images, int *rows)
{
    const mr_tensor *image = mr_field(b, "image"), *mask = mr_field(b, "mask");
    const mr_tensor *window = mr_field(b, "window"), *label = mr_field(b, "label");
    ASSERT_EQ(window->dtype, MR_I32);
    ASSERT_EQ(window->shape[1], 4);
    for (int64_t row = 0; row < image->shape[0]; row++) {
        const int32_t *v = (const int32_t *)window->data + 4 * row;
        Image &to = images->at(size_t(((const int64_t *)label->data)[row]));
        ASSERT_EQ(v[2], image->shape[2]);
        ASSERT_EQ(v[3], image->shape[1]);
        for (int y = 0; y < v[3]; y++) {
            size_t at = size_t(v[1] + y) * size_t(to.mask.w) + size_t(v[0]);
            memcpy(&to.pixels.pixels[3 * at],
                   (const uint8_t *)image->data + row * image->strides[0] + y * image->strides[1],
                   size_t(3 * v[2]));
            memcpy(&to.mask.pixels[at],
                   (const uint8_t *)mask->data + row * mask->strides[0] + y * mask->strides[1],
                   size_t(v[2]));
        }
        ++*rows;
    }
}

} // namespace

TEST_F(Slides, AGridsPatchesAreTheWholeImages)
{
    for (const char *shuffle : {"true", "false"}) {
        Loader l(config("size: 20, mode: grid, shuffle: " + std::string(shuffle)));
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        std::vector<Image> out = images;
        for (Image &image : out) {
            std::fill(image.pixels.pixels.begin(), image.pixels.pixels.end(), 0);
            std::fill(image.mask.pixels.begin(), image.mask.pixels.end(), 0);
        }
        int rows = 0, rc;
        mr_batch *b;
        while ((rc = mr_next(l.handle, &b, 30000)) >= 0 && rc != MR_END) {
            if (rc != MR_END_EPOCH) {
                paste(b, &out, &rows);
                mr_release(b);
            }
        }
        ASSERT_EQ(rc, MR_END) << mr_error(l.handle);
        EXPECT_EQ(rows, 24 + 12 + 6 + 12);
        for (size_t i = 0; i < images.size(); i++) {
            EXPECT_EQ(out[i].pixels.pixels, images[i].pixels.pixels) << i;
            EXPECT_EQ(out[i].mask.pixels, images[i].mask.pixels) << i;
        }
    }
}

TEST_F(Slides, BoxesFollowTheirWindow)
{
    Loader l(config("size: 20, mode: grid, shuffle: false"));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    mr_batch *b;
    ASSERT_GE(mr_next(l.handle, &b, 30000), 0) << mr_error(l.handle);
    const mr_tensor *boxes = mr_field(b, "boxes"); // 10 10 30 30 of image 0, windows 0 to 3
    const float *v = (const float *)boxes->data;
    EXPECT_EQ(std::vector<uint32_t>(boxes->counts, boxes->counts + 4),
              (std::vector<uint32_t>{1, 1, 0, 0}));
    EXPECT_EQ(std::vector<float>(v, v + 4), (std::vector<float>{10, 10, 20, 20}));
    EXPECT_EQ(std::vector<float>(v + 16, v + 20), (std::vector<float>{0, 10, 10, 20}));
    mr_release(b);
}

TEST_F(Slides, TheStreamIsTheSameForAnyProducersAndAfterAResume)
{
    const char *const samplers[] = {"size: 24, mode: grid, overlap: 4",
                                    "size: 24, per_image: 5",
                                    "size: 24, per_image: 5, min_coverage: 0.7",
                                    "size: 24, mode: grid, stride: 10, min_coverage: 0.7",
                                    "size: [24, 32], per_image: 5, weight: area"};
    for (const char *sampler : samplers) {
        std::string text = config(sampler, "epochs: 2\n", "ops:\n  - random_horizontal_flip\n");
        Loader one(text, {"producers=1"});
        ASSERT_EQ(one.rc, MR_OK) << one.error;
        std::vector<Delivered> all = one.read();
        ASSERT_EQ(one.rc, MR_END) << one.error;
        Loader three(text, {"producers=3", "slots=2"});
        EXPECT_EQ(three.read(), all) << sampler;
        Loader first(text);
        EXPECT_EQ(first.read(3), std::vector<Delivered>(all.begin(), all.begin() + 3));
        Loader rest(text, {"producers=2"}, first.state().c_str());
        ASSERT_EQ(rest.rc, MR_OK) << rest.error;
        EXPECT_EQ(rest.read(), std::vector<Delivered>(all.begin() + 3, all.end())) << sampler;
    }
}

TEST_F(Slides, ImagesWithoutRoomAreLeftOutAndToldOf)
{
    tree.file("images/all/e.png", "no image");
    Loader l(config("size: [50, 60], per_image: 4", "", ""), {});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::map<uint64_t, int> count;
    for (const Delivered &d : l.read())
        for (uint64_t id : d.ids)
            count[id]++;
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(count, (std::map<uint64_t, int>{{0, 4}, {1, 4}, {3, 4}}));
    int told = 0;
    for (const std::string &line : l.log)
        told += line.find("leaves out 1 of 4") != std::string::npos &&
                line.find("c.png") != std::string::npos;
    EXPECT_EQ(told, 1);
    Loader none(config("size: 500"));
    EXPECT_EQ(none.rc, MR_E_CONFIG);
    EXPECT_NE(none.error.find("500 x 500"), std::string::npos) << none.error;
    EXPECT_NE(none.error.find("120 x 80"), std::string::npos) << none.error;
}

TEST_F(Slides, AFolderIsProbedToo)
{
    tree.file("images/all/e.png", "no image");
    Loader l("version: 1\nbatch: {size: 4}\nsource: {type: folder, path: " + tree.path("images") +
             "}\nsampler: {type: patch, size: 20, mode: grid}\n");
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    size_t rows = 0;
    for (const Delivered &d : l.read())
        rows += d.ids.size();
    EXPECT_EQ(rows, 54u);
}

// Sizes that the manifest says are believed; what is wrong with them is bad data.
TEST_F(Slides, AWrongSizeIsABadSampleWithASentence)
{
    tree.file("sized.csv", "image,label:i64,width:i32,height:i32\n"
                           "images/all/a.jpg,0,120,80\nimages/all/c.png,1,100,60\n");
    std::string text = "version: 1\nbatch: {size: 4}\nsource: {type: manifest, path: " +
                       tree.path("sized.csv") +
                       "}\nsampler: {type: patch, size: 20, mode: grid, shuffle: false}\n"
                       "max_bad: 100%\n";
    Loader l(text);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    size_t rows = 0, valid = 0;
    for (const Delivered &d : l.read()) {
        rows += d.ids.size();
        valid += size_t(d.valid);
    }
    ASSERT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(rows, 24u + 15);
    EXPECT_EQ(valid, rows) << "every bad row has a substitute";
    Loader fail(text, {"on_error=fail"});
    fail.read();
    EXPECT_EQ(fail.rc, MR_E_DATA);
    for (const char *word : {"c.png", "60 x 40", "20 x 20 at (60, 0)", "is not inside its"})
        EXPECT_NE(fail.error.find(word), std::string::npos) << fail.error;
}

// The masks are 0 in their left half.
TEST_F(Slides, WindowsWithoutMaskAreLeftOut)
{
    for (const char *context : {"spawn", "fork"}) {
        Loader l(config("size: 20, mode: grid, min_coverage: 0.6"),
                 {std::string("context=") + context});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        mr_batch *b;
        int rc, rows = 0;
        while ((rc = mr_next(l.handle, &b, 30000)) >= 0 && rc != MR_END) {
            if (rc == MR_END_EPOCH)
                continue;
            const mr_tensor *mask = mr_field(b, "mask");
            for (int64_t row = 0; row < mask->shape[0]; row++, rows++) {
                const uint8_t *v = (const uint8_t *)mask->data + row * mask->strides[0];
                EXPECT_GE(400 - std::count(v, v + 400, 0), 240);
            }
            mr_release(b);
        }
        EXPECT_EQ(rc, MR_END) << mr_error(l.handle);
        EXPECT_EQ(rows, 3 * 4 + 4 + 2 + 4) << "half windows of images 60 wide have half";
    }
    Loader few(config("size: 20, min_coverage: 0.6", "", ""),
               {"source={type: folder, path: " + tree.path("images") + "}",
                "fields={image: {}, label: {}}"});
    EXPECT_EQ(few.rc, MR_E_CONFIG);
    EXPECT_NE(few.error.find("'mask'"), std::string::npos) << few.error;
}

TEST_F(Slides, TheFieldWindowTakesNothingButADtype)
{
    Loader halves(config("size: 20"), {"fields.window={dtype: float32}"});
    EXPECT_EQ(halves.rc, MR_OK) << halves.error;
    Loader shaped(config("size: 20"), {"fields.window={shape: [4]}"});
    EXPECT_EQ(shaped.rc, MR_E_CONFIG);
    EXPECT_NE(shaped.error.find("'window'"), std::string::npos) << shaped.error;
    Loader none(config("size: 20"), {"sampler={type: shuffle}", "fields.window={dtype: int32}",
                                     "ops=[{center_crop: {size: 20}}]"});
    EXPECT_EQ(none.rc, MR_E_CONFIG) << "without patches it is a column, which is not there";
}

TEST_F(Slides, AForkedLoaderCutsTheSameWindows)
{
    std::string text = config("size: 20, mode: grid");
    Loader one(text), other(text, {"context=fork"});
    std::vector<Delivered> all = one.read();
    ASSERT_EQ(all.size(), 14u) << one.error;
    EXPECT_EQ(other.read(), all);
}
