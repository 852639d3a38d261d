#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "embed/embedder.hpp"

namespace decant::embed {

/// Where the embedded models are: `named` (DECANT_MODEL_DIR) if there is one, else of the nearest folder above this
/// program that has it .deps/models, which scripts/setup fills, or share/decant/models, which a package does.
/// Throws Error{config_invalid} when there is none.
std::filesystem::path find_model_folder(const std::optional<std::string>& named);

/// What is installed there as `model`, with its weights' digest; none when it is not. The digest is that of the list of
/// the digests of all its files, which set-up has checked.
std::optional<Model> find_installed(const std::filesystem::path& folder, const Model& model);

}  // namespace decant::embed
