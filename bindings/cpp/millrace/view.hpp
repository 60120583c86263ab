// SPDX-License-Identifier: Apache-2.0
//
// millrace/view.hpp: a typed look at a field of a batch.
#ifndef MILLRACE_VIEW_HPP
#define MILLRACE_VIEW_HPP

#include <millrace/error.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

namespace millrace
{

// The 16 bits of a float16 or bfloat16 element, as they are stored.
struct float16 {
    std::uint16_t bits;
};
struct bfloat16 {
    std::uint16_t bits;
};

// The dtype of a C++ type; only those of a field have one.
template <class T> struct dtype_of;
template <> struct dtype_of<std::uint8_t> : std::integral_constant<mr_dtype, MR_U8> {
};
template <> struct dtype_of<std::int16_t> : std::integral_constant<mr_dtype, MR_I16> {
};
template <> struct dtype_of<std::uint16_t> : std::integral_constant<mr_dtype, MR_U16> {
};
template <> struct dtype_of<std::int32_t> : std::integral_constant<mr_dtype, MR_I32> {
};
template <> struct dtype_of<std::int64_t> : std::integral_constant<mr_dtype, MR_I64> {
};
template <> struct dtype_of<float16> : std::integral_constant<mr_dtype, MR_F16> {
};
template <> struct dtype_of<bfloat16> : std::integral_constant<mr_dtype, MR_BF16> {
};
template <> struct dtype_of<float> : std::integral_constant<mr_dtype, MR_F32> {
};
template <> struct dtype_of<double> : std::integral_constant<mr_dtype, MR_F64> {
};

// A typed look at a field, or at a part of one: it owns nothing and is good until the batch is
// released. Copy it freely.
template <class T> class view
{
  public:
    // Throws MR_E_USAGE when the tensor's elements are no T.
    explicit view(const mr_tensor &tensor) : tensor_(tensor)
    {
        if (tensor.dtype != dtype_of<std::remove_const_t<T>>::value)
            throw error(MR_E_USAGE, std::string("field '") + tensor.name + "' holds " +
                                        mr_dtype_name(tensor.dtype) + ", not " +
                                        mr_dtype_name(dtype_of<std::remove_const_t<T>>::value));
    }
    T *data() const noexcept
    {
        return static_cast<T *>(tensor_.data);
    }
    std::size_t ndim() const noexcept
    {
        return static_cast<std::size_t>(tensor_.ndim);
    }
    std::int64_t shape(std::size_t dim) const noexcept
    {
        return tensor_.shape[dim];
    }
    std::vector<std::int64_t> shape() const
    {
        return {tensor_.shape, tensor_.shape + tensor_.ndim};
    }
    // In bytes, as the C API has them.
    std::int64_t stride(std::size_t dim) const noexcept
    {
        return tensor_.strides[dim];
    }
    // In elements, as libtorch has them.
    std::vector<std::int64_t> element_strides() const
    {
        std::vector<std::int64_t> strides(tensor_.strides, tensor_.strides + tensor_.ndim);
        for (auto &stride : strides)
            stride /= static_cast<std::int64_t>(sizeof(T));
        return strides;
    }
    // Number of elements.
    std::int64_t size() const noexcept
    {
        std::int64_t n = 1;
        for (std::size_t i = 0; i < ndim(); i++)
            n *= shape(i);
        return n;
    }
    // The element at as many indices as there are dimensions; unchecked, as a C array's.
    template <class... Index> T &operator()(Index... index) const noexcept
    {
        const std::int64_t at[] = {static_cast<std::int64_t>(index)...};
        return *element(at, sizeof...(index));
    }
    // The same, but throws std::out_of_range for a wrong number of indices or one outside of the
    // shape.
    template <class... Index> T &at(Index... index) const
    {
        const std::int64_t at[] = {static_cast<std::int64_t>(index)...};
        bool inside = sizeof...(index) == ndim();
        for (std::size_t i = 0; inside && i < ndim(); i++)
            inside = at[i] >= 0 && at[i] < shape(i);
        if (!inside)
            throw std::out_of_range(std::string("index outside of field '") + tensor_.name + "'");
        return *element(at, sizeof...(index));
    }
    // What lies at an index of the first dimension: of a batch, a row. ndim() must be over 1.
    view operator[](std::int64_t index) const noexcept
    {
        view part = *this;
        part.tensor_.data = bytes() + index * stride(0);
        part.tensor_.counts = nullptr;
        part.tensor_.ndim--;
        for (std::size_t i = 0; i < part.ndim(); i++) {
            part.tensor_.shape[i] = tensor_.shape[i + 1];
            part.tensor_.strides[i] = tensor_.strides[i + 1];
        }
        return part;
    }
    // Ragged fields: entries in use of a row. Other fields: all of them.
    std::int64_t count(std::int64_t row) const noexcept
    {
        return tensor_.counts ? tensor_.counts[row] : ndim() > 1 ? shape(1) : 1;
    }
    const mr_tensor &tensor() const noexcept
    {
        return tensor_;
    }

  private:
    char *bytes() const noexcept
    {
        return static_cast<char *>(tensor_.data);
    }
    T *element(const std::int64_t *at, std::size_t n) const noexcept
    {
        std::int64_t offset = 0;
        for (std::size_t i = 0; i < n; i++)
            offset += at[i] * tensor_.strides[i];
        return reinterpret_cast<T *>(bytes() + offset);
    }
    mr_tensor tensor_;
};

} // namespace millrace

#endif
