#include "cli/phase_meter.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace decant::cli {

void PhaseMeter::show(const std::string& phase, std::uint64_t done, std::uint64_t total) {
    if (phase.empty()) return;
    if (phase != phase_) {
        meter_.reset();
        const bool is_blocks = phase.starts_with("building") && phase.find("tuples") == std::string::npos;
        meter_ = std::make_unique<Progress>(phase, is_blocks ? "blocks" : "rows");
        phase_ = phase;
    }
    if (total > 0) meter_->update(done, total);
}

void PhaseMeter::note(const std::string& line) {
    meter_.reset();
    phase_.clear();
    log::info("{}", printable(line));
}

double parse_share(const std::string& option, const std::string& text) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= 1) return value;
    throw Error{ErrorCode::request_malformed,
                fmt::format("{} takes a number from 0 to 1, not '{}'", option, printable(text)),
                fmt::format("Write it like {} 0.95.", option)};
}

}  // namespace decant::cli
