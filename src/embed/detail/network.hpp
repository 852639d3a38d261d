#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace decant::embed::detail {

/// Token ids of several texts, row by row, padded to one width; the mask is 1 where a text has a token.
struct TokenBatch {
    std::size_t texts = 0;
    std::size_t width = 0;
    std::vector<std::int64_t> ids;
    std::vector<std::int64_t> mask;
};

/// Who runs a graph, and how exactly.
struct NetworkOptions {
    unsigned threads = 1;
    bool is_float32 = false;  ///< else weights of 4 bits meet 8-bit integers, where the processor has such products
};

/// A model's graph and weights, compiled for this processor. One thread at a time.
class Network {
public:
    /// `file` is the graph in OpenVINO's form, its weights beside it. Throws Error{config_invalid} naming it.
    Network(const std::filesystem::path& file, NetworkOptions options);
    ~Network();

    /// The vectors row by row, until the next call. Throws Error{internal}.
    std::span<const float> run(TokenBatch& batch);

private:
    struct Compiled;
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace decant::embed::detail
