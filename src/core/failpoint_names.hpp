#pragma once

#include <array>
#include <string_view>

namespace decant {

/// Every failpoint of the program, as `decant --version --json` lists them, in the order of a run. A test holds the
/// calls of failpoint() in the sources against this list.
inline constexpr std::array failpoint_names = std::to_array<std::string_view>({
    "copy.run_started",
    "copy.table_created",
    "copy.page_written",
    "copy.page_committed",
    "copy.loaded",
    "copy.index_started",
    "copy.index_built",
    "copy.analyzed",
    "copy.swap_started",
    "copy.swap_committed",
    "verify.page_read",
    "verify.digests_saved",
    "copy.finished",
});

}  // namespace decant
