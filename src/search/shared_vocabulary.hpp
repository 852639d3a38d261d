#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "search/vocabulary.hpp"

namespace decant::search {

/// One vocabulary for many engines. Any thread.
class SharedVocabulary {
public:
    static constexpr std::chrono::minutes most_age{5};

    /// Read by `db` when it is the first time or older than most_age; by one thread, while others go on with the old
    /// one. Throws what load_vocabulary does.
    std::shared_ptr<const Vocabulary> get(pg::Connection& db);

private:
    std::mutex mutex_;
    std::mutex loading_;
    std::shared_ptr<const Vocabulary> current_;
    std::chrono::steady_clock::time_point read_;
};

}  // namespace decant::search
