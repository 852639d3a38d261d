#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace decant::embed::detail {

struct Tokens {
    std::vector<std::int64_t> ids;  ///< the mark of the beginning, the pieces, the mark of the end
    std::size_t cut = 0;            ///< pieces that were left out
};

/// A SentencePiece model. Any number of threads.
class Tokenizer {
public:
    /// Throws Error{config_invalid} naming `file` when it is no such model.
    explicit Tokenizer(const std::filesystem::path& file);
    ~Tokenizer();

    /// At most `most` ids.
    Tokens encode(std::string_view text, std::size_t most) const;
    std::int64_t padding() const noexcept { return padding_; }

private:
    std::unique_ptr<sentencepiece::SentencePieceProcessor> model_;
    std::int64_t padding_ = 0;
};

}  // namespace decant::embed::detail
