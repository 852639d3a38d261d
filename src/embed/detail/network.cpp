#include "embed/detail/network.hpp"

#include <fmt/format.h>

#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "core/error.hpp"

namespace decant::embed::detail {
namespace {

/// Of the layers' inputs, as of their weights (scripts/models/to_ir.py). Larger groups cost more of the vectors than a
/// thousandth of their cosine to float32; docs/embedding.md has the figures.
constexpr std::uint64_t values_of_a_scale = 32;

}  // namespace

struct Network::Compiled {
    ov::Core core;
    ov::CompiledModel model;
    ov::InferRequest request;
};

Network::Network(const std::filesystem::path& file, NetworkOptions options) : compiled_{std::make_unique<Compiled>()} {
    try {
        // Without it some processors compute in bfloat16, and one index would hold vectors of two kinds.
        const ov::AnyMap settings{ov::hint::inference_precision(ov::element::f32),
                                  ov::hint::dynamic_quantization_group_size(options.is_float32 ? 0 : values_of_a_scale),
                                  ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                                  ov::inference_num_threads(static_cast<std::int32_t>(options.threads))};
        compiled_->model = compiled_->core.compile_model(file.string(), "CPU", settings);
        compiled_->request = compiled_->model.create_infer_request();
    } catch (const std::exception& failed) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("The model {} cannot be loaded: {}", file.string(), failed.what()),
                    "remove .deps/models and run scripts/setup"};
    }
}

Network::~Network() = default;

std::span<const float> Network::run(TokenBatch& batch) {
    try {
        const ov::Shape shape{batch.texts, batch.width};
        compiled_->request.set_tensor("input_ids", {ov::element::i64, shape, batch.ids.data()});
        compiled_->request.set_tensor("attention_mask", {ov::element::i64, shape, batch.mask.data()});
        compiled_->request.infer();
        const ov::Tensor output = compiled_->request.get_tensor("embedding");
        return {output.data<const float>(), output.get_size()};
    } catch (const std::exception& failed) {
        throw Error{ErrorCode::internal,
                    fmt::format("The embedded model failed on {} texts of {} tokens: {}", batch.texts, batch.width,
                                failed.what()),
                    "report it with the texts"};
    }
}

}  // namespace decant::embed::detail
