#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/interrupt.hpp"
#include "core/progress.hpp"

namespace decant::cli {

/// One line on stderr for each phase of a long operation, those of builds as pg_stat_progress_create_index names them.
class PhaseMeter {
public:
    /// Of operate::ReindexWatch and its like. This must outlive it.
    template <class Watch>
    Watch watch() {
        return {.progress =
                    [this](const std::string& phase, std::uint64_t done, std::uint64_t total) {
                        show(phase, done, total);
                        return !interrupted();
                    },
                .note = [this](const std::string& line) { note(line); }};
    }

private:
    void show(const std::string& phase, std::uint64_t done, std::uint64_t total);
    void note(const std::string& line);

    std::unique_ptr<Progress> meter_;
    std::string phase_;
};

/// The value of an option that takes a share. Throws Error{request_malformed} unless it is from 0 to 1.
double parse_share(const std::string& option, const std::string& text);

}  // namespace decant::cli
