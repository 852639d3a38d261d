#include "search/shared_vocabulary.hpp"

namespace decant::search {

std::shared_ptr<const Vocabulary> SharedVocabulary::get(pg::Connection& db) {
    const auto fresh_one = [this]() -> std::shared_ptr<const Vocabulary> {
        const std::lock_guard lock{mutex_};
        const bool is_fresh = current_ && std::chrono::steady_clock::now() - read_ <= most_age;
        return is_fresh ? current_ : nullptr;
    };
    if (auto vocabulary = fresh_one()) return vocabulary;
    std::unique_lock loading{loading_, std::try_to_lock};
    if (!loading) {
        {
            const std::lock_guard lock{mutex_};
            if (current_) return current_;
        }
        loading.lock();  // the first one: nobody can go on without it
        if (auto vocabulary = fresh_one()) return vocabulary;
    }
    auto loaded = std::make_shared<const Vocabulary>(load_vocabulary(db));
    const std::lock_guard lock{mutex_};
    current_ = loaded;
    read_ = std::chrono::steady_clock::now();
    return loaded;
}

}  // namespace decant::search
