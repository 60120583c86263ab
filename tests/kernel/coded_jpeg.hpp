// SPDX-License-Identifier: Apache-2.0
// Baseline JPEG files with any coefficients at all, for tests: libjpeg's own writer refuses those
// that no encoder should make.
#ifndef MR_TESTS_CODED_JPEG_HPP
#define MR_TESTS_CODED_JPEG_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace coded
{

// Natural positions in zigzag order.
inline const std::array<uint8_t, 64> natural = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

struct Component {
    int h = 1, v = 1;
    std::array<uint16_t, 64> quant{};             // natural order
    std::vector<std::array<int16_t, 64>> block{}; // natural order, [blocks_down][blocks_across]
    int blocks_across = 0, blocks_down = 0;       // whole MCUs; see shape()
    int w = 0, rows = 0;                          // samples
};

struct Jpeg {
    int w = 1, h = 1;
    std::vector<Component> component;
    int restart = 0;   // MCUs between restart markers; 0: none
    int dc_sizes = 16; // sizes of DC differences in the table, from 0 bits on; pictures have 12

    int max_h() const;
    int max_v() const;
    // Sizes of all components, from w, h and the sampling factors; makes the blocks, all zero. A
    // single component has no MCUs, so only the blocks that its samples need.
    void shape();
    // The file. AC coefficients must be -32767 to 32767, neighbouring DC ones no further apart.
    std::vector<uint8_t> bytes() const;
    // Sampling and size.
    std::string text() const;
};

inline int over(int a, int b)
{
    return (a + b - 1) / b;
}

// Every symbol has a code of the same length, its place in the table: 5 bits for DC (sizes 0 to
// 15), 8 bits for AC (run and size; end of block; sixteen zeros).
inline int ac_code(int run, int size)
{
    return size == 0 ? (run == 15 ? 1 : 0) : 2 + run * 15 + size - 1;
}

class Bits
{
  public:
    explicit Bits(std::vector<uint8_t> &to) : out(to)
    {
    }
    void put(uint32_t value, int n)
    {
        for (int i = n - 1; i >= 0; i--) {
            byte = byte << 1 | (value >> i & 1);
            if (++filled == 8)
                flush();
        }
    }
    void pad()
    {
        while (filled)
            put(1, 1);
    }

  private:
    void flush()
    {
        out.push_back(static_cast<uint8_t>(byte));
        if ((byte & 0xff) == 0xff)
            out.push_back(0);
        byte = 0;
        filled = 0;
    }
    std::vector<uint8_t> &out;
    uint32_t byte = 0;
    int filled = 0;
};

inline int size_of(int v)
{
    int n = 0;

    for (unsigned a = static_cast<unsigned>(std::abs(v)); a; a >>= 1)
        n++;
    return n;
}

inline void put_value(Bits &bits, int v, int size)
{
    bits.put(static_cast<uint32_t>(v < 0 ? v - 1 : v), size);
}

inline void put_block(Bits &bits, const std::array<int16_t, 64> &block, int &dc)
{
    int difference = block[0] - dc, run = 0, size = size_of(difference);

    dc = block[0];
    bits.put(static_cast<uint32_t>(size), 5);
    put_value(bits, difference, size);
    for (size_t k = 1; k < 64; k++) {
        int v = block[natural[k]];
        if (v == 0) {
            run++;
            continue;
        }
        for (; run > 15; run -= 16)
            bits.put(static_cast<uint32_t>(ac_code(15, 0)), 8);
        size = size_of(v);
        bits.put(static_cast<uint32_t>(ac_code(run, size)), 8);
        put_value(bits, v, size);
        run = 0;
    }
    if (run > 0)
        bits.put(static_cast<uint32_t>(ac_code(0, 0)), 8);
}

inline void marker(std::vector<uint8_t> &out, int code, const std::vector<uint8_t> &body)
{
    size_t n = body.size() + 2;

    out.insert(out.end(), {0xff, static_cast<uint8_t>(code), static_cast<uint8_t>(n >> 8),
                           static_cast<uint8_t>(n)});
    out.insert(out.end(), body.begin(), body.end());
}

inline void tables(std::vector<uint8_t> &out, int dc_sizes)
{
    std::vector<uint8_t> dc(17), ac(17);

    dc[5] = static_cast<uint8_t>(dc_sizes);
    for (int i = 0; i < dc_sizes; i++)
        dc.push_back(static_cast<uint8_t>(i));
    ac[0] = 0x10;
    ac[8] = 242;
    ac.insert(ac.end(), {0x00, 0xf0});
    for (int run = 0; run < 16; run++)
        for (int size = 1; size < 16; size++)
            ac.push_back(static_cast<uint8_t>(run << 4 | size));
    marker(out, 0xc4, dc);
    marker(out, 0xc4, ac);
}

inline int Jpeg::max_h() const
{
    int most = 1;

    for (const Component &c : component)
        most = std::max(most, c.h);
    return most;
}

inline int Jpeg::max_v() const
{
    int most = 1;

    for (const Component &c : component)
        most = std::max(most, c.v);
    return most;
}

inline void Jpeg::shape()
{
    int across = over(w, 8 * max_h()), down = over(h, 8 * max_v());

    for (Component &c : component) {
        c.w = over(w * c.h, max_h());
        c.rows = over(h * c.v, max_v());
        c.blocks_across = component.size() > 1 ? across * c.h : over(c.w, 8);
        c.blocks_down = component.size() > 1 ? down * c.v : over(c.rows, 8);
        c.block.assign(static_cast<size_t>(c.blocks_across * c.blocks_down), {});
    }
}

inline std::vector<uint8_t> Jpeg::bytes() const
{
    std::vector<uint8_t> out = {0xff, 0xd8}, frame, scan;
    auto two = [](std::vector<uint8_t> &to, int v) {
        to.insert(to.end(), {static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)});
    };
    auto low = [](int v) { return static_cast<uint8_t>(v); };

    frame.push_back(8);
    two(frame, h);
    two(frame, w);
    frame.push_back(low(static_cast<int>(component.size())));
    scan.push_back(low(static_cast<int>(component.size())));
    for (size_t i = 0; i < component.size(); i++) {
        const Component &c = component[i];
        int id = static_cast<int>(i);
        std::vector<uint8_t> dqt = {low(0x10 | id)};
        for (uint8_t at : natural)
            two(dqt, c.quant[at]);
        marker(out, 0xdb, dqt);
        frame.insert(frame.end(), {low(id + 1), low(c.h << 4 | c.v), low(id)});
        scan.insert(scan.end(), {low(id + 1), 0});
    }
    marker(out, 0xc0, frame);
    tables(out, dc_sizes);
    if (restart)
        marker(out, 0xdd, {low(restart >> 8), low(restart)});
    scan.insert(scan.end(), {0, 63, 0});
    marker(out, 0xda, scan);

    Bits bits(out);
    std::array<int, 4> dc{};
    bool one = component.size() == 1;
    int h0 = one ? 1 : component[0].h, v0 = one ? 1 : component[0].v;
    int across = component[0].blocks_across / h0, down = component[0].blocks_down / v0;
    for (int mcu = 0; mcu < across * down; mcu++) {
        if (restart && mcu && mcu % restart == 0) {
            bits.pad();
            out.insert(out.end(), {0xff, low(0xd0 + (mcu / restart - 1) % 8)});
            dc = {};
        }
        for (size_t i = 0; i < component.size(); i++) {
            const Component &c = component[i];
            int ch = one ? 1 : c.h, cv = one ? 1 : c.v;
            for (int k = 0; k < ch * cv; k++) {
                int y = mcu / across * cv + k / ch, x = mcu % across * ch + k % ch;
                put_block(bits, c.block[static_cast<size_t>(y * c.blocks_across + x)], dc[i]);
            }
        }
    }
    bits.pad();
    out.insert(out.end(), {0xff, 0xd9});
    return out;
}

inline std::string Jpeg::text() const
{
    std::string text;

    for (const Component &c : component)
        text += std::to_string(c.h) + "x" + std::to_string(c.v) + " ";
    return text + std::to_string(w) + " x " + std::to_string(h);
}

// Sampling factors that libjpeg takes: whole ratios, 10 blocks in an MCU at most.
inline bool sampling_ok(const Jpeg &jpeg)
{
    int blocks = 0;

    for (const Component &c : jpeg.component) {
        blocks += c.h * c.v;
        if (jpeg.max_h() % c.h || jpeg.max_v() % c.v)
            return false;
    }
    return blocks <= 10;
}

// One component, and every sampling of three that libjpeg takes.
inline std::vector<Jpeg> all_samplings()
{
    std::vector<Jpeg> all(1);

    all[0].component.resize(1);
    for (int f = 0; f < 4096; f++) {
        Jpeg jpeg;
        for (int i = 0; i < 3; i++) {
            Component c;
            c.h = 1 + (f >> (4 * i) & 3);
            c.v = 1 + (f >> (4 * i + 2) & 3);
            jpeg.component.push_back(c);
        }
        if (sampling_ok(jpeg))
            all.push_back(jpeg);
    }
    return all;
}

} // namespace coded

#endif
