#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace decant::embed::detail {

/// The lines of JSON in which /api/pull tells how far it is; its errors come with status 200, as the last line.
class PullStream {
public:
    struct Bytes {
        std::uint64_t done = 0;
        std::uint64_t total = 0;
    };

    /// False at an error, at success, and at what is no line of such a stream: no more is of use.
    bool take(std::string_view bytes);

    bool is_done() const noexcept { return is_done_; }
    const std::string& error() const noexcept { return error_; }
    Bytes bytes() const noexcept;  ///< of all files so far begun

private:
    bool take_line(std::string_view line);

    std::string rest_;
    std::map<std::string, Bytes> layers_;  ///< by digest
    std::string error_;
    bool is_done_ = false;
};

}  // namespace decant::embed::detail
