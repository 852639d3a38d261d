#include "embed/detail/pull_stream.hpp"

#include "core/utf8.hpp"
#include "embed/detail/embed_answer.hpp"

namespace decant::embed::detail {
namespace {

constexpr std::size_t most_line_bytes = 64UL << 10U;
constexpr std::size_t most_layers = 1024;

}  // namespace

bool PullStream::take(std::string_view bytes) {
    rest_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
        if (!take_line(std::string_view{rest_}.substr(begin, end - begin))) return false;
    }
    rest_.erase(0, begin);
    if (rest_.size() > most_line_bytes) error_ = "the answer is no stream of JSON lines";
    return error_.empty();
}

bool PullStream::take_line(std::string_view line) {
    if (line.find_first_not_of(" \r") == std::string_view::npos) return true;
    const auto json = parse_body(line);
    error_ = json ? error_text(*json) : "the answer is no stream of JSON lines";
    error_ = printable(first_characters(error_, 300));
    if (!json || !error_.empty()) return false;
    is_done_ = text_of(member(*json, "status")) == "success";
    const std::string digest = text_of(member(*json, "digest"));
    if (!digest.empty() && (layers_.contains(digest) || layers_.size() < most_layers)) {
        layers_[digest] = {.done = count_of(member(*json, "completed")), .total = count_of(member(*json, "total"))};
    }
    return !is_done_;
}

PullStream::Bytes PullStream::bytes() const noexcept {
    Bytes all;
    for (const auto& [digest, layer] : layers_) {
        all.done += layer.done;
        all.total += layer.total;
    }
    return all;
}

}  // namespace decant::embed::detail
