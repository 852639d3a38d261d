#include "embed/model_folder.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "core/error.hpp"

namespace decant::embed {
namespace {

namespace fs = std::filesystem;

}  // namespace

fs::path find_model_folder(const std::optional<std::string>& named) {
    std::error_code failed;
    if (named) {
        if (fs::is_directory(*named, failed)) return fs::absolute(*named);
        throw Error{ErrorCode::config_invalid, fmt::format("DECANT_MODEL_DIR '{}' is no folder", *named),
                    "correct or unset DECANT_MODEL_DIR; scripts/setup makes the models"};
    }
    const fs::path self = fs::read_symlink("/proc/self/exe", failed);
    for (fs::path folder = self.parent_path(); !folder.empty(); folder = folder.parent_path()) {
        for (const char* place : {".deps/models", "share/decant/models"}) {
            if (fs::is_directory(folder / place, failed)) return folder / place;
        }
        if (folder == folder.root_path()) break;
    }
    throw Error{
        ErrorCode::config_invalid,
        fmt::format("The embedded models are not installed: no folder above {} has .deps/models or share/decant/models",
                    self.string()),
        "run scripts/setup, install the package decant-models, or set DECANT_MODEL_DIR to the folder of the models"};
}

std::optional<Model> find_installed(const fs::path& folder, const Model& model) {
    std::ifstream file{folder / model.name / "SHA256SUMS", std::ios::binary};
    const std::string sums{std::istreambuf_iterator<char>{file}, {}};
    if (sums.empty()) return std::nullopt;
    Model installed = model;
    installed.weights = hex(sha256(sums));
    return installed;
}

}  // namespace decant::embed
