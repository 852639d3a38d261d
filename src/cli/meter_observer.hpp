#pragma once

#include <memory>
#include <string>

#include "core/progress.hpp"
#include "migrate/copy.hpp"

namespace decant::cli {

/// Shows a copy's progress on stderr and stops it at the next page edge after SIGINT or SIGTERM.
class MeterObserver final : public migrate::CopyObserver {
public:
    void begin_phase(const std::string& name, std::uint64_t total) override;
    bool progress(std::uint64_t done, std::uint64_t bytes) override;
    void end_phase() override;
    void note(const std::string& line) override;
    /// Makes room for a line of stdout.
    void hide();

private:
    std::unique_ptr<Progress> meter_;
    std::uint64_t total_ = 0;
};

}  // namespace decant::cli
