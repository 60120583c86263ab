// SPDX-License-Identifier: Apache-2.0
//
// millrace/millrace.hpp: the C API for C++17: batches and loaders that clean up after themselves,
// typed views of fields, range-for, exceptions. Header only; what is done is done by C calls.
//
//     millrace::options options;
//     options.set = {"batch.size=64", "seed=1"};
//     millrace::loader loader("train.yaml", options);
//     for (auto &batch : loader) { // every batch of the run; released behind the body
//         auto x = batch.field<float>("image"); // the memory that the producers wrote
//         auto y = batch.field<std::int64_t>("label");
//         train_step(x.data(), x.shape(), y(0));
//     }
//
// libtorch takes a field without a copy; the batch must stay leased while the tensor is in use:
//
//     auto t = torch::from_blob(x.data(), x.shape(), x.element_strides(), torch::kFloat32);
#ifndef MILLRACE_MILLRACE_HPP
#define MILLRACE_MILLRACE_HPP

#include <millrace/batch.hpp>
#include <millrace/error.hpp>
#include <millrace/loader.hpp>
#include <millrace/options.hpp>
#include <millrace/view.hpp>

#endif
