#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace decant::chroma::detail {

/// One entry of id_to_label. The id points into the pickle's bytes.
struct LabelledId {
    std::string_view id;
    std::uint64_t label;
};

/// What an index_metadata.pickle says of the persisted vectors.
struct PersistedLabels {
    std::vector<LabelledId> entries;          ///< in the file's order; an id that stands twice has its last label
    std::optional<std::uint64_t> max_seq_id;  ///< only 0.4 to 0.5.5 wrote it
};

/// Reads without executing: a fixed set of opcodes, one known class taken as a tag, everything else refused. Never
/// allocates more than a fixed multiple of the pickle's size. Source of the format: docs/formats/chroma.md.
/// Throws Error{source_unreadable} naming the offset.
PersistedLabels read_index_pickle(std::span<const std::byte> pickle);

}  // namespace decant::chroma::detail
