#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "core/settings.hpp"

namespace decant::operate {

/// A warning costs quality or speed, or will; a failure keeps something from working. What is skipped could not be
/// looked at.
enum class CheckState { ok, warning, failure, skipped };
inline constexpr EnumNames<CheckState, 4> check_state_names{{"ok", "warning", "failure", "skipped"}};

/// What decant itself can do about a finding.
struct Mend {
    bool is_safe = false;            ///< it removes no vector, asks no other service, and searches go on meanwhile
    std::string what = {};           ///< "drop the invalid index idx_a"
    std::function<void()> run = {};  ///< throws Error
};

struct Finding {
    CheckState state = CheckState::ok;
    std::string found = {};   ///< with its values; of skipped: why it could not be looked at
    std::string remedy = {};  ///< the command that mends it; empty: nothing is to be done
    std::optional<Mend> mend = {};
};

/// One check with what it found.
struct Diagnosis {
    std::string_view id = {};            ///< "index.present"
    std::string_view why = {};           ///< it matters
    Finding finding = {};                ///< as it is now, after what was mended
    std::optional<Finding> before = {};  ///< what had been found, where something was done about it
    std::string mending_failed = {};     ///< why; empty: it did not

    bool is_mended() const noexcept { return before && finding.state == CheckState::ok; }
};

struct DoctorRequest {
    const Settings& settings;
    /// Asked of each finding that decant can mend; none: nothing is mended.
    std::function<bool(const Diagnosis&)> may_mend = {};
    /// Told each as soon as it is known.
    std::function<void(const Diagnosis&)> on_checked = {};
    // For tests:
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
    std::string shared_memory = "/dev/shm";
};

/// Looks at all that searches need: server, pgvector, schema, rights, embedder, index, vectors, queue, upkeep, memory,
/// Chroma, settings. What is mended is looked at again before the checks after it. Never throws for what a check finds:
/// with the database away the first one fails, and those that need it are skipped. Without may_mend it writes nothing
/// but, the first time, the vector of a fixed text of the embedding model. Throws Error{cancelled} between two checks
/// once a signal was noted (see core/interrupt).
std::vector<Diagnosis> examine(const DoctorRequest& request);

/// In the order of examine().
std::vector<std::string_view> check_ids();

json::object json_of(const Diagnosis& diagnosis);

}  // namespace decant::operate
