#include "api/query_embedder.hpp"

#include <algorithm>
#include <iterator>

#include "core/error.hpp"

namespace decant::api {
namespace {

/// So that a question need not wait for all of a batch: eight take the embedded model a tenth of a second.
constexpr std::size_t most_texts_a_turn = 8;
/// Of a batch before its next turn, so that questions without end do not stop it.
constexpr std::chrono::milliseconds longest_yield{500};

/// Whatever is wrong with the provider (its key, its model, its load, a setting), to who asks it is away; what it is
/// stays in the words, which the log has.
Error as_absence(const Error& error, bool is_question) {
    // Who embeds products waits for one that is only busy.
    const bool is_known = error.is_retryable() || error.code() == ErrorCode::cancelled;
    if (is_known && !(is_question && error.code() == ErrorCode::overloaded)) return error;
    return {ErrorCode::embedder_unavailable, error.happened(), error.remedy()};
}

Error busy() {
    return {ErrorCode::embedder_unavailable, "The embedding model is busy",
            "It is asked again with the next question."};
}

}  // namespace

QueryEmbedder::QueryEmbedder(Open open, std::size_t most_remembered, std::chrono::milliseconds longest_wait)
    : open_(std::move(open)),
      most_remembered_(most_remembered),
      longest_wait_(longest_wait),
      breaker_(std::random_device{}()) {}

void QueryEmbedder::require() {
    if (is_open_) return;
    const std::unique_lock lock{model_mutex_, longest_wait_};
    if (!lock) throw busy();
    if (embedder_) return;
    const auto now = std::chrono::steady_clock::now();
    if (breaker_.state(now) == work::Breaker::State::open) {
        throw Error{ErrorCode::embedder_unavailable, "The embedding model did not answer several times in a row",
                    "It is asked again in a moment."};
    }
    try {
        embedder_ = open_();
        model_ = embedder_->model();
        is_open_ = true;
        is_up_ = true;
        breaker_.succeeded();
    } catch (const Error& error) {
        is_up_ = false;
        breaker_.failed(now);
        throw as_absence(error, true);
    }
}

// The mutex alone would not do: whoever locks it again at once gets it before those whom it wakes.
std::unique_lock<std::timed_mutex> QueryEmbedder::take_turn(embed::Role role, bool is_question) {
    std::unique_lock lock{model_mutex_, std::defer_lock};
    {
        std::unique_lock gate{gate_mutex_};
        if (is_question)
            ++questions_;
        else
            gate_.wait_for(gate, longest_yield, [this] { return questions_ == 0; });
    }
    if (role == embed::Role::passage)
        lock.lock();
    else
        static_cast<void>(lock.try_lock_for(longest_wait_));
    if (is_question) {
        const std::lock_guard gate{gate_mutex_};
        if (--questions_ == 0) gate_.notify_all();
    }
    if (!lock) throw busy();
    return lock;
}

std::vector<embed::TextVector> QueryEmbedder::ask(std::span<const std::string_view> texts, embed::Role role,
                                                  bool is_question) {
    require();
    const std::unique_lock lock = take_turn(role, is_question);
    const auto now = std::chrono::steady_clock::now();
    if (breaker_.state(now) == work::Breaker::State::open) {
        throw Error{ErrorCode::embedder_unavailable, "The embedding model did not answer several times in a row",
                    "It is asked again in a moment."};
    }
    try {
        auto vectors = embedder_->embed(texts, role);
        is_up_ = true;
        breaker_.succeeded();
        return vectors;
    } catch (const Error& error) {
        // One that blames the text says nothing of the provider.
        if (error.code() == ErrorCode::request_invalid || error.code() == ErrorCode::too_large) throw;
        is_up_ = false;
        breaker_.failed(std::chrono::steady_clock::now());
        throw as_absence(error, is_question);
    }
}

std::vector<embed::TextVector> QueryEmbedder::ask_in_turns(std::span<const std::string_view> texts, embed::Role role) {
    std::vector<embed::TextVector> vectors;
    while (!texts.empty()) {
        const std::size_t count = std::min(texts.size(), most_texts_a_turn);
        std::ranges::move(ask(texts.first(count), role, false), std::back_inserter(vectors));
        texts = texts.subspan(count);
    }
    return vectors;
}

const embed::TextVector* QueryEmbedder::remembered(const std::string& text) {
    const auto place = places_.find(text);
    if (place == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, place->second);
    return &place->second->second;
}

void QueryEmbedder::remember(const std::string& text, const embed::TextVector& vector) {
    if (places_.contains(text)) return;
    entries_.emplace_front(text, vector);
    places_.emplace(text, entries_.begin());
    if (entries_.size() <= most_remembered_) return;
    places_.erase(entries_.back().first);
    entries_.pop_back();
}

std::vector<embed::TextVector> QueryEmbedder::embed(std::span<const std::string_view> texts, embed::Role role) {
    if (texts.size() != 1 || role != embed::Role::query) return ask_in_turns(texts, role);
    const std::string text{texts.front()};
    {
        const std::lock_guard lock{memory_mutex_};
        if (const embed::TextVector* vector = remembered(text)) return {*vector};
    }
    auto vectors = ask(texts, role, true);
    if (vectors.size() == 1) {
        const std::lock_guard lock{memory_mutex_};
        remember(text, vectors.front());
    }
    return vectors;
}

}  // namespace decant::api
