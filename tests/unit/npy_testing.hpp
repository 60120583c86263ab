// SPDX-License-Identifier: Apache-2.0
//
// npy_testing.hpp: .npy files and .npz archives as bytes, good ones and any others.
#ifndef NPY_TESTING_HPP
#define NPY_TESTING_HPP

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

// Little-endian, as all numbers of these formats.
inline std::string le(uint64_t v, int bytes)
{
    std::string s;
    for (int i = 0; i < bytes; i++)
        s += i < 8 ? (char)(v >> 8 * i) : (char)0;
    return s;
}

// A file whose header is this text, whatever it is.
inline std::string npy_with(const std::string &header, const std::string &numbers, int major = 1)
{
    return std::string("\x93NUMPY", 6) + (char)major + '\0' +
           le(header.size(), major == 1 ? 2 : 4) + header + numbers;
}

// As NumPy writes it: "<f4", "(3, 4)".
inline std::string npy(const std::string &type, const std::string &shape,
                       const std::string &numbers, const std::string &order = "False")
{
    std::string header =
        "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
    header.append(64 - (10 + header.size() + 1) % 64, ' ');
    return npy_with(header + "\n", numbers);
}

template <typename T> std::string bytes_of_numbers(const std::vector<T> &v)
{
    return std::string((const char *)v.data(), v.size() * sizeof(T));
}

// 0, 1, 2 ... as T.
template <typename T> std::string counted(size_t n, size_t first = 0)
{
    std::vector<T> v(n);
    for (size_t i = 0; i < n; i++)
        v[i] = (T)(first + i);
    return bytes_of_numbers(v);
}

struct ZipMember {
    std::string name, content;
    int method = 0, flags = 0;
    bool wide = false; // sizes and place in the ZIP64 field
};

// An archive of members, stored. What `wide_end` says of all, a ZIP64 record says.
inline std::string zip(const std::vector<ZipMember> &members, bool wide_end = false,
                       const std::string &comment = "")
{
    std::string file, directory;
    for (const ZipMember &m : members) {
        size_t at = file.size(), n = m.content.size();
        std::string local = m.wide ? le(1, 2) + le(16, 2) + le(n, 8) + le(n, 8) : "";
        std::string central =
            m.wide ? le(7, 2) + le(0, 2) + le(1, 2) + le(24, 2) + le(n, 8) + le(n, 8) + le(at, 8)
                   : "";
        auto sizes = [&] {
            return le(m.wide ? UINT32_MAX : n, 4) + le(m.wide ? UINT32_MAX : n, 4);
        };
        std::string both = le(20, 2) + le((uint64_t)m.flags, 2) + le((uint64_t)m.method, 2) +
                           le(0, 8) + sizes() + le(m.name.size(), 2);
        file += le(0x04034b50, 4) + both + le(local.size(), 2) + m.name + local + m.content;
        directory += le(0x02014b50, 4) + le(20, 2) + both + le(central.size(), 2) + le(0, 10) +
                     le(m.wide ? UINT32_MAX : at, 4) + m.name + central;
    }
    size_t at = file.size(), n = members.size();
    file += directory;
    if (wide_end) {
        size_t record = file.size();
        file += le(0x06064b50, 4) + le(44, 8) + le(45, 4) + le(0, 8) + le(n, 8) + le(n, 8) +
                le(directory.size(), 8) + le(at, 8);
        file += le(0x07064b50, 4) + le(0, 4) + le(record, 8) + le(1, 4);
    }
    return file + le(0x06054b50, 4) + le(0, 4) + le(wide_end ? 65535 : n, 2) +
           le(wide_end ? 65535 : n, 2) + le(wide_end ? UINT32_MAX : directory.size(), 4) +
           le(wide_end ? UINT32_MAX : at, 4) + le(comment.size(), 2) + comment;
}

#endif
