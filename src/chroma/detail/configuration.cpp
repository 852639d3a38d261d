#include "chroma/detail/configuration.hpp"

#include <fmt/format.h>

namespace decant::chroma::detail {

std::optional<Space> parse_space(std::string_view name) {
    return catalog::space_names.find(name);
}

std::string describe_function(const Json* function) {
    if (function == nullptr || function->find("name") == nullptr || function->find("name")->text() == nullptr) {
        return {};
    }
    std::string description = *function->find("name")->text();
    const Json* config = function->find("config");
    const Json* model = config != nullptr ? config->find("model_name") : nullptr;
    if (model != nullptr && model->text() != nullptr) {
        description += fmt::format(" ({})", *model->text());
    }
    return description;
}

}  // namespace decant::chroma::detail
