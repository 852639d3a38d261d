#include "chat/detail/llm_stream.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace decant::chat::detail;

void require(bool holds) {
    if (!holds) std::abort();
}

template <typename Stream>
void read(std::string_view bytes, std::size_t size) {
    std::size_t shown = 0;
    Stream stream{[&](std::string_view piece, bool) { shown += piece.size(); }};
    bool goes_on = true;
    for (std::size_t at = 0; goes_on && at < bytes.size(); at += size)
        goes_on = stream.take(bytes.substr(at, size));
    if (goes_on) stream.finish();
    require(!stream.is_done() || stream.fault() == StreamFault::none);
    require(stream.reply().text.size() <= std::min({shown, bytes.size(), LlmStream::most_answer_bytes}));
    require(stream.words().size() <= 4 * 300);
}

}  // namespace

/// Whatever a server sends, in pieces of whatever size: an answer no longer than it, or a fault.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] % 32U + 1U;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    read<OllamaStream>(bytes, piece);
    read<OpenaiStream>(bytes, piece);
    static_cast<void>(error_words(bytes));
    return 0;
}
