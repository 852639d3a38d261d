#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "embed/detail/embed_answer.hpp"
#include "embed/detail/pull_stream.hpp"

namespace {

using decant::embed::detail::EmbedAnswer;

/// A number takes a byte and a comma or bracket, a vector two brackets.
void require_no_more_than(std::size_t size, const std::optional<EmbedAnswer>& answer) {
    if (!answer) return;
    std::size_t content = answer->vectors.size();
    for (const auto& vector : answer->vectors)
        content += vector.size();
    if (content > size) std::abort();
}

}  // namespace

// Whatever a server of models answers, whole or in pieces: vectors no larger than the answer, or none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace decant::embed::detail;
    const std::string_view body{reinterpret_cast<const char*>(data), size};
    if (const auto json = parse_body(body)) {
        require_no_more_than(size, ollama_answer(*json));
        require_no_more_than(size, openai_answer(*json));
        if (error_text(*json).size() > size) std::abort();
    }
    PullStream stream;
    for (std::size_t at = 0; at < size && stream.take(body.substr(at, 7)); at += 7)
        static_cast<void>(stream.bytes());
    if (stream.is_done() && !stream.error().empty()) std::abort();
    return 0;
}
