#include "cli/meter_observer.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "core/interrupt.hpp"
#include "core/utf8.hpp"

namespace decant::cli {

void MeterObserver::begin_phase(const std::string& name, std::uint64_t total) {
    total_ = total;
    meter_ = std::make_unique<Progress>(name, "rows");
}

bool MeterObserver::progress(std::uint64_t done, std::uint64_t bytes) {
    if (meter_) meter_->update(done, total_, bytes);
    return !interrupted();
}

void MeterObserver::end_phase() {
    if (meter_) meter_->finish();
    meter_.reset();
}

void MeterObserver::hide() {
    if (meter_) meter_->hide();
}

void MeterObserver::note(const std::string& line) {
    end_phase();
    // Not fmt::print, which throws: a copy does not end because nobody can read of it.
    const std::string text = fmt::format("decant: {}\n", printable(line));
    std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace decant::cli
