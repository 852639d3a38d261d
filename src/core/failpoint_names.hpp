#pragma once

#include <array>
#include <string_view>

namespace decant {

/// Every failpoint of the program, as `decant --version --json` lists them, in the order of a run. A test holds the
/// calls of failpoint() in the sources against this list.
inline constexpr std::array failpoint_names = std::to_array<std::string_view>({
    "copy.run_begun",
    "copy.page_begun",
    "copy.page_written",
    "copy.checkpoint_written",
    "copy.page_committed",
    "copy.rows_sent",
    "copy.loaded",
    "copy.index_built",
    "copy.indexed",
    "copy.verified",
    "copy.swapped",
    "migrate.run_begun",
    "migrate.products_created",
    "migrate.index_dropped",
    "migrate.batch_begun",
    "migrate.batch_written",
    "migrate.batch_committed",
    "migrate.batch_embedded",
    "migrate.index_built",
    "migrate.verified",
    "migrate.finished",
    "worker.claimed",
    "worker.embedded",
    "worker.stored",
    "worker.committed",
});

}  // namespace decant
