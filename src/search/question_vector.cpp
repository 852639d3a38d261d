#include "search/question_vector.hpp"

#include "core/error.hpp"
#include "embed/checked_embedder.hpp"

namespace decant::search {

std::vector<float> question_vector(embed::Embedder& embedder, std::string_view text) {
    auto outcome = std::move(embed::CheckedEmbedder{embedder}.embed({&text, 1}, embed::Role::query).front());
    if (const auto* fault = std::get_if<embed::TextFault>(&outcome)) {
        throw Error{ErrorCode::request_invalid, "The text cannot be searched for: " + fault->reason,
                    "Give words to search for."};
    }
    return std::move(std::get<embed::TextVector>(outcome).values);
}

}  // namespace decant::search
