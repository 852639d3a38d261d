#include "net/http_head.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "net/detail/request_reader.hpp"

namespace {

using decant::net::RequestReader;

constexpr std::size_t most_body_bytes = 1'000;

void require(bool holds) {
    if (!holds) std::abort();
}

/// As a connection reads: what is not used up is given again with up to `step` bytes more. The body, once it is whole.
std::optional<std::string> read(std::string_view head, std::string_view rest, std::size_t step) {
    RequestReader reader{most_body_bytes};
    reader.put_head(head);
    std::size_t used = 0;
    for (std::size_t there = 0; !reader.refusal() && !reader.is_done() && there < rest.size();) {
        there = std::min(there + step, rest.size());
        used += reader.put_body(rest.substr(used, there - used));
        require(used <= there);
    }
    if (reader.refusal() || !reader.is_done()) return std::nullopt;
    return reader.take().body;
}

}  // namespace

/// Whatever the bytes: a head that is refused with a status of the table, or one that Beast's parser takes as well, and
/// a body within its limit that is the same however it is cut on its way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const std::size_t end = bytes.find("\r\n\r\n");
    const std::string_view head = bytes.substr(0, end == std::string_view::npos ? end : end + 4);
    const auto refusal = decant::net::check_head(head);
    if (refusal) {
        constexpr int statuses[] = {400, 413, 414, 415, 417, 431, 501, 505};
        require(std::ranges::find(statuses, refusal->status) != std::end(statuses) && !refusal->detail.empty());
        return 0;
    }
    require(end != std::string_view::npos);
    for (std::size_t part = 1; part < head.size(); part += 1 + head.size() / 16)
        require(!decant::net::check_part_of_head(head.substr(0, part)));
    const std::string_view rest = bytes.substr(head.size());
    const auto whole = read(head, rest, size);
    require(!whole || whole->size() <= most_body_bytes);
    require(whole == read(head, rest, 1) && whole == read(head, rest, 7));
    RequestReader reader{most_body_bytes};
    reader.put_head(head);
    if (!reader.refusal()) {
        const auto request = reader.take();
        require(request.target.starts_with('/') && decant::net::is_token(request.method));
        require(std::ranges::all_of(request.headers, [](const auto& header) {
            return decant::net::is_token(header.first) && decant::net::is_header_value(header.second);
        }));
    }
    return 0;
}
