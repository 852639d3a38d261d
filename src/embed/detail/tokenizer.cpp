#include "embed/detail/tokenizer.hpp"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <algorithm>

#include "core/error.hpp"

namespace decant::embed::detail {

Tokenizer::Tokenizer(const std::filesystem::path& file)
    : model_{std::make_unique<sentencepiece::SentencePieceProcessor>()} {
    const auto status = model_->Load(file.string());
    if (!status.ok()) {
        throw Error{ErrorCode::config_invalid,
                    fmt::format("The tokenizer {} cannot be read: {}", file.string(), status.message()),
                    "remove .deps/models and run scripts/setup"};
    }
    padding_ = std::max(model_->pad_id(), 0);
}

Tokenizer::~Tokenizer() = default;

Tokens Tokenizer::encode(std::string_view text, std::size_t most) const {
    const std::vector<int> pieces = model_->EncodeAsIds({text.data(), text.size()});
    const std::size_t kept = std::min(pieces.size(), most - 2);
    Tokens tokens{.ids = {model_->bos_id()}, .cut = pieces.size() - kept};
    tokens.ids.insert(tokens.ids.end(), pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(kept));
    tokens.ids.push_back(model_->eos_id());
    return tokens;
}

}  // namespace decant::embed::detail
