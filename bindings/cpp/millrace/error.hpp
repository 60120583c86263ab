// SPDX-License-Identifier: Apache-2.0
//
// millrace/error.hpp: a C call that fails becomes an exception.
#ifndef MILLRACE_ERROR_HPP
#define MILLRACE_ERROR_HPP

#include <millrace/millrace.h>

#include <stdexcept>
#include <string>

namespace millrace
{

// What every function here throws when a C call fails: its sentence, and its code (MR_E_...).
class error : public std::runtime_error
{
  public:
    error(int code, const std::string &sentence) : std::runtime_error(sentence), code_(code)
    {
    }
    int code() const noexcept
    {
        return code_;
    }

  private:
    int code_;
};

// The one place that throws: passes codes that are no errors through.
inline int check(int code, const mr_loader *loader = nullptr)
{
    if (code < 0)
        throw error(code, mr_error(loader));
    return code;
}

} // namespace millrace

#endif
