#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "embed/embedder.hpp"

namespace decant::embed {

struct LocalOptions {
    std::filesystem::path models;  ///< see find_model_folder
    std::string name = "multilingual-e5-small";
    unsigned threads = 0;     ///< 0: one a processor
    bool is_float32 = false;  ///< exactly, rather than as fast as vectors stay within 0.999 of these (cosine)
};

/// A model that runs in this process, on the processor. Its weights are mapped into memory by the first
/// embed(), which takes about a second; texts are run in batches of about equal length.
/// Throws Error{config_invalid} when the model is unknown, not installed or cannot be read.
std::unique_ptr<Embedder> open_local(const LocalOptions& options);

}  // namespace decant::embed
